import type { ClassicTask, ExpressionSource, FoundDerivation, ValueFormat } from "../../app/classic/protocol.ts";
import { runClassic } from "../../app/classic/run.ts";
import { bytes, takeCommon, unknownFlag, Words } from "./arguments.ts";
import type { Program } from "./program.ts";

export async function nixInstantiate(program: Program): Promise<number> {
  const { common, world } = program;
  const words = new Words(world.argv);
  const files: string[] = [];
  const attributePaths: string[] = [];
  let action: "instantiate" | "evaluate" | "parse" = "instantiate";
  let format: ValueFormat = "classic";
  let fromStdin = false;
  let fromArguments = false;
  let findFiles = false;
  let readWrite = false;
  let strict = false;
  let locations = true;
  let root: string | undefined;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === "--help") return help(program);
    if (word === "--version") return program.printVersion();
    if (word === "-") fromStdin = true;
    else if (word === "--expr" || word === "-E") fromArguments = true;
    else if (word === "--eval" || word === "--eval-only") action = action === "parse" ? action : "evaluate";
    else if (word === "--read-write-mode") readWrite = true;
    else if (word === "--parse" || word === "--parse-only") action = "parse";
    else if (word === "--find-file") findFiles = true;
    else if (word === "--attr" || word === "-A") attributePaths.push(bytes(words.value(word)));
    else if (word === "--add-root") root = words.value(word);
    else if (word === "--raw") format = "raw";
    else if (word === "--xml") format = "xml";
    else if (word === "--json") format = "json";
    else if (word === "--no-location") locations = false;
    else if (word === "--strict") strict = true;
    else if (word === "--dry-run") common.readOnly = true;
    else if (word === "--indirect") continue;
    else if (takeCommon(word, words, common, program.read)) continue;
    else if (word.startsWith("-")) throw unknownFlag(word);
    else files.push(word);
  }
  const settings = await program.evaluationSettings({ writes: action === "instantiate" || readWrite });
  const task: ClassicTask = findFiles
    ? { kind: "find-files", names: files }
    : {
        kind: "instantiate",
        sources: sources(program, { files, fromStdin, fromArguments }),
        attributePaths: attributePaths.length === 0 ? [""] : attributePaths,
        arguments: [...common.autoArguments.values()],
        action,
        format,
        strict,
        locations,
      };
  const found: FoundDerivation[] = [];
  await runClassic({
    job: { settings, task },
    context: () => program.context(),
    signal: program.signal,
    thread: program.takeThread(),
    sink: { ...program.sink, derivation: (derivation) => void found.push(derivation) },
  });
  await printDerivations(program, found, settings.store === "read-write" ? root : undefined, root === undefined);
  return 0;
}

interface Given {
  readonly files: readonly string[];
  readonly fromStdin: boolean;
  readonly fromArguments: boolean;
}

function sources(program: Program, { files, fromStdin, fromArguments }: Given): ExpressionSource[] {
  const given = files.map((file): ExpressionSource =>
    fromArguments ? { kind: "text", text: bytes(file), name: "«string»" } : { kind: "file", file },
  );
  if (fromStdin) given.unshift({ kind: "text", text: program.read("-"), name: "«stdin»" });
  else if (given.length === 0 && !fromArguments) given.push({ kind: "file", file: "./default.nix" });
  return given;
}

/** A line for each derivation; with a root, the link in place of the path. */
async function printDerivations(
  program: Program,
  found: readonly FoundDerivation[],
  root: string | undefined,
  unrooted: boolean,
): Promise<void> {
  if (found.length > 0 && unrooted && program.common.gcWarning)
    program.warn("you did not specify '--add-root'; the result might be removed by the garbage collector");
  const { addRoot } = root === undefined ? { addRoot: undefined } : await import("../../app/classic/roots.ts");
  let number = 0;
  for (const { drvPath, output } of found) {
    let shown = drvPath;
    if (root !== undefined && addRoot !== undefined) {
      number++;
      shown = await addRoot(await program.context(), number === 1 ? root : `${root}-${number}`, drvPath);
    }
    program.print(`${shown}${output === "out" ? "" : `!${output}`}\n`);
  }
}

function help(program: Program): number {
  program.print(`Usage: nix-instantiate [--eval | --parse | --find-file] [--strict] [--json | --xml | --raw] [--arg NAME EXPR]
         [--argstr NAME TEXT] [-A PATH]… [-I PATH]… [-E | --expr] [FILE | EXPR | -]…
Evaluates Nix expressions and stores their derivations, or prints values (--eval). This is d2n's own nix-instantiate.
`);
  return 0;
}
