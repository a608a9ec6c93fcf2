/**
 * JSON text with each member on a line of its own, two spaces a level, as Nix's `--pretty` prints it. Works on the text, so that
 * numbers stay as they are written.
 * @param json without white space between its tokens
 */
export function prettyJson(json: string): string {
  let text = "";
  let depth = 0;
  const line = (): string => `\n${"  ".repeat(depth)}`;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|\{\}|\[\]|[{}[\],:]|[^"{}[\],:]+/gs)) {
    if (token === "{" || token === "[") {
      depth++;
      text += token + line();
    } else if (token === "}" || token === "]") {
      depth--;
      text += line() + token;
    } else if (token === ",") text += token + line();
    else text += token === ":" ? ": " : token;
  }
  return text;
}
