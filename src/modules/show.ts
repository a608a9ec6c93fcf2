/** How values, option paths and definitions look in messages. */
import type { SourceLocation } from "../base/index.ts";
import type { Evaluator, Lazy, Position } from "../lang/index.ts";
import { fromUtf8 } from "../lang/index.ts";
import { escapeNixIdentifier, showPretty } from "../lib/index.ts";
import type { Definition, OptionPath } from "./types.ts";

export { typeName } from "../lang/index.ts";

/** What messages say of a module that nobody named. */
export const UNKNOWN_FILE = "<unknown-file>";

/** An option path as it is written: `pip.overrides."my.package"`; placeholders like `<name>` and `*` as they are. */
export function showOption(path: OptionPath): string {
  return path.map((part) => (part === "*" || /^<.*>$/s.test(part) ? part : escapeNixIdentifier(part))).join(".");
}

export function showFiles(files: readonly string[]): string {
  return files.map((file) => `\`${file}'`).join(" and ");
}

const VALUE_LINES = 5;

/** A value for a message: at most five lines, three levels deep; what fails or lies deeper shows as "…". */
function showValue(value: Lazy): string {
  const lines = showPretty(value, { depthLimit: 3, unevaluated: "…" }).split("\n");
  if (lines.length <= VALUE_LINES) return lines.join("\n");
  return [...lines.slice(0, VALUE_LINES), "..."].join("\n");
}

/** The place of a definition as users know it: `file:line:column` where it is known, else the file. */
export function showPlace(definition: Definition): string {
  const position = positionOf(definition);
  if (position === undefined) return definition.file;
  const place = `${position.file}:${position.line}:${position.column}`;
  return definition.file === position.file || definition.file === UNKNOWN_FILE
    ? place
    : `${place} (${definition.file})`;
}

function positionOf(definition: Definition): Position | undefined {
  return typeof definition.position === "function" ? definition.position() : definition.position;
}

/** One line (or more, for long values) a definition: "- In `default.nix:3:5': "x"". */
export function showDefinitions(definitions: readonly Definition[]): string {
  return definitions
    .map((definition) => {
      const value = showValue(definition.value);
      const separator = value.includes("\n") ? `:\n    ${value.replaceAll("\n", "\n    ")}` : `: ${value}`;
      return `- In \`${fromUtf8(showPlace(definition))}'${fromUtf8(separator)}`;
    })
    .join("\n");
}

/** A position with the text of its line, if the file can be read. */
export function locate(ev: Evaluator, position: Position | undefined): SourceLocation | undefined {
  if (position === undefined) return undefined;
  const { file, line, column } = position;
  let text: string | undefined;
  try {
    text = Buffer.from(ev.host.readFile(file)).toString("utf8").split("\n")[line - 1];
  } catch {
    // The line is only a help; files of an expression given on the command line, or meanwhile gone, have none.
  }
  return { file: fromUtf8(file), line, column, text };
}

/** Where the first definition with a known place stands. */
export function locateFirst(ev: Evaluator, definitions: readonly Definition[]): SourceLocation | undefined {
  for (const definition of definitions) {
    const position = positionOf(definition);
    if (position !== undefined) return locate(ev, position);
  }
  return undefined;
}
