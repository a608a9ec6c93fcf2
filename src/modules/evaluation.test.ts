import { describe, expect, it } from "vitest";
import { MemoryHost } from "../lang/testing.ts";
import { createWorld } from "./testing.ts";

const { nix, host } = createWorld(
  new MemoryHost({
    files: {
      "/project/base.nix":
        "{ lib, ... }: { options.names = lib.mkOption { type = lib.types.listOf lib.types.str; default = [ ]; }; }",
      "/project/cyclic.nix": '{ imports = [ ./base.nix ./cyclic.nix ]; names = [ "cyclic" ]; }',
      "/project/twice.nix": '{ imports = [ ./cyclic.nix ./base.nix ./cyclic.nix ]; names = [ "twice" ]; }',
    },
  }),
);

/** Evaluates the configuration of modules given as Nix list elements. */
function config(modules: string, path = ""): unknown {
  return nix(`(lib.evalModules { modules = [ ${modules} ]; }).config${path}`);
}

const strings = "{ options.x = lib.mkOption { type = lib.types.listOf lib.types.str; default = [ ]; }; }";

describe("evalModules", () => {
  it("merges definitions, later modules first", () => {
    expect(config(`${strings} { x = [ "a" ]; } { x = [ "b" ]; }`, ".x")).toEqual(["b", "a"]);
  });

  it("orders by mkBefore and mkAfter, keeping the order of equals", () => {
    expect(
      config(
        `${strings} { x = lib.mkAfter [ "z" ]; } { x = [ "m" ]; } { x = lib.mkBefore [ "a" ]; } { x = lib.mkOrder 999 [ "l" ]; }`,
        ".x",
      ),
    ).toEqual(["a", "l", "m", "z"]);
  });

  it("lets the strongest priority win", () => {
    expect(config(`${strings} { x = [ "plain" ]; } { x = lib.mkDefault [ "weak" ]; }`, ".x")).toEqual(["plain"]);
    expect(config(`${strings} { x = [ "plain" ]; } { x = lib.mkForce [ "strong" ]; }`, ".x")).toEqual(["strong"]);
    expect(
      config(`${strings} { x = lib.mkOverride 40 [ "strongest" ]; } { x = lib.mkForce [ "strong" ]; }`, ".x"),
    ).toEqual(["strongest"]);
  });

  it("pushes mkIf and mkMerge down, and never looks at conditions of other options", () => {
    const modules = `({ config, ... }: {
      options.a = lib.mkOption { type = lib.types.bool; default = false; };
      options.b = lib.mkOption { default = 0; };
      options.c = lib.mkOption { default = 0; };
      config = lib.mkMerge [ (lib.mkIf config.a { b = 1; }) (lib.mkIf (!config.a) { b = 2; }) (lib.mkIf (throw "not mine") { c = 1; }) ];
    })`;
    expect(config(modules, ".b")).toBe(2);
    expect(() => config(modules, ".c")).toThrow("not mine");
  });

  it("looks at a file once however often it is imported, itself included", () => {
    expect(config("./twice.nix", ".names")).toEqual(["cyclic", "twice"]);
  });

  it("gives functions only the arguments that they use", () => {
    expect(
      nix(`(lib.evalModules {
      specialArgs.special = 1;
      modules = [
        ({ special, given, nobodyPassesThis, lib, ... }: { options.x = lib.mkOption { default = special + given; }; config._module.args.given = 41; })
      ];
    }).config.x`),
    ).toBe(42);
  });

  it("names an argument that nobody gives", () => {
    expect(() => config("({ lib, wanted, ... }: { options.x = lib.mkOption { default = wanted; }; })", ".x")).toThrow(
      "The module argument `wanted' is not given by anybody",
    );
  });

  it("disables modules by path and by key", () => {
    expect(
      nix(
        `(lib.evalModules { modules = [ ./base.nix { key = "k"; names = [ "k" ]; } { disabledModules = [ { key = "k"; } ]; names = [ "on" ]; } ]; }).config.names`,
      ),
    ).toEqual(["on"]);
    expect(config("./twice.nix { disabledModules = [ ./cyclic.nix ]; }", ".names")).toEqual(["twice"]);
  });

  it("refuses modules of another class", () => {
    expect(() => nix(`(lib.evalModules { class = "nixos"; modules = [ { _class = "darwin"; } ]; }).config`)).toThrow(
      '(class: "darwin") cannot be imported',
    );
    expect(nix(`(lib.evalModules { class = "nixos"; modules = [ { _class = "nixos"; } ]; }).config`)).toEqual({});
  });

  it("extends", () => {
    expect(
      nix(`let first = lib.evalModules { modules = [ ${strings} { x = [ "a" ]; } ]; };
      in [ first.config.x (first.extendModules { modules = [ { x = [ "b" ]; } ]; }).config.x ]`),
    ).toEqual([["a"], ["b", "a"]]);
  });

  it("tells about options", () => {
    expect(
      nix(`let o = (lib.evalModules { modules = [ ./base.nix { _file = "mine"; names = [ "n" ]; } ]; }).options.names;
      in { inherit (o) files isDefined highestPrio declarations definitions; loc = o.loc; type = o.type.description; text = "\${o}"; }`),
    ).toEqual({
      files: ["mine"],
      isDefined: true,
      highestPrio: 100,
      declarations: ["/project/base.nix"],
      definitions: [["n"]],
      loc: ["names"],
      type: "list of string",
      text: "names",
    });
  });

  it("merges freeform definitions with declared options", () => {
    const modules = `{ freeformType = lib.types.attrsOf (lib.types.attrsOf lib.types.int); options.a.b = lib.mkOption { default = "declared"; }; config.z.y = 1; }`;
    expect(config(modules)).toEqual({ a: { b: "declared" }, z: { y: 1 } });
    expect(() => config(`${modules} { z.x = "text"; }`, ".z")).toThrow(
      "A definition for option `z.x' is not of type `signed integer'",
    );
  });

  it("applies `apply` after merging", () => {
    expect(
      config('{ options.x = lib.mkOption { type = lib.types.str; apply = x: "<${x}>"; }; } { x = "a"; }', ".x"),
    ).toBe("<a>");
  });

  it("forces no option that is not asked for", () => {
    expect(
      config(
        '{ options.a = lib.mkOption { default = throw "a"; }; options.b = lib.mkOption { default = 1; type = lib.types.int; }; }',
        ".b",
      ),
    ).toBe(1);
    expect(
      config(
        `({ options, ... }: { options.a = lib.mkOption { type = throw "type"; }; options.b = lib.mkOption { default = builtins.attrNames options; }; })`,
        ".b",
      ),
    ).toEqual(["_module", "a", "b"]);
  });

  it("explains an infinite recursion through imports", () => {
    expect(() =>
      config(
        "({ config, ... }: { imports = if config.a then [ ] else [ ]; options.a = lib.mkOption { default = true; }; })",
        ".a",
      ),
    ).toThrow(
      expect.objectContaining({
        name: "InfiniteRecursionError",
        hint: expect.stringContaining("you probably reference `config` in `imports`") as string,
      }) as Error,
    );
  });
});

describe("submodules", () => {
  it("know their name, merge definitions and take modules", () => {
    const modules = `{
      options.packages = lib.mkOption {
        type = lib.types.attrsOf (lib.types.submodule ({ name, config, ... }: {
          options.pname = lib.mkOption { type = lib.types.str; default = name; };
          options.version = lib.mkOption { type = lib.types.str; };
          options.full = lib.mkOption { default = "\${config.pname}-\${config.version}"; };
        }));
      };
    } { packages.a.version = "1"; } { packages.b = { version = "2"; pname = "bee"; }; } { packages.a = { config, ... }: { full = lib.mkForce "a/\${config.version}"; }; }`;
    expect(config(modules, ".packages")).toEqual({
      a: { pname: "a", version: "1", full: "a/1" },
      b: { pname: "bee", version: "2", full: "bee-2" },
    });
  });

  it("join the modules of several declarations", () => {
    expect(
      config(
        `{ options.s = lib.mkOption { type = lib.types.submodule { options.a = lib.mkOption { default = 1; }; }; default = { }; }; }
      { options.s = lib.mkOption { type = lib.types.submodule { options.b = lib.mkOption { default = 2; }; }; }; }`,
        ".s",
      ),
    ).toEqual({ a: 1, b: 2 });
  });

  it("can be declared by the options inside of them", () => {
    expect(
      config(
        `{ options.s = lib.mkOption { type = lib.types.submoduleWith { modules = [ ]; }; default = { }; }; } { options.s.a = lib.mkOption { default = 1; }; }`,
        ".s",
      ),
    ).toEqual({ a: 1 });
  });

  it("are deferred where the type says so", () => {
    expect(
      nix(`let
      outer = lib.evalModules { modules = [ { options.m = lib.mkOption { type = lib.types.deferredModule; default = { }; }; } { m = { x = 1; }; } { m = { lib, ... }: { y = lib.mkDefault 2; }; } ]; };
    in (lib.evalModules { modules = [ outer.config.m { freeformType = lib.types.attrsOf lib.types.int; } ]; }).config`),
    ).toEqual({ x: 1, y: 2 });
  });
});

describe("renamed and removed options", () => {
  it("follow to the new name", () => {
    const modules = `(lib.mkRenamedOptionModule [ "old" ] [ "new" ]) { options.new = lib.mkOption { type = lib.types.int; }; options.warnings = lib.mkOption { default = [ ]; type = lib.types.listOf lib.types.str; }; } { _file = "mine"; old = 3; }`;
    expect(config(modules, ".new")).toBe(3);
    expect(config(modules, ".old")).toBe(3);
    expect(config(modules, ".warnings")).toEqual(["The option `old' defined in `mine' has been renamed to `new'."]);
    expect(host.messages.join("\n")).toContain("Obsolete option `old' is used");
  });

  it("fail an assertion when they are gone", () => {
    expect(
      config(
        `(lib.mkRemovedOptionModule [ "gone" ] "Use something else.") { options.assertions = lib.mkOption { default = [ ]; }; } { _file = "mine"; gone = 1; }`,
        ".assertions",
      ),
    ).toEqual([
      {
        assertion: false,
        message:
          "The option definition `gone' in `mine' no longer has any effect; please remove it.\nUse something else.\n",
      },
    ]);
  });
});
