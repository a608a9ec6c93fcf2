/** Selection paths such as `python3Packages.numpy` or `list.0."a.b"` (libexpr/attr-path.cc). */
import { D2nError, nearestNames } from "../../base/index.ts";
import { Attrs, EvalError, type Evaluator, force, type Lazy, showType } from "../../lang/index.ts";
import { callWithArguments } from "./automatic-arguments.ts";

/** @throws D2nError for a quote that isn't closed */
export function parseAttributePath(path: string): string[] {
  const names: string[] = [];
  let name = "";
  for (let i = 0; i < path.length; i++) {
    const c = path[i]!;
    if (c === ".") {
      names.push(name);
      name = "";
    } else if (c === '"') {
      const end = path.indexOf('"', i + 1);
      if (end < 0) throw new D2nError("usage", `missing closing quote in selection path '${path}'`);
      name += path.slice(i + 1, end);
      i = end;
    } else name += c;
  }
  if (name !== "") names.push(name);
  return names;
}

/** What a path leads to; functions on the way are called with the automatic arguments. */
export function findAlongPath(ev: Evaluator, path: string, args: Attrs, root: Lazy): Lazy {
  let at = root;
  for (const name of parseAttributePath(path)) {
    const value = force(callWithArguments(ev, args, at));
    if (/^\d+$/.test(name)) {
      if (!Array.isArray(value))
        throw new EvalError(
          `the expression selected by the selection path '${path}' should be a list but is ${showType(value)}`,
        );
      const element = (value as readonly Lazy[])[Number(name)];
      if (element === undefined)
        throw new EvalError(`list index ${Number(name)} in selection path '${path}' is out of range`);
      at = element;
      continue;
    }
    if (!(value instanceof Attrs))
      throw new EvalError(
        `the expression selected by the selection path '${path}' should be a set but is ${showType(value)}`,
      );
    if (name === "") throw new EvalError(`empty attribute name in selection path '${path}'`);
    const attribute = value.get(name);
    if (attribute === undefined)
      throw new EvalError(`attribute '${name}' in selection path '${path}' not found`, {
        suggestions: nearestNames(name, value.names()),
      });
    at = attribute;
  }
  return at;
}
