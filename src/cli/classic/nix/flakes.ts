/** `nix search`, `edit`, `fmt`, `formatter`, and shells of files and expressions. */
import { UsageError } from "../../../base/index.ts";
import { openEditor } from "../../repl/editor.ts";
import { bytes, takeCommon, Words } from "../arguments.ts";
import { runClassic } from "../../../app/classic/run.ts";
import type { Program } from "../program.ts";
import { installablesOf, sourceOf } from "./installables.ts";
import { type Call, exactly, readOptions } from "./options.ts";

export async function search(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "[OPTION]… INSTALLABLE REGEX…",
    about: "Lists the packages of a flake whose path, name or description has all of these.",
    switches: { json: "" },
    values: { exclude: "-e" },
  });
  if (given === undefined) return 0;
  const { program } = call;
  const [installable, ...patterns] = given.operands;
  if (installable === undefined) throw new UsageError("more arguments are required");
  if (patterns.length === 0)
    throw new UsageError("Must provide at least one regex! To match all packages, use 'nix search <installable> ^'.");
  const { searchPackages } = await import("../../../app/search.ts");
  const exclude = given.value("exclude");
  const excluded = exclude === undefined ? [] : [exclude];
  const found = await searchPackages(await program.context(), { installable, patterns, excluded });
  if (given.has("json")) {
    const entries = found.map(
      ({ path, description, pname, version }) => [path, { description, pname, version }] as const,
    );
    program.printJson({ value: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) });
    return 0;
  }
  const lines = found.map(
    ({ path, version, description }) =>
      `* ${path}${version === "" ? "" : ` (${version})`}\n${description === "" ? "" : `  ${description}\n`}`,
  );
  program.print(lines.join("\n"));
  if (found.length > 0) return 0;
  program.world.stderr.write("error: no results for the given search term(s)!\n");
  return 1;
}

export async function edit(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "INSTALLABLE",
    about: "Opens the file that defines a package in your editor.",
    installables: true,
  });
  if (given === undefined) return 0;
  const { program } = call;
  const context = await program.context();
  const [what = "."] = given.operands.length === 0 ? [] : exactly(given, 1);
  const source = sourceOf(program, given);
  let position = "";
  if (source === undefined) {
    const { evalInstallable } = await import("../../../app/eval.ts");
    position = await evalInstallable(context, what, "raw", POSITION);
  } else {
    program.common.impure = true;
    await runClassic({
      job: {
        settings: await program.evaluationSettings({ writes: true, features: ["flakes", "fetch-tree"] }),
        task: {
          kind: "eval",
          source,
          attributePath: bytes(what === "." ? "" : what),
          arguments: [...program.common.autoArguments.values()],
          apply: POSITION,
          format: "raw",
        },
      },
      sink: { ...program.sink, write: (text) => void (position += Buffer.from(text).toString("utf8")) },
      context: () => program.context(),
      signal: program.signal,
    });
  }
  const [, file, line] = /^(.*):(\d+)$/s.exec(position) ?? [];
  if (file === undefined) throw new UsageError(`cannot find position information for '${what}'`);
  await openEditor(program.world.environment, context.toPhysical(file), Number(line));
  return 0;
}

const POSITION = 'package: package.meta.position or ""';

/**
 * The words of `develop` and `print-dev-env` with the derivation in place of `--file`, `--expr` and what goes with them.
 * Undefined if there is neither.
 */
export async function withDerivation(program: Program, argv: readonly string[]): Promise<string[] | undefined> {
  const end = argv.findIndex((word) => word === "-c" || word === "--command" || word === "--");
  const head = end < 0 ? argv : argv.slice(0, end);
  if (!head.some((word) => word === "-f" || word === "--file" || word === "--expr")) return undefined;
  const words = new Words(head);
  const kept: string[] = [];
  const operands: string[] = [];
  let [file, expr]: (string | undefined)[] = [];
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === "-f" || word === "--file") file = words.value(word);
    else if (word === "--expr") expr = words.value(word);
    else if (VALUES.has(word)) kept.push(word, ...words.values(word, VALUES.get(word)!));
    else if (!KEPT.has(word) && takeCommon(word, words, program.common, program.read)) continue;
    else if (word.startsWith("-")) kept.push(word);
    else operands.push(word);
  }
  const given = { operands, file, expr, stdin: false, has: () => false, value: () => undefined };
  const [found] = await installablesOf(
    program,
    given,
    exactly({ ...given, operands: [operands[0] ?? "", ...operands.slice(1)] }, 1),
  );
  if (found === undefined || !("drvPath" in found)) throw new UsageError("there is no derivation to make a shell of");
  return [...kept, found.drvPath, ...argv.slice(head.length)];
}

/** Options of `develop` that take values, with how many. */
const VALUES = new Map([
  ...["--phase", "--keep-env-var", "--keep", "--unset-env-var", "--unset", "-u"].map((word) => [word, 1] as const),
  ["--set-env-var", 2],
  ["-s", 2],
]);
/** Those that have another meaning there. */
const KEPT = new Set(["-k"]);
