import { describe, expect, it } from "vitest";
import { createEvaluator, EvalError, StackOverflowError } from "../index.ts";
import { printValue } from "../print/index.ts";
import { MemoryHost } from "../testing.ts";
import type { Lazy } from "../values/thunk.ts";

/** What a text gives or fails with, all steps of the trace included, after its `f` has been called with `good` so often. */
function outcome(text: string, calls: number): unknown {
  const scope = new Map<string, Lazy>([["calls", calls]]);
  try {
    const ev = createEvaluator({ host: new MemoryHost(), maxCallDepth: 3000 });
    const value = ev.evaluate(text, { basePath: "/base", name: "/base/t.nix", scope });
    return printValue(value, { force: true, errors: "throw" });
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    const { message, location, trace } = error;
    return { message, location, trace: trace.map((step) => ({ message: step.message, location: step.location })) };
  }
}

/** A function, an argument that does it no harm, and one to look at. Functions of two and three arguments get more. */
const functions: readonly (readonly [fn: string, good: string, ...other: string[]])[] = [
  [
    'x: x.l + (if x ? bad then throw "right" else x.l)',
    "{ l = 1; }",
    "{ l = null; bad = 1; }",
    "{ l = { }; bad = 1; }",
    "{ l = 1; bad = 1; }",
  ],
  ["x: x + 1", "1", "2", '"a"', "9007199254740991", "9223372036854775807", "[ ]", '(throw "t")', "./a"],
  ['x: x + "s"', '"a"', '"b"', "1", "./a", "{ outPath = ./a; }", "null"],
  ["x: x - 1", "1", "-9223372036854775807", "true", '(throw "t")', "1.5"],
  ["x: [ (x * 2) (x / 2) (-x) ]", "4", "0", "1.5", '"a"', "9223372036854775807"],
  ["x: 1 / x", "1", "0", '"a"'],
  ["x: [ (x < 2) (x <= 2) (x > 2) (x >= 2) ]", "1", "2", "2.5", '"a"', "[ ]", '(throw "t")'],
  ["x: [ (x == 1) (x != 1) (x == null) ]", "1", "null", "1.0", '"a"', '(throw "t")', "(x: x)"],
  ["x: if x then 1 else 2", "true", "false", "1", "null", '(throw "t")'],
  [
    "x: if x.a or false then 1 else 2",
    "{ a = true; }",
    "{ a = false; }",
    "{ }",
    "1",
    '{ a = throw "t"; }',
    "{ a = 1; }",
  ],
  ["x: [ (x && true) (x || x) (x -> false) (!x) ]", "true", "false", "1", '(throw "t")'],
  ["x: assert x.ok; x.value", "{ ok = true; value = 1; }", "{ ok = false; value = 1; }", "{ ok = 1; }", "{ }"],
  ["x: assert x == { a = 1; }; x", "{ a = 1; }", "{ a = 2; }", "{ b = 1; }"],
  ["x: x.a", "{ a = 1; }", "{ b = 1; a = 2; }", "{ b = 1; }", "1", '{ a = throw "t"; }', "(rec { a = a; })"],
  ["x: x.a.b", "{ a.b = 1; }", "{ a = 1; }", "{ a.c = 1; }", '{ a = throw "t"; }', '{ a.b = throw "t"; }'],
  ['x: x.a.b or "no"', "{ a.b = 1; }", "{ a = 1; }", "{ }", "1", '{ a = throw "t"; }'],
  ['x: x.${x.name} or (throw "none")', '{ name = "a"; a = 1; }', '{ name = "b"; }', "{ name = 1; }", "{ }"],
  ['x: [ (x ? a) (x ? a.b) (x ? ${x.n or "n"}) ]', "{ a.b = 1; }", '{ n = "a"; a = 1; }', "1", '{ a = throw "t"; }'],
  ["x: { inherit x; inherit (x) a b; c = x.a; }", "{ a = 1; b = 2; }", "{ a = 1; }", "1", "{ b = 1; a = { }; }"],
  ['x: rec { a = x; b = a + 1; ${x.name or "n"} = 3; }', "1", '{ name = "z"; }', '{ name = "a"; }'],
  ["x: let y = x + 1; z = y * 2; in [ x y z ]", "1", '"a"', "null"],
  ["x: let inherit (x) a b; c = a; d = e; e = b; in [ a b c d e ]", "{ a = 1; b = 2; }", "{ a = 1; }"],
  ["x: let a = b; b = x; c = 1; d = 2; e = a; in [ a b c d e ]", "1", "null", '(throw "t")'],
  ["x: let x1 = null; y = x1; in [ y x1 x ]", "1", "null"],
  ["x: with x; [ a (let c = b; in c) ]", "{ a = 1; b = 2; }", "{ a = 1; }", "1"],
  ["x: with { a = 1; }; with x; a", "{ a = 2; }", "{ }", "1"],
  ["x: x // { a = 1; } // x", "{ b = 1; }", "{ a = 3; }", "1", '(throw "t")'],
  ["x: { a = 1; } // x.a", "{ a = { }; }", "{ a = 1; }", '{ a = throw "t"; }'],
  ["x: x ++ [ 1 ] ++ x", "[ 2 ]", "[ ]", "1", '(throw "t")'],
  ['x: "a${x}b${"c"}${x}"', '"s"', "./a", "1", '{ outPath = "o"; }', "[ ]", '(throw "t")'],
  ["x: ./a + x", '"s"', '"/.."', "1"],
  ["x: builtins.head (builtins.tail x)", "[ 1 2 ]", "[ 1 ]", "1", '[ 1 (throw "t") ]'],
  ["x: builtins.map (y: y + x) [ 1 2 ]", "1", '"a"'],
  ["x: x 1", "(y: y + 1)", "1", "{ __functor = self: y: y; }", '(y: throw "t")', "({ a }: a)", "builtins.head"],
  ["x: x 1 2", "(y: z: y + z)", "(y: y)", "builtins.add", '(y: z: throw "t")', "builtins.substring"],
  ["x: x 1 2 3", "(a: b: c: [ a b c ])", "(a: b: a + b)", "builtins.substring", "(a: b: c: c.d)", "(a: { b }: c: a)"],
  ["x: x 1 2 3 4", "(a: b: c: d: [ a b c d ])", "(a: b: a + b)"],
  ["{ a, b ? a, ... } @ args: [ a b (args.c or 0) ]", "{ a = 1; }", "{ b = 2; }", "{ a = 1; c = 3; }", "1"],
  ["{ a ? 1 }: a + 1", "{ }", "{ a = 3; }", "{ b = 1; }", '{ a = throw "t"; }'],
  ["x: let g = n: if n == 0 then x else g (n - 1); in g 3", "1", "null"],
  ["x: if x == 0 then 0 else 1 + f (x - 1)", "1", "100", "2000000", '"a"'],
  ["x: let y = y2; y2 = y; in if x == 1 then x else y", "1", "2"],
  ['x: builtins.tryEval (if x == 1 then x else throw "t")', "1", "2", "null"],
  ['x: builtins.addErrorContext "step" (x + 1)', "1", '"a"'],
  ["x: __curPos.line + x", "1", '"a"'],
];

describe("generated code", () => {
  it.each(functions)("does what closures do: %s", (fn, good, ...others) => {
    for (const other of [good, ...others]) {
      const warm = `builtins.foldl' (a: i: builtins.deepSeq (f (${good})) a) 0 (builtins.genList (i: i) calls)`;
      const text = `let f = ${fn}; in builtins.seq (${warm}) (f (${other}))`;
      const expected = outcome(text, 0);
      expect(outcome(text, 300), `${fn} of ${other}`).toEqual(expected);
      if (other === good) expect(expected).toBeTypeOf("string");
    }
  });

  it.each([
    ["a: b: a + b", "1 2", '1 "x"', '(throw "t") 2'],
    ["a: b: a.b b", "{ b = x: x; } 1", "{ } 1", '{ b = x: throw "t"; } 1'],
    ["a: b: c: if a then b else c.d", "true 1 { }", "false 1 { }", "false 1 { d = 2; }", "1 2 3"],
    ["a: b: c: [ a (x: b + c) ]", "1 2 3", "null null null"],
  ])("takes several arguments: %s", (fn, good, ...others) => {
    for (const other of [good, ...others]) {
      const warm = `builtins.foldl' (a: i: builtins.deepSeq (f ${good}) a) 0 (builtins.genList (i: i) calls)`;
      const text = `let f = ${fn}; in builtins.seq (${warm}) (f ${other})`;
      const expected = outcome(text, 0);
      expect(outcome(text, 300), `${fn} of ${other}`).toEqual(expected);
      if (other === good) expect(expected).toBeTypeOf("string");
    }
  });

  it("counts nested calls", () => {
    const ev = createEvaluator({ host: new MemoryHost(), maxCallDepth: 3000 });
    const text = "let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 2900 + (if f 2900 == 0 then 0 else f 3500)";
    expect(() => ev.evaluate(text, { basePath: "/base" })).toThrow(StackOverflowError);
    expect(ev.evaluate("let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 2900", { basePath: "/base" })).toBe(2900);
  });

  it("leaves the depth of calls as it was when an error is caught", () => {
    const text =
      'let f = n: if n == 0 then throw "t" else 1 + f (n - 1); in builtins.all (i: !(builtins.tryEval (f 2000)).success) (builtins.genList (i: i) 10)';
    const ev = createEvaluator({ host: new MemoryHost(), maxCallDepth: 3000 });
    expect(ev.evaluate(text, { basePath: "/base" })).toBe(true);
  });
});
