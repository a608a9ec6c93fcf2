import { describe, expect, test } from "vitest";
import { D2nError } from "../../../base/index.ts";
import { createEvaluator } from "../../evaluator.ts";
import { printClassic } from "../../print/index.ts";
import { MemoryHost } from "../../testing.ts";

const evaluator = createEvaluator({ host: new MemoryHost() });
function evaluate(source: string): string {
  const value = evaluator.evaluate(source, { basePath: "/" });
  evaluator.call(evaluator.builtins.get("deepSeq")!, value, null);
  return printClassic(value);
}

describe("regular expressions with very many ways to match", () => {
  const many = "a".repeat(60);

  test("that lead nowhere end without a match", () => {
    expect(evaluate(`builtins.match "(a*)*b" "${many}"`)).toBe("null");
    expect(evaluate(`builtins.match "((a|b*)*c?)*d" "${many}"`)).toBe("null");
    expect(evaluate(`builtins.length (builtins.split "(a*a|a)*b" "${many}")`)).toBe("1");
  });

  test("still give the groups that C++ gives", () => {
    expect(evaluate(`builtins.match "(a*)*b" "aaab"`)).toBe('[ "" ]');
    expect(evaluate(`builtins.match "(a|ab)(c|bcd)(d*)" "abcd"`)).toBe('[ "a" "bcd" "" ]');
    expect(evaluate('builtins.split "(a|ab)" "xabx"')).toBe('[ "x" [ "ab" ] "x" ]');
  });

  test("that are too big are an error", () => {
    expect(() => evaluate(`builtins.match "a{1000}{1000}" "a"`)).toThrow(D2nError);
  });
});
