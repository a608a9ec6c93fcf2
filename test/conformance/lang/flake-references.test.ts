/**
 * Flake references, as `builtins.parseFlakeRef` reads and `builtins.flakeRefToString` writes them: what real Nix 2.34 said (with the
 * features `flakes` and `verified-fetches`) is recorded in `flake-references.json`, so this runs without it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseReference, referenceToAttributes, showAttributes } from "../../../src/flake/syntax.ts";
import { Attrs, createEvaluator, force, fromUtf8, textsOf } from "../../../src/lang/index.ts";
import { MemoryHost } from "../../../src/lang/testing.ts";

type Plain = string | number | boolean;

interface Recorded {
  /** By reference: its attributes, or the message of the failure. */
  readonly parsed: Readonly<Record<string, Readonly<Record<string, Plain>> | string>>;
  /** By expression of a set: its text, or the message of the failure. */
  readonly shown: Readonly<Record<string, { readonly text: string } | { readonly error: string }>>;
}

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "flake-references.json"), "utf8")) as Recorded;
const evaluator = createEvaluator({ host: new MemoryHost() });

function attempt<T>(action: () => T): T | string {
  try {
    return action();
  } catch (error) {
    return (error as Error).message;
  }
}

function attributesOf(source: string): Map<string, Plain> {
  const set = evaluator.evaluate(Buffer.from(source, "utf8").toString("latin1"), { basePath: "/", name: "«string»" });
  if (!(set instanceof Attrs)) throw new Error(`${source} is no set`);
  const plain = (value: unknown): Plain => (typeof value === "bigint" ? Number(value) : (value as Plain));
  return textsOf(
    [...set.entries()].map(([name, value]) => [name, plain(force(value))] as const),
    fromUtf8,
  );
}

describe("flake references as real Nix has them", () => {
  test("parseFlakeRef", () => {
    const said = Object.keys(recorded.parsed).map((text) => [
      text,
      attempt(() => Object.fromEntries(referenceToAttributes(parseReference(text, { absolute: true })))),
    ]);
    expect(Object.fromEntries(said)).toEqual(recorded.parsed);
  });

  test("flakeRefToString", () => {
    for (const [source, wanted] of Object.entries(recorded.shown)) {
      const said = attempt(() => ({ text: showAttributes(attributesOf(source)) }));
      expect({ source, said: typeof said === "string" ? { error: said } : said }).toEqual({ source, said: wanted });
    }
  });
});
