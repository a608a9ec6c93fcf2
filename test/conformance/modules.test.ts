/**
 * nixpkgs' own tests of the module system (`lib/tests/modules.sh`) on ours: what each configuration comes to, and what must
 * fail. D2N_NIXPKGS_LIB is a checkout of nixpkgs' `lib`; without it there is nothing to run.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createEvaluator, EvalError, force, textOf } from "../../src/lang/index.ts";
import { MemoryHost } from "../../src/lang/testing.ts";
import { createLib } from "../../src/modules/index.ts";

const tree = process.env["D2N_NIXPKGS_LIB"];

/** Files whose tests cannot pass, with the reason. */
const excluded: Readonly<Record<string, string>> = {
  "./declare-attrList.nix": "types.attrListOf is not there",
  "./types-valueMeta.nix": "options have no valueMeta",
  "./composed-types-valueMeta.nix": "options have no valueMeta",
  "./freeform-deprecated-malicous-wrong.nix": "a warning there, which the script turns into an error",
  "./freeform-deprecated-malicous-wrong2.nix": "a warning there, which the script turns into an error",
};

/** Single tests that cannot pass: attribute and file. */
const excludedTests = new Set(["config.assertions ./types.nix"]);

interface Check {
  readonly line: number;
  readonly fails: boolean;
  readonly pattern: string;
  readonly attribute: string;
  readonly modules: readonly string[];
}

/** The checks that stand on a line of their own and need no shell to be understood. */
function readChecks(script: string): Check[] {
  return script.split("\n").flatMap((text, index): Check[] => {
    const words = /^checkConfig(Output|Error) '((?:[^'\\]|\\')*)' ([A-Za-z][^ $"']*) ((?:\.\/[^ $"'{]+ ?)+)$/.exec(
      text,
    );
    if (words === null) return [];
    const modules = words[4]!.trim().split(" ");
    if (modules.some((file) => excluded[file] !== undefined) || excludedTests.has(`${words[3]} ${modules.join(" ")}`))
      return [];
    return [{ line: index + 1, fails: words[1] === "Error", pattern: words[2]!, attribute: words[3]!, modules }];
  });
}

/** `a.b.0.c` as Nix code: numbers index lists. */
function select(base: string, attribute: string): string {
  return attribute
    .split(".")
    .reduce((code, step) => (/^\d+$/.test(step) ? `(builtins.elemAt ${code} ${step})` : `(${code}.${step})`), base);
}

function evaluate(check: Check, directory: string): string {
  const ev = createEvaluator({ host: new MemoryHost() });
  const evaluation = `(lib.evalModules { modules = [ ${check.modules.join(" ")} ]; specialArgs.modulesPath = ./.; })`;
  const value = ev.evaluate(`builtins.toJSON ${select(evaluation, check.attribute)}`, {
    basePath: directory,
    scope: new Map([["lib", createLib(ev)]]),
  });
  return textOf(force(value) as string);
}

describe.skipIf(tree === undefined)("nixpkgs' tests of the module system", () => {
  const directory = join(tree ?? "", "lib/tests/modules");
  const checks = tree === undefined ? [] : readChecks(readFileSync(join(tree, "lib/tests/modules.sh"), "utf8"));

  it("are there", () => {
    expect(checks.length).toBeGreaterThan(200);
  });

  it.each(checks.map((check) => [`${check.line}: ${check.attribute} ${check.modules.join(" ")}`, check] as const))(
    "%s",
    (_name, check) => {
      if (check.fails) expect(() => evaluate(check, directory)).toThrow(EvalError);
      else expect(evaluate(check, directory)).toMatch(new RegExp(check.pattern.replaceAll("\\'", "'")));
    },
  );
});
