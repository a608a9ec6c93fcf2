/**
 * Parts of big files that are parsed when somebody needs them.
 *
 * Of a file like nixpkgs' `all-packages.nix` an evaluation needs a hundredth. A file that has once been parsed and resolved as
 * a whole is known to be right; its outline, kept in a cache, says where values are that can be stepped over. Only such values
 * are in it as become thunks anyway, so that nothing is evaluated earlier or later than without it.
 */
import type { DeferredNode, Expression } from "./ast.ts";

/** The expression that a deferred node stands for, parsed and resolved. */
export function expand(node: DeferredNode): Expression {
  if (node.expanded !== undefined) return node.expanded;
  const { parse, visit } = node.text;
  const expression = parse(node.offset, node.end);
  visit?.(expression, node.scope);
  node.expanded = expression;
  return expression;
}
