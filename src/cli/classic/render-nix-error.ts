/** Errors as Nix 2.34 lays them out (libutil/error.cc), so that scripts and tests that read its messages can read ours. */
import { D2nError, messageOf, type SourceLocation, type TraceFrame } from "../../base/index.ts";
import { plainText } from "./plain-text.ts";

export interface NixErrorStyle {
  readonly showTrace: boolean;
  readonly color: boolean;
}

const UNCLOSED = /; the [^\n]+ opened at [^\n]+:\d+:\d+ is never closed$/;

/** The text for standard error, with a line end. */
export function renderNixError(error: unknown, { showTrace, color }: NixErrorStyle): string {
  const prefix = "error:";
  const lines: string[] = [];
  if (error instanceof D2nError) {
    const trace = renderTrace([...error.trace].reverse(), showTrace);
    if (trace !== undefined) lines.push(...trace, "");
    // Nix does not say which bracket lacks its partner.
    const said = error.code === "syntax" ? error.message.replace(UNCLOSED, "") : error.message;
    const message = `${trace === undefined ? "" : `${prefix} `}${said}`;
    lines.push(...message.split("\n"));
    if (error.details !== undefined && error.code !== "syntax") lines.push(...error.details.split("\n"));
    lines.push(...place(error.location, ""));
    const meant = suggest(error.suggestions);
    if (meant !== undefined) lines.push(`Did you mean ${meant}?`);
    if (error.code !== "evaluation" && error.code !== "syntax" && error.hint !== undefined)
      lines.push(`hint: ${error.hint}`);
  } else lines.push(messageOf(error), "This is a bug of d2n: nothing you wrote should lead to it.");
  // Nix drops empty lines at the end, but for those of a quotation, which in its eyes end with the end of a colour.
  const open = error instanceof D2nError && /^while parsing TOML: [^]*\n$/.test(error.message);
  while (lines.length > 1 && lines.at(-1)!.trimEnd() === "") lines.pop();
  const indent = " ".repeat(prefix.length + 1);
  const text = lines.map((line, i) => (i === 0 ? `${prefix} ${line}` : indent + line).trimEnd()).join("\n");
  const plain = plainText(open ? `${text}\n${indent}` : text);
  return `${color ? plain.replace(/^( *)error:/gm, "$1\u001b[31;1merror:\u001b[0m") : plain}\n`;
}

/** The steps, outermost first; undefined if there are none. */
function renderTrace(trace: readonly TraceFrame[], showTrace: boolean): string[] | undefined {
  if (trace.length === 0) return undefined;
  const lines: string[] = [""];
  const seen = new Set<string>();
  let repeated: TraceFrame[] = [];
  let count = 0;
  let truncated = false;
  const print = (frame: TraceFrame): void => {
    const [first = "", ...rest] = frame.message.split("\n");
    lines.push(...(lines.length > 1 ? [""] : []), `… ${first}`, ...rest);
    const at = place(frame.location, "  ");
    lines.push(...at);
    if (at.length > 0) count++;
  };
  const flush = (): void => {
    if (repeated.length > 5) lines.push("", `(${repeated.length} duplicate frames omitted)`);
    else for (const frame of repeated) print(frame);
    repeated = [];
  };
  for (const frame of trace) {
    if (frame.message === "") continue;
    if (!showTrace && frame.verbose === true) continue;
    if (!showTrace && count > 3) truncated = true;
    if (truncated && frame.always !== true) continue;
    const identity = identify(frame);
    if (seen.has(identity)) {
      repeated.push(frame);
      continue;
    }
    seen.add(identity);
    flush();
    count++;
    print(frame);
  }
  flush();
  if (truncated) lines.push("", "(stack trace truncated; use '--show-trace' to show the full, detailed trace)");
  return lines;
}

function identify({ message, location }: TraceFrame): string {
  return location === undefined ? message : `${location.file}:${location.line}:${location.column} ${message}`;
}

/** Where it is, with the line before and the line after. */
function place(location: SourceLocation | undefined, indent: string): string[] {
  if (location === undefined) return [];
  const { file, line, column, text, previous, next } = location;
  const lines = [`${indent}at ${file}:${line}${column === undefined ? "" : `:${column}`}:`];
  if (text === undefined) return lines;
  const code = (number: number, source: string): string => `${String(number).padStart(6)}| ${source}`;
  if (previous !== undefined) lines.push(code(line - 1, previous));
  lines.push(code(line, text));
  if (column !== undefined) lines.push(`      |${" ".repeat(column)}^`);
  if (next !== undefined) lines.push(code(line + 1, next));
  return lines;
}

function suggest(names: readonly string[]): string | undefined {
  const last = names.at(-1);
  if (last === undefined) return undefined;
  return names.length === 1 ? last : `one of ${names.slice(0, -1).join(", ")} or ${last}`;
}
