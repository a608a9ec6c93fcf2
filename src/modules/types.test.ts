import { describe, expect, it } from "vitest";
import { MemoryHost } from "../lang/testing.ts";
import { createWorld } from "./testing.ts";

const { nix } = createWorld(new MemoryHost());

/** The merged value of definitions of an option of a type. */
function merge(type: string, ...definitions: string[]): unknown {
  const modules = definitions.map((definition) => `{ x = ${definition}; }`).join(" ");
  return nix(
    `with lib.types; (lib.evalModules { modules = [ { options.x = lib.mkOption { type = ${type}; }; } ${modules} ]; }).config.x`,
  );
}

function description(type: string): unknown {
  return nix(`with lib.types; (${type}).description`);
}

describe("option types", () => {
  it.each([
    ["raw", "x: x", "<function>"],
    ["bool", "true", true],
    ["int", "3", 3],
    ["ints.u8", "255", 255],
    ["ints.between 1 3", "2", 2],
    ["float", "1.5", 1.5],
    ["number", "1", 1],
    ["numbers.positive", "0.5", 0.5],
    ["str", '"s"', "s"],
    ["nonEmptyStr", '"s"', "s"],
    ["singleLineStr", '"s\\n"', "s"],
    ['strMatching "[0-9]+"', '"12"', "12"],
    ["path", "/a/b", "/a/b"],
    ["path", '"/a/b"', "/a/b"],
    [
      "pathInStore",
      '"/nix/store/0lz9p8xhf89kb1c1kk6jxrzskaiygnlh-bash-5.2-p15"',
      "/nix/store/0lz9p8xhf89kb1c1kk6jxrzskaiygnlh-bash-5.2-p15",
    ],
    ['enum [ "a" 1 ]', "1", 1],
    ["nullOr str", "null", null],
    ["listOf int", "[ 1 2 ]", [1, 2]],
    ["attrsOf int", "{ a = 1; }", { a: 1 }],
    ["lazyAttrsOf int", "{ a = 1; }", { a: 1 }],
    ["attrs", "{ a.b = 1; }", { a: { b: 1 } }],
    ["either int str", '"s"', "s"],
    ["oneOf [ int str bool ]", "true", true],
    ["coercedTo int toString str", "3", "3"],
    ["uniq int", "1", 1],
    ["anything", "{ a = [ 1 ]; }", { a: [1] }],
    ["json", "{ a = [ 1 null { b = true; } ]; }", { a: [1, null, { b: true }] }],
    ["attrTag { a = lib.mkOption { type = int; }; }", "{ a = 1; }", { a: 1 }],
    ["let t = oneOf [ int (attrsOf t) ]; in t", "{ a.b = 1; }", { a: { b: 1 } }],
  ])("%s accepts %s", (type, value, expected) => {
    expect(merge(type, value)).toEqual(expected);
  });

  it.each([
    ["bool", "1"],
    ["int", "1.5"],
    ["ints.u8", "256"],
    ["ints.positive", "0"],
    ["ints.between 1 3", "4"],
    ["str", "10.4"],
    ["nonEmptyStr", '" \\n"'],
    ["singleLineStr", '"a\\nb"'],
    ['strMatching "[0-9]+"', '"x"'],
    ["path", '"a/b"'],
    ["pathInStore", '"/nix/store/x"'],
    ["externalPath", '"/nix/store/0lz9p8xhf89kb1c1kk6jxrzskaiygnlh-bash"'],
    ["package", '"text"'],
    ['enum [ "a" ]', '"b"'],
    ["nullOr int", '"s"'],
    ["listOf int", "{ }"],
    ["nonEmptyListOf int", "[ ]"],
    ["attrsOf int", "[ ]"],
    ["either int bool", '"s"'],
    ["functionTo int", "1"],
    ["attrTag { a = lib.mkOption { type = int; }; }", "{ b = 1; }"],
    ["addCheck int (x: x > 5)", "3"],
  ])("%s refuses %s", (type, value) => {
    expect(() => merge(type, value)).toThrow("is not of type");
  });

  it("check what is inside of composites", () => {
    expect(() => merge("listOf int", '[ 1 "a" ]')).toThrow(
      "A definition for option `x.\"[definition 1-entry 2]\"' is not of type `signed integer'",
    );
    expect(() => merge("attrsOf (listOf str)", "{ a = [ 1 ]; }")).toThrow(
      "option `x.a.\"[definition 1-entry 1]\"' is not of type `string'",
    );
  });

  it.each([
    ["lines", ['"a"', '"b"'], "b\na"],
    ["listOf int", ["[ 1 ]", "[ 2 ]"], [2, 1]],
    ["attrsOf int", ["{ a = 1; }", "{ b = 2; }"], { a: 1, b: 2 }],
    ["anything", ["{ a.b = 1; }", "{ a.c = 2; }"], { a: { b: 1, c: 2 } }],
    ["str", ['"same"', '"same"'], "same"],
    ["unspecified", ["[ 1 ]", "[ 2 ]"], [2, 1]],
    ["boolByOr", ["true", "false"], true],
  ])("%s merges %s", (type, definitions, expected) => {
    expect(merge(type, ...definitions)).toEqual(expected);
  });

  it("merge functions by their results", () => {
    expect(
      nix(`with lib.types; let f = (lib.evalModules { modules = [ { options.f = lib.mkOption { type = functionTo (listOf int); }; } { f = { a, ... }: [ a ]; } { f = { b ? 2, ... }: [ b ]; } ]; }).config.f;
      in [ (f { a = 1; }) (lib.functionArgs f) ]`),
    ).toEqual([[2, 1], { a: false, b: true }]);
  });

  it("keep elements of lazyAttrsOf lazy", () => {
    expect(
      nix(
        `with lib.types; builtins.attrNames (lib.evalModules { modules = [ { options.x = lib.mkOption { type = lazyAttrsOf int; }; } { x.a = throw "a"; } ]; }).config.x`,
      ),
    ).toEqual(["a"]);
    expect(() =>
      nix(
        `with lib.types; builtins.attrNames (lib.evalModules { modules = [ { options.x = lib.mkOption { type = attrsOf int; }; } { x.a = throw "a"; } ]; }).config.x`,
      ),
    ).toThrow("a");
  });

  it("drop elements whose condition is false", () => {
    expect(merge("attrsOf int", "{ a = lib.mkIf false 1; b = lib.mkIf true 2; }")).toEqual({ b: 2 });
    expect(merge("listOf int", "[ (lib.mkIf false 1) 2 ]")).toEqual([2]);
  });

  it.each([
    ["nullOr (listOf str)", "null or (list of string)"],
    ["attrsOf (either int (listOf str))", "attribute set of (signed integer or list of string)"],
    ["either ints.positive str", "positive integer, meaning >0, or string"],
    ["coercedTo int toString str", "string or signed integer convertible to it"],
    ['enum [ "a" 1 true ]', 'one of "a", 1, true'],
    ["nonEmptyListOf (submodule { })", "non-empty (list of (submodule))"],
    ["submodule { freeformType = attrsOf int; }", "open submodule of attribute set of signed integer"],
    ["functionTo (nullOr int)", "function that evaluates to a(n) (null or signed integer)"],
  ])("%s describes itself", (type, expected) => {
    expect(description(type)).toBe(expected);
  });

  it("work when Nix code changes them", () => {
    expect(
      merge(
        'str // { check = x: lib.hasPrefix "a" x; merge = loc: defs: lib.concatMapStrings (d: d.value) defs; }',
        '"ab"',
        '"ac"',
      ),
    ).toBe("acab");
    expect(
      merge(
        'lib.mkOptionType { name = "even"; check = x: lib.mod x 2 == 0; merge = loc: defs: lib.foldl (a: d: a + d.value) 0 defs; }',
        "2",
        "4",
      ),
    ).toBe(6);
    expect(() =>
      merge('lib.mkOptionType { name = "even"; description = "even number"; check = x: lib.mod x 2 == 0; }', "3"),
    ).toThrow("is not of type `even number'");
    expect(merge("listOf (int // { check = x: x == 3; })", "[ 3 ]")).toEqual([3]);
  });

  it("merge declarations of one option", () => {
    const declared = (a: string, b: string): unknown =>
      nix(
        `with lib.types; (lib.evalModules { modules = [ { options.x = lib.mkOption { type = ${a}; }; } { options.x = lib.mkOption { type = ${b}; }; } ]; }).options.x.type.description`,
      );
    expect(declared('enum [ "a" ]', 'enum [ "b" ]')).toBe('one of "b", "a"');
    expect(declared("listOf (enum [ 1 ])", "listOf (enum [ 2 ])")).toBe("list of (one of 2, 1)");
    expect(() => declared("int", "str")).toThrow("is already declared in");
    expect(() => declared("attrsOf int", "lazyAttrsOf int")).toThrow("is already declared in");
  });
});
