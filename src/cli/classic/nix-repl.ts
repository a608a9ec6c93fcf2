/** `nix repl`: d2n's REPL with the settings, messages and colours of Nix's. */
import { join } from "node:path";
import type { ReplSource } from "../../app/repl/protocol.ts";
import { Repl } from "../../app/repl/repl.ts";
import { replSources } from "../../app/repl/settings.ts";
import { unescapeBytes, UsageError } from "../../base/index.ts";
import { openEditor } from "../repl/editor.ts";
import { runSession } from "../repl/session.ts";
import { takeCommon, unknownFlag, Words } from "./arguments.ts";
import type { Program } from "./program.ts";
import { renderNixError } from "./render-nix-error.ts";
import { nixVersion } from "./version.ts";

export async function nixRepl(program: Program, argv: readonly string[]): Promise<number> {
  const { common, world } = program;
  const words = new Words(argv);
  const operands: string[] = [];
  let file: string | undefined;
  let expr: string | undefined;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === "--file" || word === "-f") file = words.value(word);
    else if (word === "--expr") expr = words.value(word);
    else if (takeCommon(word, words, common, program.read)) continue;
    else if (word.startsWith("-")) throw unknownFlag(word);
    else operands.push(word);
  }
  if (file !== undefined && expr !== undefined) throw new UsageError("'--file' and '--expr' are exclusive");
  // Nix's REPL is impure unless told otherwise.
  common.impure = !common.settings.has("pure-eval");
  const settings = await program.evaluationSettings({ writes: true, features: ["flakes", "fetch-tree"] });
  const context = (): ReturnType<Program["context"]> => program.context(() => repl.signal);
  const sources: { readonly source: ReplSource; readonly what: string }[] = replSources(world.cwd, operands, {
    ...(file === undefined ? {} : { file }),
    ...(expr === undefined ? {} : { expr }),
  });
  const repl = new Repl({
    settings: {
      world: { kind: "classic", settings },
      arguments: [...common.autoArguments.values()],
      cwd: world.cwd,
      colors: true,
    },
    context,
    sources,
    showTrace: settings.showTrace,
    edit: (path, line) => openEditor(world.environment, path, line),
    output: {
      write: (text) => program.print(text),
      begun: (text) => program.print(text),
      say: (text) => void world.stderr.write(`${text}\n`),
      notice: (level, text) => program.sink.notice(level, text),
      error: (error, showTrace) =>
        void world.stderr.write(unescapeBytes(renderNixError(error, { showTrace, color: false }))),
    },
  });
  world.onInterrupt(() => repl.interrupt(), { goesOn: true });
  world.stderr.write(`Nix ${nixVersion}\nType :? for help.\n`);
  try {
    await repl.start();
    const data = world.environment["XDG_DATA_HOME"] || join(world.environment["HOME"] ?? "/", ".local/share");
    await runSession({ repl, world, historyFile: join(data, "nix/repl-history"), echo: true });
  } finally {
    await repl.close();
  }
  return 0;
}
