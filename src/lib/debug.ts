/** `lib.debug`: looking at values on the way, and small tests. */
import {
  Attrs,
  equal,
  type Evaluator,
  force,
  forceAttrs,
  forceInt,
  forceList,
  forceText,
  type Lazy,
  ThrownError,
} from "../lang/index.ts";
import { showPretty } from "./pretty.ts";
import {
  attribute,
  builtinsNamed,
  call,
  fn,
  fnWithFormals,
  functions,
  lazyMap,
  type Namespace,
  textList,
  getOr,
} from "./support.ts";

/** A value in which everything deeper than `depth` shows as `…`. */
function snipped(lazyValue: Lazy, depth: number): Lazy {
  const value = force(lazyValue);
  const isList = Array.isArray(value);
  if (!isList && !(value instanceof Attrs)) return value;
  if (depth > 0) return lazyMap(value as Attrs | readonly Lazy[], (inner) => snipped(inner, depth - 1));
  return Attrs.from([
    ["__pretty", fn("__pretty", 1, () => (isList ? "[\u00e2\u0080\u00a6]" : "{\u00e2\u0080\u00a6}"))],
    ["val", value],
  ]);
}

export function debugNamespace(ev: Evaluator): Namespace {
  const builtin = (name: string): Lazy => ev.builtins.get(name)!;
  const trace = (shown: Lazy, value: Lazy): Lazy => call(builtin("trace"), shown, value);
  const deep = (value: Lazy): Lazy => call(builtin("deepSeq"), value, value);
  const traceSeqN = (depth: Lazy, shown: Lazy, value: Lazy): Lazy =>
    trace(showPretty(snipped(shown, Number(forceInt(depth))), { allowPrettyValues: true }), value);
  const failures = (tests: Attrs): Lazy[] => {
    const chosen = tests.has("tests") ? textList(attribute(tests, "tests")) : [];
    return [...tests.entries()].flatMap(([name, lazyTest]) => {
      const wanted = chosen.length > 0 ? chosen.includes(name) : name.startsWith("test");
      if (!wanted) return [];
      const test = forceAttrs(lazyTest);
      const expected = attribute(test, "expected");
      const result = attribute(test, "expr");
      if (equal(result, expected)) return [];
      return [
        Attrs.from([
          ["name", name],
          ["expected", expected],
          ["result", result],
        ]),
      ];
    });
  };
  return {
    ...builtinsNamed(ev.builtins, ["addErrorContext", "trace", "unsafeGetAttrPos"]),
    ...functions({
      traceIf: (condition, message, value) => (force(condition) === true ? trace(message, value) : value),
      traceValFn: (f, value) => trace(call(f, value), value),
      traceVal: (value) => trace(value, value),
      traceSeq: (shown, value) => trace(deep(shown), value),
      traceSeqN,
      traceValSeqFn: (f, value) => trace(call(f, deep(value)), value),
      traceValSeq: (value) => trace(deep(value), value),
      traceValSeqNFn: (f, depth, value) => traceSeqN(depth, call(f, value), value),
      traceValSeqN: (depth, value) => traceSeqN(depth, value, value),
      traceFnSeqN: (depth, name, f, value) => {
        const result = call(f, value);
        const shown = Attrs.from([
          ["fn", name],
          ["from", value],
          ["to", result],
        ]);
        return traceSeqN(Number(forceInt(depth)) + 1, shown, result);
      },
      runTests: (tests) => failures(forceAttrs(tests)),
      testAllTrue: (expr) =>
        Attrs.from([
          ["expr", expr],
          ["expected", forceList(expr).map(() => true)],
        ]),
    }),
    throwTestFailures: fnWithFormals(
      "throwTestFailures",
      { failures: false, description: true },
      (args) => {
        const list = forceList(attribute(args, "failures"));
        if (list.length === 0) return null;
        const names = list.map((failure) => forceText(attribute(forceAttrs(failure), "name")));
        for (const failure of list) ev.host.message("trace", showPretty(failure, { allowPrettyValues: true }));
        throw new ThrownError(
          `${list.length} ${forceText(getOr(args, "description", "tests"))} failed:\n- ${names.join("\n- ")}`,
        );
      },
      true,
    ),
  };
}
