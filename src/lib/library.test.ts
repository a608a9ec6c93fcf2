import { describe, expect, it } from "vitest";
import { D2nError } from "../base/index.ts";
import { createEvaluator } from "../lang/evaluator.ts";
import { Attrs, ContextString, force, forceList, type Lazy, type Value } from "../lang/index.ts";
import { MemoryHost } from "../lang/testing.ts";
import { libraryNamespaces } from "./index.ts";

const host = new MemoryHost({
  files: {
    "/project/pyproject.toml": '[project]\nname = "demo"\nversion = "1.0"\n',
    "/project/broken.toml": '[project]\nname = "demo\nversion = "1.0"\n',
    "/project/broken.json": '{\n  "a": 1,\n  "b": }\n',
    "/project/good.json": '{ "a": [ 1, 2 ] }',
    "/project/src/a.py": "",
    "/project/src/b.o": "",
    "/project/notes.txt": "text\n",
  },
});
const ev = createEvaluator({ host });
const { top, namespaces } = libraryNamespaces(ev, () => lib);
const lib: Attrs = Attrs.from([
  ...Object.entries(top),
  ...Object.entries(namespaces).map(([name, functions]): [string, Lazy] => [
    name,
    Attrs.from(Object.entries(functions)),
  ]),
]);

function evaluate(source: string): Value {
  return ev.evaluate(source, { basePath: "/project", scope: new Map([["lib", lib]]) });
}

function failure(source: string): D2nError {
  try {
    evaluate(`builtins.deepSeq (${source}) null`);
  } catch (error) {
    if (error instanceof D2nError) return error;
    throw error;
  }
  throw new Error("this should have failed");
}

describe("laziness", () => {
  it.each([
    'builtins.attrNames (lib.genAttrs [ "a" ] (n: throw n))',
    "builtins.attrNames (lib.mapAttrs (n: v: throw n) { a = 1; })",
    "builtins.length (lib.mapAttrsToList (n: v: throw n) { a = 1; })",
    "builtins.length (lib.imap0 (i: v: throw v) [ 1 ])",
    'builtins.attrNames (lib.filterAttrs (n: v: true) { a = throw "a"; })',
    'builtins.attrNames (lib.recursiveUpdate { a = throw "a"; } { b = 1; })',
    "builtins.attrNames (lib.concatMapAttrs (n: v: { ${n} = throw n; }) { a = 1; })",
    '(lib.attrByPath [ "a" ] (throw "default") { a = 1; })',
    'lib.optionalString false (throw "text")',
    'lib.optionals false (throw "list")',
    'lib.optionalAttrs false (throw "set")',
    'lib.foldr (a: b: a) (throw "nul") [ 1 2 ]',
    '(lib.fix (self: { a = throw "a"; b = 1; })).b',
    '(lib.fix (lib.extends (final: prev: { b = 2; }) (self: { a = throw "a"; b = 1; }))).b',
    "(lib.cleanSource /does/not/exist)._isLibCleanSourceWith",
    'lib.const 1 (throw "x")',
    '(lib.makeOverridable ({ a }: { b = 1; }) { a = throw "a"; }).b',
    'builtins.attrNames (lib.callPackageWith { a = throw "a"; } ({ a }: { x = a; }) { })',
  ])("%s", (source) => {
    expect(() => evaluate(source)).not.toThrow();
  });
});

describe("string contexts", () => {
  const a = 'builtins.appendContext "a" { "/nix/store/0lz9p8xhf89kb1c1kk6jxrzskaiygnlh-a" = { path = true; }; }';
  it.each([
    `lib.concatStringsSep "," [ (${a}) "b" ]`,
    `lib.concatMapStrings (x: x) [ (${a}) ]`,
    `lib.optionalString true (${a})`,
    `lib.escapeShellArg (${a})`,
    `lib.escapeShellArgs [ (${a}) "b c" ]`,
    `lib.toUpper (${a})`,
    `lib.removePrefix "" (${a})`,
    `lib.removeSuffix "b" (${a})`,
    `lib.trim (${a})`,
    `lib.head (lib.splitString "/" (${a}))`,
    `lib.makeBinPath [ (${a}) ]`,
    `lib.generators.toKeyValue { } { x = ${a}; }`,
    `lib.generators.toINI { } { s.x = ${a}; }`,
    `lib.toShellVars { x = ${a}; y = [ (${a}) ]; }`,
    `lib.cli.toCommandLineShellGNU { } { x = ${a}; }`,
    `lib.replaceStrings [ "x" ] [ "y" ] (${a})`,
    `lib.getExe' { type = "derivation"; outPath = ${a}; } "x"`,
  ])("%s keeps it", (source) => {
    const value = evaluate(source);
    expect(value).toBeInstanceOf(ContextString);
    expect((value as ContextString).context.size).toBe(1);
  });
});

describe("importTOML, importJSON", () => {
  it("read files", () => {
    expect(evaluate("(lib.importTOML ./pyproject.toml).project.name")).toBe("demo");
    expect(forceList(evaluate("(lib.importJSON ./good.json).a"))).toEqual([1, 2]);
  });

  it("name file and line of what is wrong", () => {
    const toml = failure("lib.importTOML ./broken.toml");
    expect(toml.message).toContain("`/project/broken.toml' is not valid TOML");
    expect(toml.location).toMatchObject({ file: "/project/broken.toml", line: 2, text: 'name = "demo' });
    expect(failure("lib.importJSON ./broken.json").location).toMatchObject({
      file: "/project/broken.json",
      line: 3,
      text: '  "b": }',
    });
  });

  it("tell a file that is not there", () => {
    expect(failure("lib.importTOML ./none.toml").message).toContain("/project/none.toml");
  });
});

describe("sources", () => {
  it("say which files belong", () => {
    const names = "map (f: baseNameOf f) (lib.fileset.toList (lib.fileset.fromSource (lib.cleanSource ./src)))";
    expect(forceList(evaluate(names)).map((name) => force(name))).toEqual(["a.py"]);
  });

  it("combine filters and keep names", () => {
    expect(
      evaluate(
        '(lib.cleanSourceWith { src = lib.cleanSource ./src; filter = p: t: !(lib.hasSuffix ".py" p); name = "n"; }).filter "/project/src/a.py" "regular"',
      ),
    ).toBe(false);
    expect(evaluate('(lib.cleanSourceWith { src = lib.cleanSourceWith { src = ./src; name = "inner"; }; }).name')).toBe(
      "inner",
    );
  });

  it("append to a source without copying what is appended", () => {
    const value = evaluate(`lib.cleanSource ${import.meta.dirname} + "/pyproject.toml"`);
    expect((value as ContextString).text).toMatch(/^\/nix\/store\/[0-9a-z]{32}-source\/pyproject\.toml$/);
  });

  it("refuse what is outside of the root of a file set", () => {
    expect(failure("lib.fileset.toSource { root = ./src; fileset = ./notes.txt; }").message).toContain(
      "which is not under the `root`",
    );
    expect(failure("lib.fileset.toSource { root = ./notes.txt; fileset = ./notes.txt; }").message).toContain(
      "is a file, but it should be a directory",
    );
    expect(failure("lib.fileset.union ./none ./src").message).toContain("is a path that does not exist");
  });

  it("compute with file sets", () => {
    const list = (set: string): unknown =>
      forceList(evaluate(`map (f: baseNameOf f) (lib.fileset.toList (${set}))`)).map((name) => force(name));
    expect(list("lib.fileset.union ./notes.txt ./src/b.o")).toEqual(["notes.txt", "b.o"]);
    expect(list("lib.fileset.difference ./src ./src/b.o")).toEqual(["a.py"]);
    expect(list('lib.fileset.intersection ./src (lib.fileset.fileFilter (f: f.hasExt "py") ./.)')).toEqual(["a.py"]);
    expect(list("lib.fileset.unions [ (lib.fileset.maybeMissing ./none) lib.fileset.empty ]")).toEqual([]);
  });
});

describe("bad input", () => {
  it.each([
    [
      "lib.callPackageWith { python = 1; } ({ pyhton }: pyhton) { }",
      'without required argument "pyhton", did you mean "python"?',
    ],
    ['lib.systems.elaborate "vax-vms"', "The platform `vax-vms' is not known here"],
    ['lib.getAttrFromPath [ "a" "b" ] { a = { }; }', "cannot find attribute 'a.b'"],
    ['lib.toInt "x"', 'Could not convert "x" to int'],
    ["lib.last [ ]", "list must not be empty"],
    ["lib.licenses.mitt", "attribute 'mitt' missing"],
    ["lib.getExe 3", "should be a derivation"],
    ["lib.genAttrs 3 (x: x)", "expected a list but found an integer"],
    ["lib.mapAttrsToList (n: v: v) [ ]", "expected a set but found a list"],
    ["lib.strings.concatMapStrings (x: 1) [ 1 ]", "cannot coerce an integer to a string"],
    ["lib.evalModules", "attribute 'evalModules' missing"],
    ['lib.path.append /a "../b"', "contains a `..` component"],
  ])("%s: %s", (source, message) => {
    expect(failure(source).message).toContain(message);
  });
});

describe("functions that nixpkgs' lib has beside its core", () => {
  it.each([
    [
      'toString (lib.gvariant.mkTuple [ [ "it\'s" ] true (lib.gvariant.mkJust (lib.gvariant.mkUint64 7)) ])',
      "@(asbmt) (@as ['it\\'s'],true,just @t 7)",
    ],
    ['lib.generators.mkDconfKeyValue "a" [ 1.5 ]', "a=@ad [1.500000]"],
    ['(lib.network.ipv6.fromString "2001:DB8::ffff/32").address', "2001:db8:0:0:0:0:0:ffff"],
    ['lib.mkEUI64Suffix "66:75:63:6B:20:75"', "6475:63ff:fe6b:2075"],
    ['builtins.toJSON (lib.setAttrMerge "a" [ ] { a = [ 2 ]; } (x: x ++ [ 3 ]))', '{"a":[2,3]}'],
    ["builtins.toJSON (lib.mergeAttrsWithFunc (a: b: a + b) { a = 1; } { a = 3; c = 4; })", '{"a":4,"c":8}'],
    ["builtins.toJSON (lib.uniqList { inputList = [ 1 2 1 ]; acc = [ 2 ]; })", "[1]"],
    ['(lib.kernel.whenHelpers "5.10").whenOlder "5.10" 1', undefined],
    ["lib.licenses.ecl20.shortName", "ECL 2.0"],
  ])("%s", (source, expected) => {
    if (expected === undefined) expect(force((evaluate(source) as Attrs).get("condition")!)).toBe(false);
    else expect(evaluate(source)).toBe(expected);
  });

  it.each([
    ["lib.gvariant.mkValue 5", "mkUchar` for `y"],
    ["(lib.gvariant.mkArray [ ]).type", "Please create empty array with mkEmptyArray."],
    ['(lib.network.ipv6.fromString "1:2:3::4::5").address', "is not a valid IPv6 address"],
    ['(lib.network.ipv6.fromString "::1/129").prefixLength', "should be in range [1;128], got 129"],
    ['lib.mkEUI64Suffix "66:75"', "is not a valid MAC address"],
    ["lib.mergeAttrsNoOverride { } { a = 1; } { a = 2; }", "attribute a given in both attributes"],
    ["lib.converge (x: x + 1) 0", "stack overflow"],
    ["lib.generators.toPlist { } (x: x)", "cannot coerce a function to a string"],
    ["lib.trimWith { middle = true; } null", "middle"],
  ])("%s fails", (source, message) => {
    expect(failure(source).message).toContain(message);
  });
});
