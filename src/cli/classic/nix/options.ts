/** Command lines of the subcommands of `nix`. */
import { UsageError } from "../../../base/index.ts";
import { bytes, takeCommon, unknownFlag, Words } from "../arguments.ts";
import type { Program } from "../program.ts";

/** What a subcommand is called with. */
export interface Call {
  readonly program: Program;
  /** `store ls`. */
  readonly name: string;
  readonly argv: readonly string[];
}

export interface OptionTable {
  /** What follows the name in the usage line. */
  readonly usage: string;
  readonly about: string;
  /** Switches, with their short forms. */
  readonly switches?: Readonly<Record<string, string>>;
  /** Options that take a value. */
  readonly values?: Readonly<Record<string, string>>;
  /** Takes installables: `--file`, `--expr` and `--derivation` as well; where it takes any number, `--stdin`, too. */
  readonly installables?: true | "many";
}

export interface Given {
  readonly operands: readonly string[];
  has(option: string): boolean;
  value(option: string): string | undefined;
  readonly file: string | undefined;
  readonly expr: string | undefined;
  /** Operands came from standard input: if there were none, nothing is meant, not what is meant else. */
  readonly stdin: boolean;
}

/** Undefined if help was asked for, which has been given then. @throws UsageError */
export function readOptions({ program, name, argv }: Call, table: OptionTable): Given | undefined {
  const words = new Words(argv);
  const { switches = {}, values = {}, installables } = table;
  const all: Record<string, { readonly long: string; readonly valued: boolean }> = {};
  for (const [long, short] of Object.entries(switches))
    for (const word of [`--${long}`, short]) if (word !== "") all[word] = { long, valued: false };
  for (const [long, short] of Object.entries(values))
    for (const word of [`--${long}`, short]) if (word !== "") all[word] = { long, valued: true };
  const given = new Map<string, string>();
  const operands: string[] = [];
  let file: string | undefined;
  let expr: string | undefined;
  let stdin = false;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    const known = Object.hasOwn(all, word) ? all[word] : undefined;
    if (word === "--help") {
      program.print(helpText(name, table));
      return undefined;
    }
    if (known !== undefined) given.set(known.long, known.valued ? words.value(word) : "");
    else if (installables !== undefined && (word === "--file" || word === "-f")) file = words.value(word);
    else if (installables !== undefined && word === "--expr") expr = words.value(word);
    else if (installables !== undefined && word === "--derivation") given.set("derivation", "");
    else if (installables === "many" && word === "--stdin") {
      stdin = true;
      operands.push(
        ...Buffer.from(program.read("-"), "latin1")
          .toString("utf8")
          .split(/\s+/)
          .filter((one) => one !== ""),
      );
    } else if (takeCommon(word, words, program.common, program.read)) continue;
    else if (word.startsWith("-") && word !== "-") throw unknownFlag(word);
    else operands.push(word);
  }
  if (file !== undefined && expr !== undefined) throw new UsageError("'--file' and '--expr' are exclusive");
  return { operands, file, expr, stdin, has: (option) => given.has(option), value: (option) => given.get(option) };
}

function helpText(name: string, { usage, about, switches = {}, values = {}, installables }: OptionTable): string {
  const line = (long: string, short: string, value: string): string =>
    `  ${short === "" ? "    " : `${short}, `}--${long}${value}\n`;
  return [
    `Usage: nix ${name} ${usage}\n${about}\n`,
    ...Object.entries(switches).map(([long, short]) => line(long, short, "")),
    ...Object.entries(values).map(([long, short]) => line(long, short, " VALUE")),
    ...(installables !== undefined
      ? ["  -f, --file FILE, --expr EXPRESSION, --derivation: attributes of these, and .drv files, as installables\n"]
      : []),
    ...(installables === "many" ? ["  --stdin: more of them from standard input\n"] : []),
    "  --store DIR, --option NAME VALUE and Nix's other settings\n",
  ].join("");
}

/** Exactly so many operands. @throws UsageError */
export function exactly(given: Given, count: number): readonly string[] {
  if (given.operands.length < count) throw new UsageError("more arguments are required");
  if (given.operands.length > count) throw new UsageError(`unexpected argument '${given.operands[count]!}'`);
  return given.operands;
}

export { bytes };
