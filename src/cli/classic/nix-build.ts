/** The program `nix-build` (Nix: `nix-build.cc`). */
import type { ExpressionSource, FoundDerivation } from "../../app/classic/protocol.ts";
import { bytes, takeCommon, unknownFlag, Words } from "./arguments.ts";
import { instantiate } from "./instantiate.ts";
import type { Program } from "./program.ts";

export async function nixBuild(program: Program): Promise<number> {
  const { common, world } = program;
  const words = new Words(world.argv);
  const files: string[] = [];
  const attributePaths: string[] = [];
  let link: string | undefined = "result";
  let fromArguments = false;
  let fromStdin = false;
  let dryRun = false;
  let check = false;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === "--help") return help(program);
    if (word === "--version") return program.printVersion();
    if (word === "-") fromStdin = true;
    else if (word === "--attr" || word === "-A") attributePaths.push(bytes(words.value(word)));
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
  const { storeDerivationOf } = await import("../../app/classic/store-arguments.ts");
  const found: FoundDerivation[] = [];
  const sources: ExpressionSource[] = [];
  if (fromStdin) sources.push({ kind: "text", text: program.read("-"), name: "«stdin»" });
  else if (fromArguments) for (const text of files) sources.push({ kind: "text", text: bytes(text), name: "«string»" });
  else
    for (const file of files.length === 0 ? ["."] : files) {
      const [path = "", output = "out"] = file.split("!");
      const drvPath = storeDerivationOf(world.cwd, path);
      if (drvPath === undefined) sources.push({ kind: "file", file });
      else found.push({ drvPath, output });
    }
  if (sources.length > 0) {
    const settings = await program.evaluationSettings({ writes: true });
    found.push(...(await instantiate(program, { settings, sources, attributePaths })));
  }
  const { buildDerivations, missingDerivations } = await import("../../app/classic/build.ts");
  const context = await program.context();
  if (dryRun) {
    program.tellMissing(
      await missingDerivations(
        context,
        found.map(({ drvPath, output }) => `${drvPath}!${output}`),
      ),
    );
    return 0;
  }
  for (const path of await buildDerivations(context, { derivations: found, link, check })) program.print(`${path}\n`);
  return 0;
}

function help(program: Program): number {
  program.print(`Usage: nix-build [OPTION]… [FILE]…
Builds the derivations of FILE (default.nix unless given) and links them as ./result.
  -A, --attr PATH            only what this attribute is; may be repeated
  -E, --expr                 Nix expressions, in place of files; \`-\` reads one from standard input
  -o, --out-link LINK        another name for the link; --no-out-link makes none
  --check                    build again and compare
  --dry-run                  say what would be built
  -j N, --cores N, -k, -K    builds at once, cores for each, go on after failures, keep the folders of failed builds
  --arg NAME EXPRESSION, --argstr NAME TEXT, -I PATH, --option NAME VALUE
`);
  return 0;
}
