/** Literals that Nix can warn of or refuse: the settings `lint-url-literals`, `lint-short-path-literals`, `lint-absolute-path-literals`. */
import type { Host } from "./host.ts";
import { type LintedLiteral, ParseError } from "./syntax/index.ts";

export type LintLevel = "ignore" | "warn" | "fatal";

export interface Lints {
  readonly url?: LintLevel | undefined;
  /** `a/b` in place of `./a/b`. */
  readonly shortPath?: LintLevel | undefined;
  /** `/a` and `~/a`. */
  readonly absolutePath?: LintLevel | undefined;
}

/** What the parser tells of such literals; undefined where no lint is on. */
export function createLint(lints: Lints, host: Host): ((literal: LintedLiteral) => void) | undefined {
  const levels = [lints.url, lints.shortPath, lints.absolutePath];
  if (levels.every((level) => level === undefined || level === "ignore")) return undefined;
  return ({ kind, text, source, offset }) => {
    const found = objection(lints, kind, text);
    if (found === undefined || found.level === undefined || found.level === "ignore") return;
    const message = `${found.message} (${found.setting})`;
    if (found.level === "fatal") throw new ParseError(message, source, offset);
    const { file, line, column } = source.location(offset);
    host.message("warning", `${message}\n         at ${file}:${line}:${column}`);
  };
}

function objection(
  lints: Lints,
  kind: LintedLiteral["kind"],
  text: string,
): { level: LintLevel | undefined; message: string; setting: string } | undefined {
  const absolute = (what: string): ReturnType<typeof objection> => ({
    level: lints.absolutePath,
    message: `${what} path literals are not portable. Consider replacing path literal '${text}' by a string, relative path, or parameter`,
    setting: "lint-absolute-path-literals",
  });
  switch (kind) {
    case "url":
      return {
        level: lints.url,
        message: `URL literals are ${lints.url === "fatal" ? "disallowed" : "discouraged"}. Consider using a string literal "${text}" instead`,
        setting: "lint-url-literals",
      };
    case "home-path":
      return absolute("home");
    case "path":
      if (text.startsWith("/")) return absolute("absolute");
      if (text.startsWith(".")) return undefined;
      return {
        level: lints.shortPath,
        message: `relative path literal '${text}' should be prefixed with '.' for clarity: './${text}'`,
        setting: "lint-short-path-literals",
      };
  }
}
