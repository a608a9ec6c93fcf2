/** Files that are parsed in parts must mean the same as files parsed as a whole. */
import { describe, expect, test } from "vitest";
import { createEvaluator, type Evaluator } from "../evaluator.ts";
import type { OutlineCache } from "../loader.ts";
import { textOf } from "../operations/index.ts";
import { printValue, toJson } from "../print/index.ts";
import { MemoryHost } from "../testing.ts";
import { isOutline } from "./outline.ts";

const padding = Array.from({ length: 1500 }, (_, i) => `  p${i} = import ./missing-${i}.nix { };`).join("\n");

function big(inner: string): string {
  return `{ x ? 1, ... } @ args:\nlet helper = n: n + x; in rec {\n${padding}\n${inner}\n}\n`;
}

class Memory implements OutlineCache {
  readonly known = new Map<string, Int32Array>();
  recalled = 0;
  recall(text: string, circumstances: string): Int32Array | undefined {
    const outline = this.known.get(circumstances + text);
    if (outline !== undefined) this.recalled++;
    return outline;
  }
  remember(text: string, circumstances: string, outline: Int32Array): void {
    this.known.set(circumstances + text, outline);
  }
}

function evaluator(text: string, file: string, outlines: OutlineCache | undefined): Evaluator {
  return createEvaluator({ host: new MemoryHost({ files: { [file]: text } }), outlines });
}

let files = 0;

/** The value of an expression in `f`, the file's function: parsed as a whole, with a recorder, and in parts. */
function threeWays(inner: string, expression: string): unknown[] {
  const text = big(inner);
  const outlines = new Memory();
  const results = [undefined, outlines, outlines].map((cache) => {
    const file = `/f${files++}.nix`;
    const ev = evaluator(text, file, cache);
    try {
      const value = ev.evaluate(`let f = import ${file}; in ${expression}`, { basePath: "/" });
      return textOf(toJson(ev.world, value)).replaceAll(file, "FILE");
    } catch (error) {
      return String(error).replaceAll(file, "FILE");
    }
  });
  expect(outlines.recalled).toBe(1);
  return results;
}

describe("a big file that is parsed in parts", () => {
  test.each([
    ["a call", "a = helper (b + 1);\n b = 2;", "(f { x = 3; }).a"],
    [
      "scopes around it",
      "a = let y = 5; z = helper (x + y); in if z > 1 then with { w = z; }; [ w y x ] else [ ];",
      "(f { }).a",
    ],
    [
      "sets defined in pieces",
      "s.a = helper (1 + 2);\n s.b = toString [ x ];\n s = { c = map helper [ 1 2 ]; };",
      "(f { }).s",
    ],
    ["a name that is computed", '${"dyn" + "amic"} = helper (1 + 1);', "(f { }).dynamic"],
    ["functions in it", "g = (q: r: q + r + x) 1;\n h = g (helper 20 + 3);", "(f { }).h"],
    ["strings and comments", 'a = toString [ "}; \\" ${toString (helper 1)} x" /* ; */ ];', "(f { }).a"],
    ["with and globals", "a = with { lib = builtins; }; map helper (lib.genList (i: i) 3);", "(f { }).a"],
    ["positions", "a = helper (1 + 2);", '(builtins.unsafeGetAttrPos "a" (f { }))'],
    ["an error in it", 'a = helper (throw "no");', "(f { }).a"],
    ["an assertion", "a = assert (x == 2); helper (1 + 2);", "(f { }).a"],
    ["the whole argument", "a = builtins.attrNames (args // { });", "(f { y = 1; }).a"],
  ])("evaluates as before: %s", (_, inner, expression) => {
    const [whole, recorded, parts] = threeWays(inner, expression);
    expect(recorded).toBe(whole);
    expect(parts).toBe(whole);
  });

  test("shows the same of what is not evaluated", () => {
    const text = big("a = helper (1 + 2);\n b = x: x;\n c = 1;\n d = [ 1 ];\n e = [ ];\n g = { };");
    const outlines = new Memory();
    const shown = [outlines, outlines].map((cache) => {
      const file = `/s${files++}.nix`;
      const value = evaluator(text, file, cache).evaluate(`builtins.removeAttrs ((import ${file}) { }) [ "helper" ]`, {
        basePath: "/",
      });
      return printValue(value, { force: false }).replaceAll(file, "FILE");
    });
    expect(outlines.recalled).toBe(1);
    expect(shown[1]).toBe(shown[0]);
  });

  test("is parsed as a whole where it gives operators a meaning of its own", () => {
    const outlines = new Memory();
    evaluator(big("__sub = a: b: 42;\n a = helper (3 - 1);"), "/o.nix", outlines).importFile("/o.nix");
    expect(outlines.known.size).toBe(0);
  });

  test("is not remembered if it is wrong", () => {
    const outlines = new Memory();
    expect(() => evaluator(big("a = helper (nowhere + 1);"), "/w.nix", outlines).importFile("/w.nix")).toThrow(
      "undefined variable 'nowhere'",
    );
    expect(() => evaluator(big("a = helper (1 + );"), "/v.nix", outlines).importFile("/v.nix")).toThrow("syntax error");
    expect(outlines.known.size).toBe(0);
  });
});

test("numbers that are no outline are refused", () => {
  expect(isOutline(Int32Array.of(3, 9, 12, 20), 30)).toBe(true);
  for (const numbers of [[3], [9, 3], [3, 9, 5, 12], [3, 40], [-1, 4]])
    expect(isOutline(Int32Array.from(numbers), 30)).toBe(false);
});
