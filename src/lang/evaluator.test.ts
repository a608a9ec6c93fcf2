import { beforeEach, describe, expect, it } from "vitest";
import {
  Attrs,
  createEvaluator,
  EvalError,
  force,
  InfiniteRecursionError,
  type Lazy,
  lazy,
  nativeFunction,
  StackOverflowError,
  symbol,
} from "./index.ts";
import { printValue } from "./print/index.ts";
import { MemoryHost } from "./testing.ts";

/** Both ways in which functions run: as closures, and as JavaScript source from the first call on. */
const tiers = [
  ["closures", Infinity],
  ["generated code", 1],
] as const;
let generateAfter: number = Infinity;

function evaluator(files: Record<string, string> = {}, pure = false) {
  return createEvaluator({ host: new MemoryHost({ files, pure, environment: { HOME: "/home/me" } }), generateAfter });
}

function shown(text: string, scope?: ReadonlyMap<string, Lazy>): string {
  return printValue(
    evaluator().evaluate(text, scope === undefined ? { basePath: "/base" } : { basePath: "/base", scope }),
    { force: true },
  );
}

/** Source code as the evaluator gets it. */
function bytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function failure(text: string): EvalError {
  try {
    printValue(evaluator().evaluate(text, { basePath: "/base", name: "/base/t.nix" }), {
      force: true,
      errors: "throw",
    });
  } catch (error) {
    if (error instanceof EvalError) return error;
    throw error;
  }
  throw new Error(`no error in ${text}`);
}

describe.each(tiers)("evaluation, as %s", (_, after) => {
  beforeEach(() => {
    generateAfter = after;
  });

  it.each([
    ["1 + 1", "2"],
    ["let f = n: if n < 2 then n else f (n - 1) + f (n - 2); in f 15", "610"],
    ["rec { a = 1; b = a + 1; }", "{ a = 1; b = 2; }"],
    ["let a = b; b = 1; in a", "1"],
    ["let a = 1; b = 2; c = 3; d = 4; e = 5; in [ a b c d e ]", "[ 1 2 3 4 5 ]"],
    ["(x: y: z: [ x y z ]) 1 2 3", "[ 1 2 3 ]"],
    ["let f = x: y: x - y; g = f 5; in g 3", "2"],
    // Formals
    ["({ a, b ? a + 1, ... }@args: [ a b args ]) { a = 1; c = 3; }", "[ 1 2 { a = 1; c = 3; } ]"],
    ["({ a ? b, b ? 2 }: a) { }", "2"],
    ["({ a, b, c, d, e ? a + d, f ? 6 }@x: [ e f x.b ]) { a = 1; b = 2; c = 3; d = 4; }", "[ 5 6 2 ]"],
    ["({ }: 1) { }", "1"],
    ['({ a ? throw "x" }: 1) { }', "1"],
    // with
    ["with { x = 1; }; with { y = x + 1; }; [ x y ]", "[ 1 2 ]"],
    ["with { x = 1; }; with { x = 2; }; x", "2"],
    ["let x = 3; in with { x = 1; }; x", "3"],
    ["with { map = 1; }; builtins.isFunction map", "true"],
    ['with throw "x"; 1', "1"],
    // inherit
    ["let x = 1; in { inherit x; inherit ({ y = 2; }) y; }", "{ x = 1; y = 2; }"],
    ["let inherit ({ a = 1; b = 2; }) a b; in a + b", "3"],
    ["let x = 1; in rec { inherit x; y = x; }", "{ x = 1; y = 1; }"],
    ["rec { inherit (s) a; s = { a = 4; }; }", "{ a = 4; s = { a = 4; }; }"],
    // Dynamic attributes
    ['{ ${null} = 1; ${"a" + "b"} = 2; }', "{ ab = 2; }"],
    ['let n = "k"; in { a.${n}.b = 1; "x${n}" = 2; }', "{ a = { k = { b = 1; }; }; xk = 2; }"],
    ['rec { a = 1; ${"b" + ""} = a; }', "{ a = 1; b = 1; }"],
    // __overrides, __functor, __toString
    [
      "rec { __overrides = { a = 2; c = 3; }; a = 1; b = a; }",
      "{ __overrides = { a = 2; c = 3; }; a = 2; b = 2; c = 3; }",
    ],
    ["let s = { __functor = self: x: x + self.n; n = 4; }; in s 3", "7"],
    ['"${{ __toString = self: "a${self.b}"; b = "c"; }}"', '"ac"'],
    // or and ?
    ["{ a.b = 1; }.a.c or 5", "5"],
    ["{ a = 1; }.a.b or 5", "5"],
    ['({ a = throw "x"; } ? a)', "true"],
    ["{ a.b = 1; } ? a.b && !({ a = 1; } ? a.b)", "true"],
    ["1 ? a", "false"],
    // Operators
    ["[ 1 ] ++ [ 2 ] ++ [ ]", "[ 1 2 ]"],
    ["{ a = 1; b = 2; } // { b = 3; c = 4; }", "{ a = 1; b = 3; c = 4; }"],
    ['false && throw "x" || true || throw "y"', "true"],
    ['false -> throw "x"', "true"],
    ["1 + 0.5", "1.5"],
    ['"a" + "b"', '"ab"'],
    ['./a + "/b"', "/base/a/b"],
    ['./a/${"b"}/../c', "/base/a/c"],
    ["~/x", "/home/me/x"],
    ["[ 1 [ 2 ] ] == [ 1 [ 2 ] ]", "true"],
    ["1 == 1.0", "true"],
    ["let f = x: x; in [ (f == f) ([ f ] == [ f ]) ]", "[ false true ]"],
    ["[ 1 2 ] < [ 1 3 ]", "true"],
    ["-3 - -4", "1"],
    ["let __sub = a: b: 7; in [ (3 - 2) (-1) ]", "[ 7 7 ]"],
    ["let __lessThan = a: b: a; in true <= false", "true"],
    ["7 / 2 * 2", "6"],
    // Laziness
    ['let x = throw "x"; in { a = 1; b = x; }.a', "1"],
    ['builtins.length [ (throw "x") ]', "1"],
    ["let xs = [ 1 ] ++ xs; in 1", "1"],
    ['(builtins.tryEval (throw "x")).success', "false"],
    ["let x = builtins.tryEval (assert false; 1); in x.success", "false"],
    // Integer-like names keep their order
    ['{ "10" = 1; "9" = 2; a = 3; }', '{ "10" = 1; "9" = 2; a = 3; }'],
    ["{ __proto__ = 1; constructor = 2; }", "{ __proto__ = 1; constructor = 2; }"],
    ["assert 1 == 1; 2", "2"],
  ])("%s", (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  it("takes additional variables", () => {
    const scope = new Map<string, Lazy>([
      ["x", 2],
      ["n", null],
      ["late", lazy(() => 3)],
    ]);
    expect(shown("[ x n late ]", scope)).toBe("[ 2 null 3 ]");
  });

  it("knows positions", () => {
    const ev = evaluator({
      "/p/a.nix": '{ a = 1;\n  b = __curPos;\n  c = builtins.unsafeGetAttrPos "a" { x = 1;\n a = 2; }; }',
    });
    expect(printValue(ev.importFile("/p/a.nix"), { force: true })).toBe(
      '{ a = 1; b = { column = 7; file = "/p/a.nix"; line = 2; }; c = { column = 2; file = "/p/a.nix"; line = 4; }; }',
    );
    const set = ev.importFile("/p/a.nix") as Attrs;
    expect(set.position("b")).toMatchObject({ file: "/p/a.nix", line: 2, column: 3 });
    expect(shown("__curPos")).toBe("null");
  });

  it("has no positions to tell of text that is in no file", () => {
    expect(shown('builtins.unsafeGetAttrPos "a" { a = 1; }')).toBe("null");
    expect(shown("builtins.functionArgs ({ a, b ? 1 }: a)")).toBe("{ a = false; b = true; }");
  });

  it("keeps the positions of merged sets", () => {
    const set = evaluator().evaluate("{ a = 1; b = 2; } //\n { b = 3; }", { basePath: "/", name: "/t.nix" }) as Attrs;
    expect([set.position("a")?.line, set.position("b")?.line]).toEqual([1, 2]);
  });
});

describe.each(tiers)("constant lists, as %s", (_, after) => {
  const evaluate = (source: string): string => {
    const ev = createEvaluator({ host: new MemoryHost(), generateAfter: after });
    return printValue(ev.evaluate(source, { basePath: "/" }), { force: true });
  };

  it("serve every call of a function", () => {
    const replaced = 'map (s: builtins.replaceStrings [ "a" "bc" ] [ "1" "2" ] s) [ "abc" "bca" "x" ]';
    expect(evaluate(replaced)).toBe('[ "12" "21" "x" ]');
    expect(evaluate('map (x: [ 1 "a" ] ++ x) [ [ ] [ 2 ] ]')).toBe('[ [ 1 "a" ] [ 1 "a" 2 ] ]');
    expect(evaluate("let f = x: [ 1 2 3 ]; in f 1 == f 2 && builtins.tail (f 1) == [ 2 3 ]")).toBe("true");
  });

  it("are told from those that are computed", () => {
    const computed = 'map (n: builtins.replaceStrings [ n "-" ] [ "x" "+" ] "a-b") [ "a" "b" "a" ]';
    expect(evaluate(computed)).toBe('[ "x+b" "a+x" "x+b" ]');
  });
});

describe.each(tiers)("functions whose results take nothing, as %s", (_, after) => {
  const evaluate = (source: string): string => {
    const ev = createEvaluator({ host: new MemoryHost(), generateAfter: after });
    return printValue(ev.evaluate(source, { basePath: "/" }), { force: true });
  };

  it.each([
    ["map (x: x) [ 1 2 ]", "[ 1 2 ]"],
    ["map (x: x.a) [ { a = 1; } { a = 1 + 1; } ]", "[ 1 2 ]"],
    ["map (x: x - 1) [ 1 (1 + 1) 3.5 ]", "[ 0 1 2.5 ]"],
    ['map (x: x + "b") [ "a" ]', '[ "ab" ]'],
    ["map (x: 9223372036854775807) [ 1 ]", "[ 9223372036854775807 ]"],
    ["(builtins.genList (i: i) 3)", "[ 0 1 2 ]"],
    ["let first = 1 + 1; in builtins.genList (n: first + n) 3", "[ 2 3 4 ]"],
    ["builtins.mapAttrs (n: v: v.x) { a = { x = 1; }; b.x = 2 * 2; }", "{ a = 1; b = 4; }"],
    ['builtins.mapAttrs (n: v: n) { a = throw "never"; }', '{ a = "a"; }'],
  ])("are right: %s", (source, value) => expect(evaluate(source)).toBe(value));

  it.each([
    ["(map (l: builtins.head l) [ [ 1 ] [ (1 + 1) 3 ] [ null ] ])", "[ 1 2 null ]"],
    ["let f = l: [ (builtins.head l) (head l) (length l) ]; inherit (builtins) head length; in f [ 7 8 ]", "[ 7 7 2 ]"],
    ["let go = n: l: if n == 0 then l else go (n - 1) (tail l); inherit (builtins) tail; in go 2 [ 1 2 3 ]", "[ 3 ]"],
    ['let f = s: g (stringLength s); g = n: n + 1; inherit (builtins) stringLength; in f "abc"', "4"],
    [
      "let f = x: [ (isAttrs x) (isList x) (typeOf x) ]; inherit (builtins) isAttrs isList typeOf; in f { }",
      '[ true false "set" ]',
    ],
  ])("are right where they call: %s", (source, value) => expect(evaluate(source)).toBe(value));

  it("leave what fails to whoever needs it", () => {
    expect(evaluate("let f = l: builtins.length [ (head l) (tail l) ]; inherit (builtins) head tail; in f [ ]")).toBe(
      "2",
    );
    expect(
      evaluate("let f = l: builtins.length [ (head l) (length l) ]; inherit (builtins) head length; in f { }"),
    ).toBe("2");
    expect(() => evaluate("let f = l: [ (head l) ]; inherit (builtins) head; in head (f [ ])")).toThrow(
      "'builtins.head' called on an empty list",
    );
  });

  it("evaluate nothing", () => {
    expect(evaluate('builtins.length (map (x: x.a) [ (throw "a") { } 1 { a = throw "b"; } ])')).toBe("4");
    expect(evaluate('let all = map (x: x) [ (throw "a") all ]; in builtins.length all')).toBe("2");
    expect(evaluate('builtins.attrNames (builtins.mapAttrs (n: v: v + 1) { a = throw "a"; b = "x"; })')).toBe(
      '[ "a" "b" ]',
    );
  });

  it("go on where they hardly ever do", () => {
    const sets = "(builtins.genList (i: { x = if i < 20 then 2 * i else 0; }) 25)";
    expect(evaluate(`builtins.foldl' (a: b: a + b) 0 (map (s: s.x) ${sets})`)).toBe("380");
  });
});

describe.each(tiers)("errors, as %s", (_, after) => {
  beforeEach(() => {
    generateAfter = after;
  });

  it.each([
    ["let x = x; in x", "infinite recursion encountered", "1:9"],
    ["rec { a = b; b = a; }.a", "infinite recursion encountered", "1:11"],
    ["({ a }: a) { b = 1; }", "function 'anonymous lambda' called without required argument 'a'", "1:2"],
    ["let f = { aa }: aa; in f { aa = 1; ab = 2; }", "function 'f' called with unexpected argument 'ab'", "1:9"],
    ["{ abc = 1; }.abd", "attribute 'abd' missing", "1:1"],
    ['{ abc = 1; }."a b"', "attribute '\"a b\"' missing", "1:1"],
    [
      '({ a }: a) { a = 1; "a b" = 1; }',
      "function 'anonymous lambda' called with unexpected argument '\"a b\"'",
      "1:2",
    ],
    ["1 + true", "cannot add a Boolean to an integer", "1:5"],
    ["if 1 then 2 else 3", "expected a Boolean but found an integer: 1", "1:1"],
    ["{ } // 1", "expected a set but found an integer: 1", "1:8"],
    ["[ ] ++ 1", "expected a list but found an integer: 1", "1:5"],
    ["1 2", "attempt to call something which is not a function but an integer: 1", "1:1"],
    ['"a${{ }}"', "cannot coerce a set to a string: { }", "1:3"],
    ["9223372036854775807 + 1", "integer overflow in adding 9223372036854775807 + 1", "1:23"],
    ["1 / 0", "division by zero", "1:3"],
    ['1 < "a"', 'cannot compare an integer with a string; values are 1 and "a"', "1:3"],
    ["with { a = 1; }; b", "undefined variable 'b'", "1:18"],
    ["assert 1 == 2; 3", "an integer with value '1' is not equal to an integer with value '2'", "1:1"],
    ["assert false; 3", "assertion 'false' failed", "1:1"],
    ['{ ${"a" + ""} = 1; a = 2; }', "dynamic attribute 'a' already defined at /base/t.nix:1:20", "1:3"],
    ["{ __functor = 1; } 2", "attempt to call something which is not a function but an integer: 1", "1:3"],
    ["let x = { a = x.b; b = x.a; }; in x.a", "infinite recursion encountered", "1:11"],
    // A set whose `outPath` needs itself as a string: the place is where it is asked for as one.
    ['let x = { outPath = "${x}b"; }; in "a${x}"', "infinite recursion encountered", "1:22"],
    ['let x = { outPath = x + "b"; }; in "a" + x', "infinite recursion encountered", "1:21"],
    ['let x = { outPath = "b" + x; }; in x + "a"', "infinite recursion encountered", "1:27"],
    ['throw "no"', "no", "1:1"],
    ["import ./missing.nix", "path '/base/missing.nix' does not exist", "1:1"],
  ])("%s", (text, message, place) => {
    const error = failure(text);
    expect(error.message).toBe(message);
    expect(error.location).toMatchObject({ file: "/base/t.nix", text: text.split("\n")[0] });
    expect(`${error.location?.line}:${error.location?.column}`).toBe(place);
  });

  it("suggest names", () => {
    expect(failure("{ abc = 1; }.abd").hint).toBe("did you mean `abc`?");
    expect(failure("let f = { aa }: aa; in f { aa = 1; ab = 2; }").hint).toBe("did you mean `aa`?");
  });

  it("collect the way", () => {
    const error = failure('let f = x: throw x;\n s = { a = f "m"; };\nin s.a');
    expect(error.trace.map(({ message, location }) => `${message} ${location?.line}:${location?.column}`)).toEqual([
      "while calling the 'throw' builtin 1:12",
      "while calling 'f' 1:9",
      "from call site 2:12",
      "while evaluating the attribute 'a' 2:8",
    ]);
  });

  it("quote bytes as text where they are, in steps and suggestions too", () => {
    const named = failure(bytes('{ "é b" = throw "x"; }."é b"'));
    expect(named.trace.map(({ message }) => message)).toContain(`while evaluating the attribute '"é b"'`);
    expect(failure(bytes('assert "é" == "x"; 1')).trace[0]?.message).toContain(`'("é" == "x")'`);
    expect(failure(bytes('{ "éa" = 1; }."éb"')).suggestions).toEqual(["éa"]);
    // A byte that is no text stays what it is.
    expect(failure('throw "\xff"').message).toBe("\udcff");
  });

  it("leave thunks as they were", () => {
    const set = evaluator().evaluate('{ a = throw "x"; }', { basePath: "/" }) as Attrs;
    expect(() => force(set.get("a")!)).toThrow("x");
    expect(() => force(set.get("a")!)).toThrow("x");
  });

  it("end endless recursion", () => {
    expect(failure("let f = x: f x; in f 1")).toBeInstanceOf(StackOverflowError);
    expect(failure("let f = x: 1 + f x; in f 1")).toBeInstanceOf(StackOverflowError);
    expect(failure("let f = x: [ (f x) ]; in builtins.foldl' (a: b: [ a ]) (f 1) [ 1 ] == f 2")).toBeInstanceOf(
      StackOverflowError,
    );
    expect(failure("let a = { x = a.x; }; in a.x")).toBeInstanceOf(InfiniteRecursionError);
    expect(shown("let f = x: f x; in (builtins.tryEval 1).value")).toBe("1");
  });

  it.each([
    ["toString", "let nest = n: builtins.foldl' (a: _: [ a ]) 1 (builtins.genList (x: x) n); in n: toString (nest n)"],
    [
      "__toString",
      'let nest = n: builtins.foldl\' (a: _: { __toString = _: a; }) "x" (builtins.genList (x: x) n); in n: toString (nest n)',
    ],
    [
      "outPath",
      'let nest = n: builtins.foldl\' (a: _: { outPath = a; }) "x" (builtins.genList (x: x) n); in n: "${nest n}"',
    ],
    [
      "==",
      "let nest = n: builtins.foldl' (a: _: [ { inherit a; } ]) 1 (builtins.genList (x: x) n); in n: nest n == nest n",
    ],
    [
      "derivation",
      'let nest = n: builtins.foldl\' (a: _: derivation { name = "x"; system = "y"; builder = "z"; inherit a; }) 1 (builtins.genList (x: x) n); in n: (nest n).drvPath',
    ],
  ])("count what nests without a call in the source: %s", (_, source) => {
    const ev = createEvaluator({ host: new MemoryHost(), maxCallDepth: 200, generateAfter });
    const run = (depth: number) => ev.evaluate(`(${source}) ${depth}`, { basePath: "/" });
    expect(() => run(50)).not.toThrow();
    expect(() => run(250)).toThrow(StackOverflowError);
  });

  it("count depth anew after a failure", () => {
    const ev = createEvaluator({ host: new MemoryHost(), maxCallDepth: 50, generateAfter });
    const deep = (n: number): unknown =>
      ev.evaluate(`let f = n: if n == 0 then 0 else 1 + f (n - 1); in f ${n}`, { basePath: "/" });
    for (let i = 0; i < 3; i++) {
      expect(() => deep(60)).toThrow("stack overflow; max-call-depth exceeded");
      expect(deep(40)).toBe(40);
    }
  });
});

describe("files", () => {
  const files = {
    "/p/default.nix": "{ x ? 1 }: import ./b.nix { inherit x; }",
    "/p/b.nix": "{ x }: { value = x; here = ./.; }",
    "/p/bad.nix": "{\n  a = 1\n}",
    "/p/loop.nix": "import ./loop.nix",
    "/p/crlf.nix": "{\r\n  a = ''\r\n    x\r\n  '';\r\n}",
  };
  it("are imported, folders by default.nix, once", () => {
    const ev = evaluator(files);
    const fn = ev.importFile("/p");
    expect(ev.importFile("/p/default.nix")).toBe(fn);
    expect(printValue(ev.call(fn, Attrs.from([["x", 5]])), { force: true })).toBe("{ here = /p; value = 5; }");
  });
  it("say where they are wrong", () => {
    const ev = evaluator(files);
    expect(() => ev.importFile("/p/bad.nix")).toThrow("syntax error, unexpected '}', expecting ';'");
    expect(() => ev.importFile("/p/loop.nix")).toThrow("infinite recursion");
    expect(() => ev.importFile("/p/none.nix")).toThrow("path '/p/none.nix' does not exist");
    expect(() => evaluator({}, true).evaluate("~/x", { basePath: "/" })).toThrow("can not be resolved in pure mode");
  });
  it("may have CR LF", () => {
    expect(printValue(evaluator(files).importFile("/p/crlf.nix"), { force: true })).toContain("a = ");
  });
});

describe("native code", () => {
  it("is called and calls", () => {
    const ev = evaluator();
    const twice = nativeFunction("twice", 2, (fn, x) => ev.call(fn, ev.call(fn, x)));
    expect(ev.evaluate("twice (x: x * 3) 2", { basePath: "/", scope: new Map([["twice", twice]]) })).toBe(18);
    expect(ev.equal(Attrs.from([["a", 1]]), ev.evaluate("{ a = 1; }", { basePath: "/" }))).toBe(true);
    expect(ev.str`a${"b"}${ev.evaluate('"c"', { basePath: "/" })}`).toBe("abc");
  });
  it("shares key tables between sets of one literal", () => {
    const list = evaluator().evaluate("map (x: { a = x; b = 2; }) [ 1 2 ]", { basePath: "/" }) as Lazy[];
    const [one, two] = list.map((element) => force(element) as Attrs);
    expect(one!.keys).toBe(two!.keys);
    expect(one!.getSymbol(symbol("a"))).toBe(1);
  });
});
