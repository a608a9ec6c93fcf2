/** What Nix itself makes no thunk for: of interest where it can be seen what has been evaluated. */
import type { Expression } from "../syntax/index.ts";

/** What is a value, or shares one, without being evaluated (libexpr/eval.cc, `maybeThunk`). */
export function isValueToNix(node: Expression): boolean {
  switch (node.kind) {
    case "integer":
    case "float":
    case "string":
    case "path":
    case "variable":
      return true;
    case "list":
      return node.elements.length === 0;
    default:
      return false;
  }
}
