import { describe, expect, test } from "vitest";
import { createEvaluator } from "../evaluator.ts";
import { MemoryHost } from "../testing.ts";
import { Attrs } from "../values/attrs.ts";
import { lazy, type Lazy } from "../values/thunk.ts";
import type { Value } from "../values/value.ts";
import { attributeName, printClassic, printValue, stringLiteral, toJson, toXml } from "./index.ts";

const evaluator = createEvaluator({ host: new MemoryHost() });
const evaluate = (source: string): Value =>
  evaluator.evaluate(Buffer.from(source).toString("latin1"), { basePath: "/" });
const text = (bytes: string): string => Buffer.from(bytes, "latin1").toString("utf8");

describe("literals", () => {
  test("strings are escaped as Nix source", () => {
    expect(stringLiteral('a"\\\n\r\t${x}$y$')).toBe('"a\\"\\\\\\n\\r\\t\\${x}$y$"');
  });

  test("attribute names are quoted unless they are identifiers", () => {
    for (const name of ["a", "_x", "a-b", "a'", "or", "A1"]) expect(attributeName(name)).toBe(name);
    for (const name of ["", "if", "1a", "a b", "-a", "é"]) expect(attributeName(name)).toBe(`"${name}"`);
  });
});

describe("nix eval's form", () => {
  const print = (source: string, options = {}): string =>
    text(printValue(evaluate(source), { force: true, derivationPaths: true, errors: "throw-top-level", ...options }));

  test("values of all kinds", () => {
    expect(print('[ 1 1.5 true null "x" /a { b = 1; "c d" = [ ]; } ]')).toBe(
      '[ 1 1.5 true null "x" /a { b = 1; "c d" = [ ]; } ]',
    );
    expect(print("[ builtins.add (builtins.add 1) (x: x) ]")).toBe(
      "[ «primop add» «partially applied primop add» «lambda @ «string»:1:34» ]",
    );
    expect(print('derivation { name = "a"; system = "s"; builder = "b"; }')).toBe(
      "«derivation /nix/store/pn5w9v350w6b152fg17i8iinyi3g0di4-a.drv»",
    );
    expect(print("[ { } { } ]")).toBe("[ { } «repeated» ]");
    expect(print("let x = { a = x; }; in x")).toBe("{ a = «repeated»; }");
    expect(print('{ a = throw "é"; }')).toBe("{ a = «error: é»; }");
  });

  test("spread over lines", () => {
    expect(print("{ a = [ 1 [ 2 ] ]; b = { c = 1; }; }", { prettyIndent: 2 })).toBe(
      "{\n  a = [\n    1\n    [ 2 ]\n  ];\n  b = { c = 1; };\n}",
    );
  });

  test("cut short", () => {
    expect(print('"abcdef"', { maxStringLength: 3 })).toBe('"abc" «3 bytes elided»');
    expect(print("[ 1 2 3 ]", { maxListItems: 1 })).toBe("[ 1 «2 items elided» ]");
    expect(print("{ a = 1; type = 2; }", { maxAttrs: 1 })).toBe("{ type = 2; «1 attribute elided» }");
    expect(print("[ [ 1 ] ]", { maxDepth: 1 })).toBe("[ [ ... ] ]");
  });

  test("an endless value ends in an error", () => {
    expect(() => print("let f = n: { x = f (n + 1); }; in f 0", { trackRepeated: false, maxCallDepth: 300 })).toThrow(
      "stack overflow",
    );
  });

  test("what is not evaluated shows as a thunk", () => {
    const thunk: Lazy = lazy(() => 1);
    expect(text(printValue([thunk]))).toBe("[ «thunk» ]");
  });
});

describe("nix-instantiate's form", () => {
  test("", () => {
    expect(text(printClassic([lazy(() => 1), Attrs.from([["a", 1]]), "x"]))).toBe('[ <CODE> { a = 1; } "x" ]');
    expect(text(printClassic(evaluate("[ (x: x) builtins.add (builtins.add 1) { } [ ] ]")))).toContain("<CODE>");
  });
});

describe("JSON", () => {
  const json = (source: string): unknown => toJson(evaluator.world, evaluate(source));

  test("keys are in byte order, integer-like ones too", () => {
    expect(json('{ b = 1; "10" = 2; "9" = 3; a = [ ]; __proto__ = { }; }')).toBe(
      '{"10":2,"9":3,"__proto__":{},"a":[],"b":1}',
    );
  });

  test("strings, floats and big integers", () => {
    expect(json('"\\n\\"\\\\"')).toBe('"\\n\\"\\\\"');
    expect(json("[ 1.0 0.1 1.0e16 1.0e-5 9223372036854775807 ]")).toBe("[1.0,0.1,1e+16,1e-05,9223372036854775807]");
    expect(toJson(evaluator.world, "\x01\x7f")).toBe('"\\u0001\x7f"');
  });

  test("contexts are collected", () => {
    expect(json('derivation { name = "a"; system = "s"; builder = "b"; }')).toMatchObject({
      context: new Set(["!out!/nix/store/pn5w9v350w6b152fg17i8iinyi3g0di4-a.drv"]),
    });
  });

  test("what cannot be said in JSON is an error", () => {
    expect(() => json("x: x")).toThrow("cannot convert a function to JSON");
    expect(() => toJson(evaluator.world, "\xff")).toThrow("invalid UTF-8 byte at index 0: 0xFF");
    expect(() => toJson(evaluator.world, "a\xc3")).toThrow("incomplete UTF-8 string; last byte: 0xC3");
    expect(() => json("let x = { a = x; }; in x")).toThrow("stack overflow");
  });
});

describe("XML", () => {
  test("functions and escapes", () => {
    expect(toXml(evaluate('{ f = { a, ... }@b: a; s = "<\\n"; }'), { strict: true })).toBe(
      '<?xml version=\'1.0\' encoding=\'utf-8\'?>\n<expr>\n  <attrs>\n    <attr name="f">\n      <function>\n        <attrspat ellipsis="1" name="b">\n' +
        '          <attr name="a" />\n        </attrspat>\n      </function>\n    </attr>\n    <attr name="s">\n      <string value="&lt;&#xA;" />\n    </attr>\n  </attrs>\n</expr>\n',
    );
  });
});
