import { describe, expect, test } from "vitest";
import { builtinDocumentation, createEvaluator, docComments, functionComment, PrimOp, Source } from "./index.ts";
import { MemoryHost } from "./testing.ts";

test("every builtin function says what it is for, with as many arguments as it takes", () => {
  const { builtins } = createEvaluator({ host: new MemoryHost() });
  for (const [name, value] of builtins.entries()) {
    if (!(value instanceof PrimOp)) continue;
    const known = builtinDocumentation(value.name);
    expect(known?.text, name).toMatch(/\.$/);
    expect(known?.args.length, name).toBe(value.arity);
  }
});

test("names of objects in JavaScript are no builtins", () => {
  expect(builtinDocumentation("constructor")).toBeUndefined();
});

describe("documentation comments", () => {
  const comment = (text: string, before: string): string | undefined =>
    functionComment(new Source("«string»", text, false), text.indexOf(before));

  test("stand before a function or its definition; the nearest counts", () => {
    expect(comment("/** outer */ x: y", "x:")).toBe("outer");
    expect(comment("{ /** of f */ f = x: x; }", "x:")).toBe("of f");
    expect(comment("{ /** of f */ f = /** own */ x: x; }", "x:")).toBe("own");
    expect(comment("/** curried */ x: y: x", "y:")).toBe("curried");
    expect(comment("/** outer */ x: /** inner */ y: x", "y:")).toBe("inner");
    expect(comment("let /** deep */ f = { a }: a; in [ (f { a = 1; }) ]", "{ a }")).toBe("deep");
    expect(comment("/** in the REPL */ f = x: x", "x:")).toBe("in the REPL");
  });

  test("are not other comments, nor text in strings", () => {
    expect(comment("/* plain */ x: x", "x:")).toBeUndefined();
    expect(comment("/**/ x: x", "x:")).toBeUndefined();
    expect(comment("{ /** of a */ a = 1; f = x: x; }", "x:")).toBeUndefined();
    expect(comment('[ "/** text */" (x: x) ]', "x:")).toBeUndefined();
  });

  test("lose the indentation that their lines share", () => {
    const source = new Source("«string»", "/**\n    First.\n      - more\n  */\n# plain\nx: x", false);
    expect([...docComments(source).values()]).toEqual(["First.\n  - more"]);
  });
});
