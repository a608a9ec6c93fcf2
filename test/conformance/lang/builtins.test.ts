/** The builtins' values and messages, compared with real Nix: set NIX_ORACLE to a command that runs Nix's own. */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { D2nError } from "../../../src/base/index.ts";
import { createEvaluator } from "../../../src/lang/index.ts";
import { printClassic } from "../../../src/lang/print/index.ts";
import { MemoryHost } from "../../../src/lang/testing.ts";
import { expressions, failures } from "./expressions.ts";

const oracle = process.env.NIX_ORACLE;
const environment = { ...process.env, NIX_PATH: "", NIX_STORE_DIR: "/nix/store" };

/** The expressions are UTF-8 text; Nix sees their bytes. */
const bytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

describe.skipIf(oracle === undefined)("against Nix", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "d2n-conformance-"));
    writeFileSync(join(folder, "default.nix"), '{ x = "imported"; }');
  });
  afterAll(() => {
    // Store objects are read-only.
    spawnSync("chmod", ["-R", "u+w", folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  const nix = (args: readonly string[]): SpawnSyncReturns<string> =>
    spawnSync(oracle!, ["nix-instantiate", "--store", join(folder, "store"), ...args], {
      env: environment,
      encoding: "utf8",
      cwd: folder,
    });

  const evaluate = (source: string): string => {
    const evaluator = createEvaluator({ host: new MemoryHost() });
    const value = evaluator.evaluate(bytes(source), { basePath: folder });
    evaluator.call(evaluator.builtins.get("deepSeq")!, value, null);
    return Buffer.from(printClassic(value), "latin1").toString("utf8");
  };

  for (const [family, list] of Object.entries(expressions))
    test(`values of ${family}`, () => {
      const file = join(folder, `${family}.nix`);
      writeFileSync(file, `{\n${list.map((expression, i) => `e${i} = ${expression};\n`).join("")}}`);
      const attributes = list.flatMap((_, i) => ["-A", `e${i}`]);
      const { stdout, stderr, status } = nix([
        "--eval",
        "--strict",
        // Only then can Nix read back derivations that it has made.
        ...(family === "derivations" ? ["--read-write-mode"] : []),
        file,
        ...attributes,
      ]);
      expect(status, stderr).toBe(0);
      const lines = stdout.trimEnd().split("\n");
      expect(lines).toHaveLength(list.length);
      const got = list.map((expression) => {
        try {
          return `${expression}\n  = ${evaluate(expression)}`;
        } catch (error) {
          return `${expression}\n  failed: ${error}`;
        }
      });
      expect(got).toEqual(list.map((expression, i) => `${expression}\n  = ${lines[i]}`));
    });

  test("messages of failures", () => {
    const wanted: string[] = [];
    const got: string[] = [];
    for (const expression of failures) {
      const { stderr, status } = nix(["--eval", "--strict", "-E", `{ result = ${expression}; }`, "-A", "result"]);
      expect(status, `${expression} should fail`).not.toBe(0);
      const message = stderr.slice(stderr.lastIndexOf("error: ") + "error: ".length).trim();
      wanted.push(`${expression}\n  ${unwrapped(message)}`);
      let own = "succeeded";
      try {
        own = evaluate(`{ result = ${expression}; }`);
      } catch (error) {
        own = error instanceof D2nError ? error.message : `crashed: ${error}`;
      }
      got.push(`${expression}\n  ${unwrapped(own)}`);
    }
    expect(got).toEqual(wanted);
  });
});

/** The message without the indentation of its further lines, and without the place that may follow. */
function unwrapped(message: string): string {
  return message
    .replace(/\n +at .*$/s, "")
    .replace(/\n\n.*$/s, "")
    .replace(/\nTry 'nix.*$/s, "")
    .replace(/\s+/g, " ");
}
