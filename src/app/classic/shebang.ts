/** Scripts that name nix-shell as their interpreter: its arguments stand in further `#!` lines (nix-build.cc). */
import { readFileSync } from "node:fs";
import { D2nError, isSystemError } from "../../base/index.ts";

export interface Shebang {
  /** The script as it was named. */
  readonly script: string;
  /** Words of its lines `#! nix-shell …`. */
  readonly words: readonly string[];
  /** What the script itself is given. */
  readonly scriptArguments: readonly string[];
}

/** What a command line means whose first word is such a script; undefined if it is none. */
export function readShebang(argv: readonly string[]): Shebang | undefined {
  const [script, ...scriptArguments] = argv;
  if (script === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(script, "utf8");
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
  if (!text.startsWith("#!")) return undefined;
  const words = text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const given = /^#!\s*nix-shell\s+(.*?)\s*$/.exec(line)?.[1];
      return given === undefined ? [] : shellWords(given);
    });
  return { script, words, scriptArguments };
}

/** Words as a shell splits them, but for variables and patterns. @throws D2nError `usage` for a quote without end */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote: "'" | '"' | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (quote === undefined && /\s/.test(character)) {
      words.push(word);
      word = "";
      while (/\s/.test(text[at + 1] ?? "")) at++;
      if (at + 1 >= text.length) return words;
    } else if (character === quote) quote = undefined;
    else if (quote === undefined && (character === "'" || character === '"')) quote = character;
    else if (character === "\\" && quote !== "'") word += text[++at] ?? "";
    else word += character;
  }
  if (quote !== undefined) throw new D2nError("usage", "unterminated quote in shebang line");
  words.push(word);
  return words;
}

/** Shell code that goes on as the script's interpreter. */
export function interpreterCommand(interpreter: string, { script, scriptArguments }: Shebang): string {
  // Perl reads the first line of a script, too, and would start nix-shell again, unless it goes by another name.
  const name = interpreter.includes("perl") ? "-a PERL" : "";
  const load = interpreter.includes("ruby") ? " -e 'load(ARGV.shift)' --" : "";
  return `exec ${name} ${interpreter}${load} ${[script, ...scriptArguments].map(quoteAlways).join(" ")}`;
}

export function quoteAlways(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
