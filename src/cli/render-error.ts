/** Errors as text, for people. */
import colors from "picocolors";
import { D2nError, messageOf, type SourceLocation } from "../base/index.ts";

export interface ErrorStyle {
  readonly color: boolean;
  readonly showTrace: boolean;
  /** With JavaScript's stack. */
  readonly debug: boolean;
}

/** Codes that say no more than the message: those of the user's own code, and of the command line. */
const UNREMARKABLE = new Set(["evaluation", "syntax", "usage", "interrupted"]);

/** Longest part of a source line that is shown. */
const WIDTH = 160;

export function renderError(error: unknown, style: ErrorStyle): string {
  const paint = colors.createColors(style.color);
  const lines: string[] = [];
  if (error instanceof D2nError) {
    const [first = "", ...more] = error.message.split("\n");
    const code = UNREMARKABLE.has(error.code) ? "" : ` ${paint.dim(`[${error.code}]`)}`;
    lines.push(`${paint.red(paint.bold("error:"))} ${first}${code}`, ...more.map((line) => `       ${line}`));
    lines.push(...place(error.location, paint));
    if (style.showTrace)
      for (const frame of error.trace) lines.push("", `       … ${frame.message}`, ...place(frame.location, paint));
    if (error.details !== undefined && error.details !== "")
      lines.push("", ...error.details.split("\n").map((line) => `       ${line}`.trimEnd()));
    if (error.hint !== undefined) {
      const [head = "", ...tail] = error.hint.split("\n");
      lines.push("", `${paint.cyan("hint:")} ${head}`, ...tail.map((line) => `      ${line}`));
    }
    if (!style.showTrace && error.trace.length > 1)
      lines.push("", paint.dim("(--show-trace shows how evaluation got there)"));
  } else {
    lines.push(
      `${paint.red(paint.bold("error:"))} ${messageOf(error)}`,
      "",
      "This is a bug of d2n: nothing you wrote should lead to it. `--debug` shows where it happened.",
    );
  }
  if (style.debug && error instanceof Error && error.stack !== undefined) {
    lines.push("", paint.dim(error.stack));
    if (error.cause instanceof Error && error.cause.stack !== undefined)
      lines.push(paint.dim(`caused by: ${error.cause.stack}`));
  }
  return `${lines.join("\n")}\n`;
}

function place(location: SourceLocation | undefined, paint: ReturnType<typeof colors.createColors>): string[] {
  if (location === undefined) return [];
  const { file, line, column, text } = location;
  const lines = [`       at ${paint.bold(`${file}:${line}${column === undefined ? "" : `:${column}`}`)}`];
  if (text !== undefined) {
    const gutter = String(line).padStart(6);
    const start = column !== undefined && column > WIDTH - 20 ? column - 60 : 0;
    const shown = text.slice(start, start + WIDTH).replaceAll("\t", " ");
    lines.push(`       ${gutter} ${paint.dim("|")} ${shown}`);
    if (column !== undefined)
      lines.push(
        `       ${" ".repeat(6)} ${paint.dim("|")} ${" ".repeat(Math.max(0, column - 1 - start))}${paint.red("^")}`,
      );
  }
  return lines;
}
