/** The program `nix`: `eval` of files and expressions and `hash` here, the rest by d2n's own commands of the same names. */
import type { ExpressionSource, ValueFormat } from "../../app/classic/protocol.ts";
import { runClassic } from "../../app/classic/run.ts";
import { settingKind } from "../../app/classic/settings.ts";
import { D2nError, UsageError } from "../../base/index.ts";
import { runCommandLine } from "../command-line.ts";
import { bytes, takeCommon, unknownFlag, Words } from "./arguments.ts";
import { hashCommand } from "./nix-hash.ts";
import type { Program } from "./program.ts";

/** d2n's commands that have the name and meaning of Nix's. */
const shared = new Set(["build", "run", "eval", "develop", "shell", "log", "flake", "store", "config"]);

export async function nix(program: Program): Promise<number> {
  const { argv } = program.world;
  const at = argv.findIndex((word, i) => !word.startsWith("-") && !isValue(argv, i));
  const command = argv[at];
  if (command === undefined) {
    if (argv.includes("--version")) return program.printVersion();
    throw new UsageError("no subcommand specified");
  }
  const rest = [...argv.slice(0, at), ...argv.slice(at + 1)];
  const classic = command === "eval" && rest.some((word) => word === "--expr" || word === "--file" || word === "-f");
  if (classic) return evaluate(program, rest);
  switch (command) {
    case "hash":
      return hashCommand(program, [...argv.slice(at + 1), ...argv.slice(0, at)]);
    case "repl":
      return (await import("./nix-repl.ts")).nixRepl(program, rest);
  }
  if (!shared.has(command))
    throw new D2nError("settings", `d2n does not serve 'nix ${command}'`, {
      hint: `It serves: ${[...shared, "hash", "repl"].sort().join(", ")}.`,
    });
  return runCommandLine({ ...program.world, argv: [command, ...ownOptions(rest)] });
}

/** Whether a word is the value of an option before it. */
function isValue(argv: readonly string[], i: number): boolean {
  const values = (word: string | undefined): number => {
    if (word === "--option") return 2;
    if (word === undefined || !word.startsWith("--")) return 0;
    const kind = settingKind(word.slice(2));
    return kind === "value" || kind === "list" || word === "--store" || word === "--log-format" ? 1 : 0;
  };
  return values(argv[i - 1]) >= 1 || values(argv[i - 2]) >= 2;
}

/** Without Nix's settings that d2n has no option for: its own commands have flakes on. */
function ownOptions(argv: readonly string[]): string[] {
  const kept: string[] = [];
  const own = new Set([
    "--cores",
    "--max-jobs",
    "--max-call-depth",
    "--show-trace",
    "--keep-going",
    "--keep-failed",
    "--store",
  ]);
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === "--") return [...kept, ...argv.slice(i)];
    const kind = word.startsWith("--") && !own.has(word) ? settingKind(word.slice(2)) : undefined;
    if (word === "--option") i += 2;
    else if (kind === "value" || kind === "list") i++;
    else if (
      kind === undefined &&
      !(word.startsWith("--no-") && settingKind(word.slice(5)) === "switch" && word !== "--no-eval-cache")
    )
      kept.push(word);
  }
  return kept;
}

/** `nix eval --expr EXPR [ATTRIBUTE]`, `nix eval --file FILE [ATTRIBUTE]`. */
async function evaluate(program: Program, argv: readonly string[]): Promise<number> {
  const words = new Words(argv);
  let source: ExpressionSource | undefined;
  let apply: string | undefined;
  let format: ValueFormat = "text";
  const operands: string[] = [];
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === "--expr" || word === "--file" || word === "-f") {
      if (source !== undefined) throw new UsageError("'--file' and '--expr' are exclusive");
      const value = words.value(word);
      if (word === "--expr") source = { kind: "text", text: bytes(value), name: "«string»" };
      else
        source =
          value === "-" ? { kind: "text", text: program.read("-"), name: "«stdin»" } : { kind: "file", file: value };
    } else if (word === "--apply") apply = bytes(words.value(word));
    else if (word === "--json" || word === "--raw") {
      if (format !== "text") throw new UsageError("--raw and --json are mutually exclusive");
      format = word === "--json" ? "json" : "raw";
    } else if (word === "--read-only") continue;
    else if (takeCommon(word, words, program.common, program.read)) continue;
    else if (word.startsWith("-")) throw unknownFlag(word);
    else operands.push(word);
  }
  if (operands.length > 1) throw new UsageError(`unexpected argument '${operands[1]!}'`);
  if (source?.kind === "file") program.common.impure = true;
  const settings = await program.evaluationSettings({
    writes: false,
    pureByDefault: true,
    features: ["flakes", "fetch-tree"],
  });
  await runClassic({
    job: {
      settings,
      task: {
        kind: "eval",
        source: source!,
        attributePath: bytes(operands[0] ?? ""),
        arguments: [...program.common.autoArguments.values()],
        apply,
        format,
      },
    },
    sink: program.sink,
    context: () => program.context(),
    signal: program.signal,
    thread: program.takeThread(),
  });
  return 0;
}
