/** Reading files into values, with errors that know the line. */
import type { SourceLocation } from "../base/index.ts";
import { EvalError, type Evaluator, forceText, fromUtf8, type Lazy } from "../lang/index.ts";
import { call } from "./support.ts";

/** Where a parser stopped: from the error it threw, or from the words of its message. */
function place(error: EvalError): { line: number; column: number } | undefined {
  const cause = error.cause as { line?: unknown; column?: unknown } | undefined;
  if (typeof cause?.line === "number" && typeof cause.column === "number")
    return { line: cause.line, column: cause.column };
  const words = /at line (\d+), column (\d+)/.exec(error.message);
  return words === null ? undefined : { line: Number(words[1]), column: Number(words[2]) };
}

/**
 * `importTOML`, `importJSON`: a file through one of the builtin parsers.
 * @throws D2nError that names the file, and the line if the parser tells
 */
export function parseFile(ev: Evaluator, path: Lazy, parser: "fromJSON" | "fromTOML"): Lazy {
  const content = call(ev.builtins.get("readFile")!, path);
  try {
    return call(ev.builtins.get(parser)!, content);
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    const file = fromUtf8(forceText(ev.coerceToString(path, { copyToStore: false })));
    const at = place(error);
    const location: SourceLocation | undefined =
      at === undefined
        ? undefined
        : { file, line: at.line, column: at.column, text: fromUtf8(forceText(content)).split("\n")[at.line - 1] };
    // The parser's frame of the text is told by the location.
    const reason = error.message.split("\n")[0]!;
    throw new EvalError(`\`${file}' is not valid ${parser === "fromJSON" ? "JSON" : "TOML"}: ${reason}`, {
      location,
      trace: error.trace,
      cause: error,
    });
  }
}
