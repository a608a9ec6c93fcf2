/** The form of `nix-instantiate --eval`, older than the one of `nix eval` and not to be parsed again. */
import { asEvalError, StackOverflowError } from "../errors.ts";
import { formatGeneral, isWrittenInNix } from "../operations/index.ts";
import { Attrs } from "../values/attrs.ts";
import { blackhole, force, type Lazy, Thunk } from "../values/thunk.ts";
import { ContextString, Lambda, NixFloat, type NixList, NixPath, PrimOp } from "../values/value.ts";
import { attributeName, marked, stringLiteral } from "./literals.ts";
import { TextBuilder } from "./text-builder.ts";

/** Prints what has been evaluated of a value; the rest as `<CODE>`. The caller forces what should be seen. */
export function printClassic(value: Lazy, { maxDepth = 10_000 }: { readonly maxDepth?: number } = {}): string {
  const out = new TextBuilder();
  const seen = new Set<object>();
  const isRepeated = (container: object): boolean => {
    if (seen.has(container)) {
      out.push(marked("repeated"));
      return true;
    }
    seen.add(container);
    return false;
  };
  const print = (lazy: Lazy, depth: number): void => {
    if (depth > maxDepth) throw new StackOverflowError();
    if (lazy instanceof Thunk && lazy.code !== null) {
      out.push(lazy.code === blackhole ? marked("potential infinite recursion") : "<CODE>");
      return;
    }
    const it = force(lazy);
    if (typeof it === "string") out.push(stringLiteral(it));
    else if (it instanceof ContextString) out.push(stringLiteral(it.text));
    else if (it instanceof NixPath) out.push(it.path);
    else if (it instanceof NixFloat) out.push(formatGeneral(it.value));
    else if (it instanceof Lambda) out.push("<LAMBDA>");
    else if (isWrittenInNix(it)) out.push("<LAMBDA>");
    else if (it instanceof PrimOp) out.push(it.args.length === 0 ? "<PRIMOP>" : "<PRIMOP-APP>");
    else if (it instanceof Attrs) {
      if (it.size > 0 && isRepeated(it)) return;
      out.push("{ ");
      for (const [name, part] of it.entries()) {
        out.push(`${attributeName(name)} = `);
        print(part, depth + 1);
        out.push("; ");
      }
      out.push("}");
    } else if (Array.isArray(it)) {
      // Unlike sets, lists are told apart by what holds them, as in Nix.
      if (it.length > 0 && isRepeated(lazy instanceof Thunk ? lazy : it)) return;
      out.push("[ ");
      for (const part of it as NixList) {
        print(part, depth + 1);
        out.push(" ");
      }
      out.push("]");
    } else out.push(String(it as number | bigint | boolean | null));
  };
  try {
    print(value, 0);
  } catch (error) {
    throw asEvalError(error);
  }
  return out.text();
}
