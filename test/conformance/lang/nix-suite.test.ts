/**
 * Nix's own language tests: set D2N_NIX_LANG_TESTS to the folder `tests/functional/lang` of a checkout of Nix 2.34. Which of
 * them must pass stands in `nix-suite.txt`; one that is skipped there and passes is a mistake of the list.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { D2nError } from "../../../src/base/index.ts";
import { createEvaluator } from "../../../src/lang/index.ts";
import { MemoryHost } from "../../../src/lang/testing.ts";
import { readList, shownInFull, tiers } from "./suite.ts";

const folder = process.env.D2N_NIX_LANG_TESTS;

const list = readList("nix-suite.txt");

describe.skipIf(folder === undefined).each(tiers)("Nix's language tests, by %s", (_, generateAfter) => {
  const tests = folder ?? "";
  const read = (file: string): string => readFileSync(join(tests, file), "latin1");
  const has = (file: string): boolean => existsSync(join(tests, file));

  /** The value as the expected file shows it. */
  const evaluate = (name: string): { readonly got: string; readonly file: string } => {
    const host = new MemoryHost({ environment: { HOME: "/fake-home", TEST_VAR: "foo" } });
    const flags = has(`${name}.flags`) ? read(`${name}.flags`).split(/\s+/) : [];
    const included = flags.filter((_, i) => flags[i - 1] === "-I");
    const searchPath = [...included, "lang/dir3", "lang/dir4"].map((entry) => {
      const path = entry.slice(entry.indexOf("=") + 1);
      return `${entry.slice(0, entry.length - path.length)}${dirname(tests)}/${path}`;
    });
    const evaluator = createEvaluator({ host, searchPath, generateAfter });
    const value = evaluator.evaluate(read(`${name}.nix`), { basePath: tests, name: join(tests, `${name}.nix`) });
    const { text, isXml } = shownInFull(evaluator, value, join(tests, name));
    return isXml ? { got: text, file: `${name}.exp.xml` } : { got: `${text}\n`, file: `${name}.exp` };
  };
  const shown = (text: string): string => text.replaceAll(dirname(tests), "/pwd");

  const parsed = (name: string): string => {
    const evaluator = createEvaluator({ host: new MemoryHost({ environment: { HOME: "/fake-home" } }) });
    return `${evaluator.normalForm(read(`${name}.nix`), { basePath: dirname(tests), name: "«stdin»" })}\n`;
  };

  const checkParse = (name: string): void => {
    if (name.startsWith("parse-okay-")) {
      expect(shown(parsed(name))).toBe(read(`${name}.exp`));
      return;
    }
    let error: unknown;
    try {
      parsed(name);
    } catch (caught) {
      error = caught;
    }
    if (!(error instanceof D2nError)) throw new Error(error === undefined ? `${name} was parsed` : `crashed: ${error}`);
    const wanted = Buffer.from(read(`${name}.err.exp`), "latin1").toString("utf8");
    // Behind Nix's own words, d2n says which bracket lacks its partner.
    expect(flat(wanted)).toContain(flat(error.message.replace(/; the [^\n]+ is never closed$/, "")));
  };

  const check = (name: string): void => {
    if (name.startsWith("parse-")) return checkParse(name);
    if (name.startsWith("eval-okay-")) {
      const { got, file } = evaluate(name);
      expect(shown(got)).toBe(read(file));
      return;
    }
    let error: unknown;
    try {
      evaluate(name);
    } catch (caught) {
      error = caught;
    }
    if (!(error instanceof D2nError))
      throw new Error(error === undefined ? `${name} was evaluated` : `crashed: ${error}`);
    const wanted = Buffer.from(read(`${name}.err.exp`), "latin1").toString("utf8");
    expect(flat(wanted)).toContain(flat(shown(error.message)));
  };

  for (const { name, skip } of list)
    if (skip === undefined) test(name, () => check(name));
    else
      test(`${name} (known: ${skip})`, () => {
        expect(() => check(name)).toThrow();
      });

  test("the list is complete", () => {
    const present = readdirSync(tests)
      .filter((file) => /^(eval|parse)-(okay|fail)-.*\.nix$/.test(file))
      .map((file) => file.slice(0, -4));
    expect(list.map(({ name }) => name).sort()).toEqual(present.sort());
  });
});

/** Without colours and layout. */
function flat(text: string): string {
  // An escape character is how colours begin.
  return text.replace(/\x1b\[[0-9;]*m/g, "").replace(/\s+/g, " ");
}
