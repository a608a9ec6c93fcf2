/** A tree that was written down must mean the same as the one that was parsed: values, laziness, positions, errors. */
import { describe, expect, test } from "vitest";
import { createEvaluator, type Evaluator } from "../evaluator.ts";
import type { KeptTrees, TreeCache } from "../loader.ts";
import { textOf } from "../operations/index.ts";
import { printValue, toJson } from "../print/index.ts";
import { MemoryHost } from "../testing.ts";
import type { EvalError } from "../errors.ts";
import { expand } from "./deferred.ts";
import { parse, readTree, resolve, showExpression, Source, writeTree } from "./index.ts";
import { symbol } from "../values/attrs.ts";

class Memory implements TreeCache {
  readonly known = new Map<string, Uint8Array>();
  recalled = 0;
  open(circumstances: string): KeptTrees {
    const key = (content: Uint8Array): string => circumstances + Buffer.from(content).toString("latin1");
    return {
      recall: (content) => {
        const tree = this.known.get(key(content));
        if (tree !== undefined) this.recalled++;
        return tree;
      },
      remember: (content, tree) => void this.known.set(key(content), tree),
    };
  }
}

const padding = Array.from({ length: 20 }, (_, i) => `  p${i} = import ./missing-${i}.nix { };`).join("\n");

function evaluator(text: string, file: string, trees: TreeCache | undefined): Evaluator {
  return createEvaluator({ host: new MemoryHost({ files: { [file]: text } }), trees });
}

/** What evaluating `expression` gives, or the error with its place and trace. */
function outcome(ev: Evaluator, expression: string): unknown {
  try {
    return textOf(toJson(ev.world, ev.evaluate(expression, { basePath: "/" })));
  } catch (error) {
    const { message, location, trace, hint } = error as EvalError;
    return { message, location, trace, hint };
  }
}

/** With the file parsed without a cache, parsed for one, and recalled from it. */
function threeWays(text: string, expression: string): unknown[] {
  const trees = new Memory();
  const results = [undefined, trees, trees].map((cache) => outcome(evaluator(text, "/f.nix", cache), expression));
  expect(trees.recalled).toBe(1);
  return results;
}

const file = (inner: string): string =>
  `{ x ? 1, ... } @ args:\nlet helper = n: n + x; in rec {\n${padding}\n${inner}\n}\n`;

describe("a file that was parsed in an earlier run", () => {
  test.each([
    ["a call", "a = helper (b + 1);\n b = 2;", "(f { x = 3; }).a"],
    [
      "scopes around it",
      "a = let y = 5; z = helper (x + y); in if z > 1 then with { w = z; }; [ w y x ] else [ ];",
      "(f { }).a",
    ],
    ["sets in pieces", "s.a = helper (1 + 2);\n s.b = toString [ x ];\n s = { c = map helper [ 1 2 ]; };", "(f { }).s"],
    ["a computed name", '${"dyn" + "amic"} = helper (1 + 1);', "(f { }).dynamic"],
    ["dynamic attributes in rec", 'r = rec { a = 1; ${"b" + "c"} = a + x; d = r.bc; };', "(f { }).r"],
    ["functions", "g = (q: r: s: q + r + s + x) 1;\n h = g (helper 20 + 3) 4;", "(f { }).h"],
    ["formals", "g = { a, b ? a + 1, ... } @ all: [ a b (all.c or 0) ];\n h = g { a = 1; c = 3; };", "(f { }).h"],
    [
      "many formals",
      "g = { a, b ? 2, c ? 3, d ? 4, e ? 5 }: a + b + c + d + e;\n h = g { a = 1; e = 50; };",
      "(f { }).h",
    ],
    [
      "strings",
      "a = \"q\\\"${toString (helper 1)}\\n\" + ''\n    in\n      dented ${\"x\"} ''${no}\n  '';",
      "(f { }).a",
    ],
    ["escaped names", '"odd name\\n" = helper 41;\n inherit ({ "a\\"b" = 3; }) "a\\"b";', "(f { })" + '."odd name\\n"'],
    ["numbers", "a = [ 0 127 128 9007199254740993 9223372036854775807 1.5 1.0e300 .25 (-3) (-x) ];", "(f { }).a"],
    [
      "operators",
      "a = [ (1 + 2 * 3 - 4 / 2) (1 < 2 && !(2 >= 3) || false -> true) ([ 1 ] ++ [ 2 ]) ({ a = 1; } // { b = 2; }) ];",
      "(f { }).a",
    ],
    [
      "operators of its own",
      "__sub = a: b: 42;\n __lessThan = a: b: true;\n a = [ (3 - 1) (-5) (3 < 1) ];",
      "(f { }).a",
    ],
    [
      "select and has",
      's.t.u = 1;\n a = [ s.t.u (s.v.w or x) (s ? t.u) (s ? v.w) (s.${"t"}.u) (s ? ${"t"}) ];',
      "(f { }).a",
    ],
    ["with in with", "a = with { q = 1; }; with { r = 2; }; let s = 3; in (t: [ q r s t ]) 4;", "(f { }).a"],
    ["with and globals", "a = with { lib = builtins; }; map helper (lib.genList (i: i) 3);", "(f { }).a"],
    [
      "inherit",
      "a = let inherit (b) c d; e = 1; in { inherit c d e; inherit (args) x; };\n b = { c = 5; d = 6; };",
      "(f { x = 7; }).a",
    ],
    ["the ancient let", "a = let { y = x; body = y + 1; };", "(f { }).a"],
    ["positions", "a = helper (1 + 2);", 'builtins.unsafeGetAttrPos "a" (f { })'],
    ["the place itself", "a = __curPos;", "(f { }).a"],
    ["positions of arguments", "g = { first, second ? 2 }: 1;", "builtins.functionArgs (f { }).g"],
    ["the whole argument", "a = builtins.attrNames (args // { });", "(f { y = 1; }).a"],
    ["overrides", "r = rec { a = 1; b = a + 1; __overrides = { a = 10; }; };", "(f { }).r.b"],
    [
      "pathlike things",
      'a = [ (toString ./x) (toString ./x/${"y"}) (builtins.baseNameOf ../up/z) https://h/p ];',
      "(f { }).a",
    ],
    ["search paths", "a = (builtins.tryEval <nowhere>).success;", "(f { }).a"],
    [
      "deep levels",
      "a = (b: c: d: e: (let g = 1; in (h: rec { i = (j: k: b + c + d + e + g + h + j + k + x) 1; }).i)) 1 2 3 4 5 6;",
      "(f { }).a",
    ],
    ["an error", 'a = helper (throw "no");', "(f { }).a"],
    ["a wrong type", 'a = [ (helper "text" { }) ];', "builtins.deepSeq (f { }).a 1"],
    ["a missing attribute", "a = { foo = 1; }.bar;", "(f { }).a"],
    ["a missing argument", "g = { needed, other ? 1 }: needed;\n a = g { };", "(f { }).a"],
    ["an unexpected argument", "g = { needed }: needed;\n a = g { needed = 1; neeeded = 2; };", "(f { }).a"],
    ["an assertion", "a = assert (x == 2 && [ (y: y) ] != [ ]); helper (1 + 2);", "(f { }).a"],
    ["an assertion of equality", "a = assert ({ q = [ x 2 ]; } == { q = [ 1 3 ]; }); 1;", "(f { }).a"],
    ["infinite recursion", "a = let b = b + 1; in b;", "(f { }).a"],
  ])("evaluates as before: %s", (_, inner, expression) => {
    const [alone, written, recalled] = threeWays(file(inner), `let f = import /f.nix; in ${expression}`);
    expect(written).toEqual(alone);
    expect(recalled).toEqual(alone);
  });

  test("evaluates no more and no less", () => {
    const text = file(
      "a = helper (1 + 2);\n b = x: x;\n c = 1;\n d = [ 1 ];\n e = [ ];\n g = { };\n h = { i = [ (1 + 1) ]; };",
    );
    const trees = new Memory();
    const shown = [undefined, trees, trees].map((cache) =>
      printValue(
        evaluator(text, "/s.nix", cache).evaluate('builtins.removeAttrs ((import /s.nix) { }) [ "helper" ]', {
          basePath: "/",
        }),
        { force: false },
      ),
    );
    expect(trees.recalled).toBe(1);
    expect(shown[1]).toBe(shown[0]);
    expect(shown[2]).toBe(shown[0]);
  });

  test("is not kept if it is wrong", () => {
    const trees = new Memory();
    for (const [text, message] of [
      [file("a = helper (nowhere + 1);"), "undefined variable 'nowhere'"],
      [file("a = helper (1 + );"), "syntax error"],
      [file("a = 1; a = 2;"), "already defined"],
    ] as const)
      expect(() => evaluator(text, "/w.nix", trees).importFile("/w.nix")).toThrow(message);
    expect(trees.known.size).toBe(0);
  });

  test("is parsed anew under other circumstances, and where lints look at it", () => {
    const trees = new Memory();
    const text = `# ${"x".repeat(200)}\n[ 1 2 ]`;
    const host = new MemoryHost({ files: { "/f.nix": text } });
    createEvaluator({ host, trees }).importFile("/f.nix");
    createEvaluator({ host, trees, experimentalFeatures: new Set(["pipe-operators"]) }).importFile("/f.nix");
    expect([trees.recalled, trees.known.size]).toEqual([0, 2]);
    createEvaluator({ host, trees, lints: { url: "warn", shortPath: "ignore", absolutePath: "ignore" } }).importFile(
      "/f.nix",
    );
    expect(trees.recalled).toBe(0);
  });
});

describe("a tree", () => {
  const globals = { has: () => true, keys: () => [] };
  const written = (text: string): { bytes: Uint8Array; source: Source } => {
    const source = new Source("/t.nix", text);
    const tree = parse(source);
    resolve(tree, source, globals);
    return { bytes: writeTree(tree, text)!, source };
  };

  test("does not depend on the numbers of names", () => {
    const text = "rec { zz_one = aa_two + 1; aa_two = mm_three; mm_three = (q: zz_one + q) aa_two; }";
    const first = written(text).bytes;
    // In another order than in the text: slots of a `rec` follow the numbers.
    for (const name of ["mm_new", "zz_new", "aa_new"]) symbol(name);
    const renamed = text
      .replaceAll("zz_one", "zz_new")
      .replaceAll("aa_two", "aa_new")
      .replaceAll("mm_three", "mm_newer");
    expect(written(renamed).bytes.length).toBe(first.length);
    const ev = createEvaluator({ host: new MemoryHost({ files: {} }) });
    void ev;
    const root = readTree(first, text);
    expect(root.kind === "attrs" && [...root.statics.values()].map(({ slot }) => slot).sort()).toEqual([0, 1, 2]);
  });

  test("is about as long as its text, and read in parts", () => {
    const text = `{\n${Array.from({ length: 1000 }, (_, i) => `  name${i} = callPackage ./${i}.nix { inherit a${i} b c; d = e${i}; };`).join("\n")}\n}`;
    const { bytes } = written(`with { }; ${text}`);
    expect(bytes.length).toBeLessThan(text.length * 1.2);
    const root = readTree(bytes, `with { }; ${text}`);
    const set = root.kind === "with" ? root.body : root;
    const values = set.kind === "attrs" ? [...set.statics.values()].map(({ value }) => value!) : [];
    expect(values).toHaveLength(1000);
    const [first] = values;
    expect(first!.kind).toBe("deferred");
    expect(first!.kind === "deferred" && expand(first)).toMatchObject({ kind: "call", offset: first!.offset });
  });

  test("shows as before", () => {
    const text =
      '{ a, b ? 1 }: let c = [ a b ]; in if c == [ ] then rec { d = e; e = -a; } else with c; x.y or (z ? "q")';
    const { bytes, source } = written(text);
    const absolute = (path: string): string => path;
    expect(showExpression(readTree(bytes, text), { absolute })).toBe(showExpression(parse(source), { absolute }));
  });

  test("too deep to be written is none", () => {
    let tree = parse(new Source("/t.nix", "1"));
    for (let i = 0; i < 200_000; i++) tree = { kind: "not", offset: 0, operand: tree };
    expect(writeTree(tree, "1")).toBeUndefined();
  });
});
