/**
 * Our `lib` beside nixpkgs' own: the same expressions in both, nixpkgs' evaluated by real Nix.
 *
 * D2N_NIXPKGS_LIB is a checkout of nixpkgs' `lib` (the directory that holds `lib/default.nix`), NIX_ORACLE the command that
 * runs Nix: `$NIX_ORACLE nix-instantiate …`. Without them there is nothing to compare with, and nothing runs.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEvaluator } from "../../src/lang/evaluator.ts";
import {
  type Attrs,
  equal,
  type Evaluator,
  EvalError,
  force,
  forceAttrs,
  type Lazy,
  textOf,
} from "../../src/lang/index.ts";
import { MemoryHost } from "../../src/lang/testing.ts";
import { createLib } from "../../src/modules/index.ts";

const tree = process.env.D2N_NIXPKGS_LIB;
const oracle = process.env.NIX_ORACLE;

/** Expressions over `lib`, one a line; each must give the same JSON, or fail in both. */
const expressions = readFileSync(join(import.meta.dirname, "lib-expressions.txt"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));

interface Ours {
  readonly ev: Evaluator;
  readonly lib: Attrs;
}

function createOurs(): Ours {
  const ev = createEvaluator({ host: new MemoryHost() });
  return { ev, lib: createLib(ev) };
}

function ourJson({ ev, lib }: Ours, expression: string): string {
  try {
    const value = ev.evaluate(expression, { basePath: "/", scope: new Map([["lib", lib]]) });
    return textOf(force(ev.call(ev.builtins.get("toJSON")!, value)) as string);
  } catch (error) {
    if (error instanceof EvalError) return "fails";
    throw error;
  }
}

describe.skipIf(tree === undefined || oracle === undefined)("lib against nixpkgs' own in Nix", () => {
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "d2n-lib-"));
  });

  /** What Nix makes of an expression. Not all failures can be caught, so each has a process of its own. */
  function theirJson(expression: string): string {
    const file = join(directory, "expression.nix");
    writeFileSync(file, `let lib = import ${tree}/lib; in ${expression}`);
    const [command, ...args] = [
      ...oracle!.split(" "),
      "nix-instantiate",
      "--eval",
      "--strict",
      "--json",
      "--store",
      join(directory, "store"),
      file,
    ];
    try {
      return execFileSync(command, args, { encoding: "latin1", stdio: ["ignore", "pipe", "ignore"] }).trimEnd();
    } catch {
      return "fails";
    }
  }

  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(expressions.map((expression) => [expression]))("%s", (expression) => {
    expect(ourJson(createOurs(), expression)).toBe(theirJson(expression));
  });
});

/** What nixpkgs tests that ours does not have, or has otherwise, with the reason. */
const different: Readonly<Record<string, string>> = {
  testContainsLicenses: "operators of licenses",
  testEvaluateProperty: "operators of licenses",
  testIsFree: "operators of licenses",
  testIsRedistributable: "operators of licenses",
  testIsUnfree: "operators of licenses",
  testIsUnredistributable: "operators of licenses",
  testToSPDX: "operators of licenses",
};

describe.skipIf(tree === undefined)("nixpkgs' own tests of lib", () => {
  const results = new Map<string, string>();

  beforeAll(() => {
    const file = join(tree!, "lib/tests/misc.nix");
    const source = readFileSync(file, "utf8")
      .replace("lib = import ../default.nix;", "lib = ours;")
      .replace("\nrunTests {", "\n{");
    const { ev, lib } = createOurs();
    const tests = forceAttrs(
      ev.evaluate(source, { basePath: dirname(file), scope: new Map<string, Lazy>([["ours", lib]]) }),
    );
    for (const [name, lazyTest] of tests.entries()) {
      if (!name.startsWith("test")) continue;
      try {
        const test = forceAttrs(lazyTest);
        results.set(name, equal(test.get("expr")!, test.get("expected")!) ? "passes" : "differs");
      } catch (error) {
        if (!(error instanceof EvalError)) throw error;
        results.set(name, error.message);
      }
    }
  });

  it("pass, but for what is listed", () => {
    expect(results.size).toBeGreaterThan(300);
    expect([...results].filter(([name, result]) => result !== "passes" && different[name] === undefined)).toEqual([]);
  });

  it("the list holds nothing that passes", () => {
    expect(Object.keys(different).filter((name) => results.get(name) === "passes")).toEqual([]);
  });
});

/** What nixpkgs' `lib` has and ours has not, or with other arguments: names, and the reason. */
const absent: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    "BOLA-1.1 BUSL-1.1 CAPEC-tou CC-SA-1.0 FSL-1.1-MIT SGMLUG-PM SMAIL-GPL SSPL-1.0 SUL-1.0 Ubuntu-font-1.0"
      .split(" ")
      .map((id) => [`licensesSpdx.${id}`, "SPDX took them up after the release that ours is of"]),
  ),
  "systems.architectures": "what compilers know of processors",
  "systems.inspect": "patterns of systems; the answers are in each platform",
  "systems.platforms": "kernel configurations of boards",
  url: "where texts of licenses lie that SPDX does not know",
  ...Object.fromEntries(
    [
      ..."AND OR PLUS WITH containsLicenses evaluateNamedProperty evaluateProperty isFree isRedistributable toSPDX".split(
        " ",
      ),
      "licenseType",
    ].map((name) => [name, "operators of licenses, newer than the release that ours is of"]),
  ),
  applyModuleArgsIfFunction: "inside of the module system, not for use from outside",
  collectModules: "inside of the module system, not for use from outside",
  mergeModules: "inside of the module system, not for use from outside",
  "mergeModules'": "inside of the module system, not for use from outside",
  unifyModuleSyntax: "inside of the module system, not for use from outside",
  attrListOf: "newer than the release that ours is of",
  attrListWith: "newer than the release that ours is of",
  noCheckForDocsModule: "for nixpkgs' own manual",
  "types.types": "the namespace in itself",
};

/** Each function of `lib` with the arguments that it names, and each namespace with its own. */
const inventory = `
  let
    list = depth: value:
      if builtins.isFunction value then builtins.functionArgs value
      else if !builtins.isAttrs value || depth == 0 || value ? _type || value ? __functor then null
      else builtins.mapAttrs (_: inner: let tried = builtins.tryEval (list (depth - 1) inner); in if tried.success then tried.value else null) value;
  in list 2 (builtins.removeAttrs lib [ "maintainers" "teams" ])`;

describe.skipIf(tree === undefined)("the functions of nixpkgs' lib", () => {
  const read = (ev: Evaluator, lib: Lazy): unknown => {
    const listed = ev.evaluate(inventory, { basePath: "/", scope: new Map([["lib", lib]]) });
    return JSON.parse(textOf(force(ev.call(ev.builtins.get("toJSON")!, listed)) as string));
  };
  const missing = (theirs: unknown, ours: unknown, path: string): string[] => {
    const name = path.slice(path.lastIndexOf(".") + 1);
    if (Object.keys(absent).some((known) => known === name || known === path || path.startsWith(known))) return [];
    if (ours === undefined) return [`${path} is missing`];
    if (typeof theirs === "boolean") return theirs === ours ? [] : [`${path} has a default or has none`];
    if (theirs === null || typeof theirs !== "object") return [];
    if (ours === null || typeof ours !== "object") return [`${path} is something else`];
    const [all, own] = [theirs as Record<string, unknown>, ours as Record<string, unknown>];
    return Object.keys(all).flatMap((key) => missing(all[key], own[key], path === "" ? key : `${path}.${key}`));
  };

  it("are there, with the same arguments, but for what is listed", () => {
    const { ev, lib } = createOurs();
    const theirs = ev.evaluate(`import ${tree}/lib`, { basePath: "/" });
    expect(missing(read(ev, theirs), read(ev, lib), "").join("\n")).toBe("");
  });
});
