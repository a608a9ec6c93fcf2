import { describe, expect, it } from "vitest";
import { D2nError } from "../base/index.ts";
import { MemoryHost } from "../lang/testing.ts";
import { createWorld } from "./testing.ts";

const { nix } = createWorld(
  new MemoryHost({
    files: {
      "/project/options.nix": `{ lib, ... }: {
  options.name = lib.mkOption { type = lib.types.str; };
  options.version = lib.mkOption { type = lib.types.str; };
  options.fixed = lib.mkOption { type = lib.types.int; default = 1; readOnly = true; };
  options.pip.requirementsList = lib.mkOption { type = lib.types.listOf lib.types.str; default = [ ]; };
  options.pip.flattenDependencies = lib.mkOption { type = lib.types.bool; default = false; };
  options.deps = lib.mkOption { type = lib.types.attrsOf (lib.types.submodule { options.doCheck = lib.mkOption { type = lib.types.bool; }; }); default = { }; };
}
`,
      "/project/typo.nix": `{
  pip = {
    requirementList = [ "pillow" ];
  };
}
`,
      "/project/typo2.nix": `{ lib, ... }: {
  pip.requirementList = lib.mkIf true [ "requests" ];
  pip.flatten = true;
}
`,
      "/project/version.nix": `{ lib, ... }:
{
  name = "pillow";
  version = 10.4;
}
`,
      "/project/other-name.nix": `{ name = "requests"; }`,
      "/project/nested.nix": `{
  deps.pillow.doCheck = "yes";
}
`,
      "/project/nested-typo.nix": `{
  deps.pillow = {
    doCheck = true;
    doChek = false;
  };
}
`,
      "/project/fixed.nix": `{ fixed = 2; }`,
      "/project/mixed.nix": `{
  config.name = "a";
  version = "1";
}
`,
      "/project/not-a-set.nix": `{ pip = "pillow"; }`,
    },
  }),
);

function failure(modules: string, path: string): D2nError {
  try {
    nix(`(lib.evalModules { modules = [ ./options.nix ${modules} ]; }).config${path}`);
  } catch (error) {
    if (error instanceof D2nError) return error;
    throw error;
  }
  throw new Error("this should have failed");
}

/** What a user sees of an error, but for its trace. */
function shown(error: D2nError): object {
  const { code, message, details, hint, location } = error;
  const place =
    location === undefined ? undefined : `${location.file}:${location.line}:${location.column} ${location.text ?? ""}`;
  return { code, message, details, hint, place };
}

describe("messages", () => {
  it("an unknown option: its name, every definition, what was meant", () => {
    expect(shown(failure("./typo.nix ./typo2.nix", ".name"))).toMatchInlineSnapshot(`
      {
        "code": "option-unknown",
        "details": "Definition values:
      - In \`/project/typo2.nix:3:3': true
      Nor do these exist: \`pip.requirementList' (/project/typo2.nix:2:3, /project/typo.nix:3:5)",
        "hint": undefined,
        "message": "The option \`pip.flatten' does not exist",
        "place": "/project/typo2.nix:3:3   pip.flatten = true;",
      }
    `);
  });

  it("a wrong type: option, type, value, place", () => {
    expect(shown(failure("./version.nix", ".version"))).toMatchInlineSnapshot(`
      {
        "code": "option-type",
        "details": "Definition values:
      - In \`/project/version.nix:4:3': 10.4",
        "hint": "Put it in quotes: \`"10.4"\`.",
        "message": "A definition for option \`version' is not of type \`string'",
        "place": "/project/version.nix:4:3   version = 10.4;",
      }
    `);
  });

  it("a missing definition", () => {
    expect(shown(failure("", ".version"))).toMatchInlineSnapshot(`
      {
        "code": "option-missing",
        "details": undefined,
        "hint": "Nothing defines it and it has no default: set \`version\`.",
        "message": "The option \`version' was accessed but has no value defined",
        "place": "«string»:1:1 (lib.evalModules { modules = [ ./options.nix  ]; }).config.version",
      }
    `);
  });

  it("conflicting definitions, all of them", () => {
    expect(shown(failure("./version.nix ./other-name.nix", ".name"))).toMatchInlineSnapshot(`
      {
        "code": "option-conflict",
        "details": "Definition values:
      - In \`/project/other-name.nix:1:3': "requests"
      - In \`/project/version.nix:3:3': "pillow"",
        "hint": "Use \`lib.mkForce value\` or \`lib.mkDefault value\` to change the priority of one of them.",
        "message": "The option \`name' has conflicting definition values",
        "place": "/project/other-name.nix:1:3 { name = "requests"; }",
      }
    `);
  });

  it("a wrong type deep inside of a submodule", () => {
    expect(shown(failure("./nested.nix", ".deps.pillow.doCheck"))).toMatchInlineSnapshot(`
      {
        "code": "option-type",
        "details": "Definition values:
      - In \`/project/nested.nix:2:3': "yes"",
        "hint": undefined,
        "message": "A definition for option \`deps.pillow.doCheck' is not of type \`boolean'",
        "place": "/project/nested.nix:2:3   deps.pillow.doCheck = "yes";",
      }
    `);
  });

  it("an unknown option of a submodule", () => {
    expect(shown(failure("./nested-typo.nix", ".deps.pillow.doCheck"))).toMatchInlineSnapshot(`
      {
        "code": "option-unknown",
        "details": "Definition values:
      - In \`/project/nested-typo.nix:4:5': false",
        "hint": "did you mean \`deps.pillow.doCheck\`?",
        "message": "The option \`deps.pillow.doChek' does not exist",
        "place": "/project/nested-typo.nix:4:5     doChek = false;",
      }
    `);
  });

  it("a read-only option that is set again", () => {
    expect(shown(failure("./fixed.nix", ".fixed"))).toMatchInlineSnapshot(`
      {
        "code": "option-read-only",
        "details": "Definition values:
      - In \`/project/options.nix': 1
      - In \`/project/fixed.nix:1:3': 2",
        "hint": undefined,
        "message": "The option \`fixed' is read-only, but it's set multiple times",
        "place": "/project/fixed.nix:1:3 { fixed = 2; }",
      }
    `);
  });

  it("a module with both forms", () => {
    expect(shown(failure("./mixed.nix", ".name"))).toMatchInlineSnapshot(`
      {
        "code": "module-invalid",
        "details": undefined,
        "hint": "This is caused by introducing a top-level \`config' or \`options' attribute. Add configuration attributes immediately on the top level instead, or move all of them (namely: version) into the explicit \`config' attribute.",
        "message": "Module \`/project/mixed.nix' has an unsupported attribute \`version'",
        "place": "/project/mixed.nix:3:3   version = "1";",
      }
    `);
  });

  it("text where options are expected", () => {
    expect(shown(failure("./not-a-set.nix", ".pip.requirementsList"))).toMatchInlineSnapshot(`
      {
        "code": "option-type",
        "details": "Definition values:
      - In \`/project/not-a-set.nix:1:3': "pillow"",
        "hint": "There are options inside of \`pip': set one of them.",
        "message": "In module \`/project/not-a-set.nix', a value of type string is defined rather than an attribute set for the option \`pip'",
        "place": "/project/not-a-set.nix:1:3 { pip = "pillow"; }",
      }
    `);
  });

  it("something else than a module among the modules", () => {
    expect(shown(failure("3", ".name"))).toMatchInlineSnapshot(`
      {
        "code": "module-invalid",
        "details": undefined,
        "hint": "A module is a path, a function, or an attribute set.",
        "message": "Expected a module, but found an integer",
        "place": "«string»:1:1 (lib.evalModules { modules = [ ./options.nix 3 ]; }).config.name",
      }
    `);
    expect(shown(failure("[ ./fixed.nix ]", ".name"))).toMatchInlineSnapshot(`
      {
        "code": "module-invalid",
        "details": undefined,
        "hint": "Imports can't be nested lists; perhaps you meant to remove one level of lists, or to join lists with \`++\`.",
        "message": "Expected a module, but found a list",
        "place": "«string»:1:1 (lib.evalModules { modules = [ ./options.nix [ ./fixed.nix ] ]; }).config.name",
      }
    `);
    expect(shown(failure('{ _type = "flake"; }', ".name"))).toMatchInlineSnapshot(`
      {
        "code": "module-invalid",
        "details": undefined,
        "hint": "This is a whole flake; perhaps you forgot to select a module of it, for instance \`.modules.<class>.default\`.",
        "message": "Expected a module, but found a value of type "flake"",
        "place": "«string»:1:1 (lib.evalModules { modules = [ ./options.nix { _type = "flake"; } ]; }).config.name",
      }
    `);
    expect(shown(failure("./missing.nix", ".name"))).toMatchInlineSnapshot(`
      {
        "code": "evaluation",
        "details": undefined,
        "hint": undefined,
        "message": "path '/project/missing.nix' does not exist",
        "place": "«string»:1:1 (lib.evalModules { modules = [ ./options.nix ./missing.nix ]; }).config.name",
      }
    `);
  });

  it("a type that is not wrapped in mkOption", () => {
    expect(shown(failure("{ options.x = lib.types.str; }", ".x"))).toMatchInlineSnapshot(`
      {
        "code": "option-declaration",
        "details": undefined,
        "hint": "Wrap the type in a \`mkOption\` call: \`lib.mkOption { type = …; description = …; }\`.",
        "message": "In module \`<unknown-file>': expected an option declaration at option path \`x' but got an attribute set with type option-type",
        "place": "�string�:1:48 ",
      }
    `);
  });

  it("can be caught by tryEval", () => {
    expect(nix("(builtins.tryEval (lib.evalModules { modules = [ ./options.nix ]; }).config.name).success")).toBe(
      false,
    );
  });
});
