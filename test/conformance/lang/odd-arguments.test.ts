/**
 * Each builtin with odd values in the place of each of its arguments: what real Nix 2.34 said is recorded in
 * `odd-arguments.json`, so this runs without it. Where a message is empty, the call succeeds (its value is looked at elsewhere);
 * `*` is any message, for those that are not text, and `(no message)` is a failure that says nothing.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createEvaluator } from "../../../src/lang/index.ts";
import { MemoryHost } from "../../../src/lang/testing.ts";

interface Recorded {
  readonly values: readonly string[];
  readonly messages: readonly string[];
  /** By builtin: arguments that it takes well, and for each of them the number of the message for each odd value in its place. */
  readonly builtins: Readonly<
    Record<string, { readonly arguments: readonly string[]; readonly results: readonly (readonly number[])[] }>
  >;
}

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "odd-arguments.json"), "utf8")) as Recorded;
const evaluator = createEvaluator({ host: new MemoryHost() });

/** The message of the failure; empty for a success. */
function outcome(source: string): string {
  try {
    const value = evaluator.evaluate(Buffer.from(source, "utf8").toString("latin1"), {
      basePath: "/",
      name: "«string»",
    });
    evaluator.call(evaluator.builtins.get("deepSeq")!, value, null);
    return "";
  } catch (error) {
    return unwrapped((error as Error).message).replace(/«string»:\d+:\d+/g, "«string»") || "(no message)";
  }
}

const unwrapped = (message: string): string => message.replace(/\s+/g, " ").trim();

describe("odd arguments", () => {
  for (const [name, { arguments: good, results }] of Object.entries(recorded.builtins))
    test(name, () => {
      const wanted: string[] = [];
      const got: string[] = [];
      results.forEach((row, position) =>
        row.forEach((message, i) => {
          const args = good.map((argument, at) => (at === position ? recorded.values[i]! : argument));
          const source = `builtins.${name} ${args.join(" ")}`;
          const said = outcome(source);
          const expected = unwrapped(recorded.messages[message]!);
          wanted.push(`${source}: ${expected}`);
          got.push(`${source}: ${expected === "*" && said !== "" ? "*" : said}`);
        }),
      );
      expect(got).toEqual(wanted);
    });
});
