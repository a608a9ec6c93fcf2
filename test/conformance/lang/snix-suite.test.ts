/**
 * The language tests of another implementation, snix (formerly tvix): set D2N_SNIX_TESTS to the folder `eval/src/tests` of its
 * sources. Which of them must pass stands in `snix-suite.txt`; one that is skipped there and passes is a mistake of the list.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { D2nError } from "../../../src/base/index.ts";
import { createEvaluator } from "../../../src/lang/index.ts";
import { MemoryHost } from "../../../src/lang/testing.ts";
import { readList, shownInFull, tiers } from "./suite.ts";

const root = process.env.D2N_SNIX_TESTS;
const folders = ["snix_tests", "snix_tests/notyetpassing", "nix_tests", "nix_tests/notyetpassing"];

const list = readList("snix-suite.txt");

describe.skipIf(root === undefined).each(tiers)("snix's language tests, by %s", (_, generateAfter) => {
  const tests = root ?? "";
  const read = (file: string): string => readFileSync(join(tests, file), "latin1");

  const evaluate = (name: string): { readonly got: string; readonly wanted: string } => {
    const folder = join(tests, dirname(name));
    const environment = { HOME: "/fake-home", TEST_VAR: "foo" };
    const searchPath = name.startsWith("nix_tests/") ? ["dir3", "dir4"].map((at) => join(tests, "nix_tests", at)) : [];
    const evaluator = createEvaluator({ host: new MemoryHost({ environment }), searchPath, generateAfter });
    const value = evaluator.evaluate(read(`${name}.nix`), { basePath: folder, name: join(tests, `${name}.nix`) });
    const { text, isXml } = shownInFull(evaluator, value, join(tests, name));
    if (isXml) return { got: text, wanted: read(`${name}.exp.xml`) };
    // Where nothing else is expected, the expression is its own value.
    const expected = existsSync(join(tests, `${name}.exp`)) ? `${name}.exp` : `${name}.nix`;
    return { got: text, wanted: read(expected) };
  };

  const check = (name: string): void => {
    if (!name.includes("/eval-fail-")) {
      const { got, wanted } = evaluate(name);
      expect(got.trim()).toBe(wanted.trim());
      return;
    }
    let error: unknown;
    try {
      evaluate(name);
    } catch (caught) {
      error = caught;
    }
    expect(error, "it was evaluated, or crashed").toBeInstanceOf(D2nError);
  };

  for (const { name, skip } of list)
    if (skip === undefined) test(name, () => check(name));
    else
      test(`${name} (known: ${skip})`, () => {
        expect(() => check(name)).toThrow();
      });

  test("the list is complete", () => {
    const present = folders.flatMap((folder) =>
      readdirSync(join(tests, folder))
        .filter((file) => /^(eval|identity)-.*\.nix$/.test(file))
        .map((file) => `${folder}/${file.slice(0, -4)}`),
    );
    expect(list.map(({ name }) => name).sort()).toEqual(present.sort());
  });
});
