/** Python packages as values: which interpreter they are for, and what they import. */
import { Attrs, type Evaluator, force, type Lazy, lazy, updateAttrs } from "../../lang/index.ts";
import { attribute, given, listAttribute, set } from "../values.ts";

/** Whether a package is made for an interpreter. */
export function hasPythonModule(ev: Evaluator, python: Lazy, value: Lazy): boolean {
  const drv = force(value);
  if (!(drv instanceof Attrs)) return false;
  const module = drv.get("pythonModule");
  if (module === undefined) return false;
  const other = force(module);
  const own = force(python);
  if (other === own) return true;
  return other instanceof Attrs && own instanceof Attrs && samePath(ev, other, own);
}

function samePath(ev: Evaluator, a: Attrs, b: Attrs): boolean {
  const left = a.get("outPath");
  const right = b.get("outPath");
  return left !== undefined && right !== undefined && ev.equal(left, right);
}

/**
 * Packages as others need them: of one that depends on itself by way of others (`pythonCycle`: it and these, each built without the
 * rest) all of those, so that two of a cycle do not bring a third one twice.
 */
export function withCycles(packages: readonly Lazy[]): Lazy[] {
  return packages.flatMap((value) => {
    const drv = force(value);
    const parts = drv instanceof Attrs ? given(drv, "pythonCycle") : undefined;
    return parts === undefined ? [value] : (parts as readonly Lazy[]);
  });
}

/** The Python packages among these and all that they need, each once, the interpreter first. */
export function requiredPythonModules(ev: Evaluator, python: Lazy, packages: readonly Lazy[]): Lazy[] {
  const found: Lazy[] = [python];
  const seen = new Set<string>();
  const add = (value: Lazy): void => {
    const drv = force(value);
    if (drv === force(python) || !(drv instanceof Attrs)) return;
    const path = drv.get("outPath");
    if (path === undefined) return;
    const text = ev.coerceToString(path);
    const key = typeof text === "string" ? text : text.text;
    if (seen.has(key)) return;
    seen.add(key);
    found.push(drv);
  };
  const modules = withCycles(packages).filter((value) => hasPythonModule(ev, python, value));
  for (const module of modules) add(module);
  for (const module of modules) {
    const drv = force(module) as Attrs;
    for (const needed of listAttribute(drv, "requiredPythonModules"))
      if (hasPythonModule(ev, python, needed)) add(needed);
  }
  return found;
}

/** What makes a package a Python module; to be laid over its attributes. */
export function pythonModuleAttributes(ev: Evaluator, python: Lazy, propagated: Lazy): Attrs {
  return set({
    pythonModule: python,
    pythonPath: [],
    requiredPythonModules: lazy(() => {
      const list = force(propagated);
      return requiredPythonModules(ev, python, flat(Array.isArray(list) ? (list as readonly Lazy[]) : []));
    }),
  });
}

function flat(values: readonly Lazy[]): Lazy[] {
  return values.flatMap((value) => {
    const forced = force(value);
    return Array.isArray(forced) ? flat(forced as readonly Lazy[]) : forced === null ? [] : [forced];
  });
}

/** `toPythonModule`: an ordinary package that holds modules for the interpreter. */
export function toPythonModule(ev: Evaluator, python: Lazy, drv: Attrs): Attrs {
  return updateAttrs(
    drv,
    pythonModuleAttributes(
      ev,
      python,
      lazy(() => attribute(drv, "propagatedBuildInputs") ?? []),
    ),
  );
}
