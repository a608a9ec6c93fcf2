import type { ExpressionSource, FoundDerivation } from "../../app/classic/protocol.ts";
import { runClassic } from "../../app/classic/run.ts";
import { bytes, takeCommon, unknownFlag, Words } from "./arguments.ts";
import type { Program } from "./program.ts";

export async function nixBuild(program: Program): Promise<number> {
  const { common, world } = program;
  const words = new Words(world.argv);
  const files: string[] = [];
  const attributePaths: string[] = [];
  let link: string | undefined = "result";
  let fromArguments = false;
  let dryRun = false;
  let check = false;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === "--version") return program.printVersion();
    if (word === "--attr" || word === "-A") attributePaths.push(bytes(words.value(word)));
    else if (word === "--expr" || word === "-E") fromArguments = true;
    else if (word === "--out-link" || word === "-o" || word === "--add-root") link = words.value(word);
    else if (word === "--no-out-link" || word === "--no-link") link = undefined;
    else if (word === "--dry-run") dryRun = true;
    else if (word === "--check") check = true;
    else if (word === "--indirect") continue;
    else if (takeCommon(word, words, common, program.read)) continue;
    else if (word.startsWith("-")) throw unknownFlag(word);
    else files.push(word);
  }
  const sources = files.map((file): ExpressionSource =>
    fromArguments ? { kind: "text", text: bytes(file), name: "«string»" } : { kind: "file", file },
  );
  if (sources.length === 0 && !fromArguments) sources.push({ kind: "file", file: "./default.nix" });
  const settings = await program.evaluationSettings({ writes: true });
  const found: FoundDerivation[] = [];
  await runClassic({
    job: {
      settings,
      task: {
        kind: "instantiate",
        sources,
        attributePaths: attributePaths.length === 0 ? [""] : attributePaths,
        arguments: [...common.autoArguments.values()],
        action: "instantiate",
        format: "classic",
        strict: false,
        locations: false,
      },
    },
    context: () => program.context(),
    signal: program.signal,
    thread: program.thread,
    sink: { ...program.sink, derivation: (derivation) => void found.push(derivation) },
  });
  if (dryRun) {
    for (const { drvPath } of found) world.stderr.write(`${drvPath}\n`);
    return 0;
  }
  const { buildDerivations } = await import("../../app/classic/build.ts");
  for (const path of await buildDerivations(await program.context(), { derivations: found, link, check }))
    program.print(`${path}\n`);
  return 0;
}
