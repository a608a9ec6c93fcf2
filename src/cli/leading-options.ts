/** `d2n --store DIR build .`: options in front of the command, as Nix allows them. */

/** Options of all commands that take values, with how many. */
export const optionValues: ReadonlyMap<string, number> = new Map([
  ["--override-input", 2],
  ["--max-call-depth", 1],
  ["-j", 1],
  ["--max-jobs", 1],
  ["--cores", 1],
  ["--timeout", 1],
  ["--max-silent-time", 1],
  ["--store", 1],
  ["--log-format", 1],
]);

/** Commands that have commands of their own. */
const GROUPS = new Set(["store", "flake"]);

/** The same arguments with the command first. */
export function commandFirst(argv: readonly string[]): readonly string[] {
  let at = 0;
  while (at < argv.length && argv[at]!.startsWith("-")) {
    if (["--", "-h", "--help", "--version"].includes(argv[at]!)) return argv;
    at += 1 + (optionValues.get(argv[at]!) ?? 0);
  }
  if (at === 0 || at >= argv.length) return argv;
  const words = GROUPS.has(argv[at]!) && argv[at + 1]?.startsWith("-") === false ? 2 : 1;
  return [...argv.slice(at, at + words), ...argv.slice(0, at), ...argv.slice(at + words)];
}
