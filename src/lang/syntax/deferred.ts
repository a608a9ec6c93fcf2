/**
 * Parts of a syntax tree that are read when somebody needs them.
 *
 * Of a file like nixpkgs' `all-packages.nix` an evaluation needs a hundredth. A tree that was written down (`tree-format.ts`)
 * is read in parts; only such parts stand alone as become thunks anyway, or are compiled when they first run, so that
 * nothing is evaluated earlier or later than with the whole tree.
 */
import type { DeferredNode, Expression } from "./ast.ts";

/** The expression that a deferred node stands for. */
export function expand(node: DeferredNode): Expression {
  return (node.expanded ??= node.tree.part(node));
}
