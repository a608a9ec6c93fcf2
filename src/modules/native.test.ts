import { describe, expect, it } from "vitest";
import type { Attrs } from "../lang/index.ts";
import { forceText, type Lazy, nativeFormals, nixValue, toNix } from "../lang/index.ts";
import {
  defineModule,
  literalExpression,
  mkBefore,
  mkDefault,
  mkForce,
  mkIf,
  mkMerge,
  mkOption,
  optionDocs,
} from "./index.ts";
import { MemoryHost } from "../lang/testing.ts";
import { createWorld, plain } from "./testing.ts";

const base = defineModule({
  file: "test/base",
  args: ["packageSets"],
  options: ({ types, config }) => ({
    name: mkOption({ type: types.str, description: "What the package is called." }),
    title: mkOption({
      type: types.str,
      get default() {
        return config.at("name");
      },
      defaultText: literalExpression("config.name"),
    }),
    flags: mkOption({ type: types.listOf(types.str), default: [], example: ["-v"] }),
    enable: mkOption({ type: types.bool, default: false }),
    tool: mkOption({ type: types.raw, internal: true }),
    upper: mkOption({ type: types.str, default: "x", apply: (value: Lazy) => forceText(value).toUpperCase() }),
  }),
  config: ({ config, packageSets }) => ({
    get tool() {
      return mkDefault(packageSets.at("nixpkgs", "tool"));
    },
    flags: mkMerge([mkBefore(["--first"]), mkIf(() => config.at("enable").bool(), ["--enabled"])]),
  }),
});

const user = defineModule({
  file: "test/user",
  imports: () => [base, base],
  config: () => ({ name: "demo", enable: true }),
});

const packageSets = {
  nixpkgs: {
    tool: "hammer",
    get other(): never {
      throw new Error("nobody asked for this");
    },
  },
};

describe("defineModule", () => {
  it("is evaluated lazily, once, with the arguments it asks for", () => {
    const { system } = createWorld(new MemoryHost());
    const { config } = system.evalModules({ modules: [user, base], specialArgs: { packageSets } });
    expect(plain(config.get())).toEqual({
      enable: true,
      flags: ["--first", "--enabled"],
      name: "demo",
      title: "demo",
      tool: "hammer",
      upper: "X",
    });
  });

  it("mixes with modules written in Nix, each importing the other", () => {
    const { ev, system } = createWorld(new MemoryHost());
    const scope = new Map<string, Lazy>([
      ["lib", system.lib],
      ["base", system.module(base)],
      ["packageSets", toNix(packageSets)],
    ]);
    const value = ev.evaluate(
      `let e = lib.evalModules {
        specialArgs = { inherit packageSets; };
        modules = [ ({ config, lib, ... }: { imports = [ base base ]; name = "from nix"; upper = "\${config.title}!"; tool = lib.mkForce "saw"; }) ];
      }; in [ e.config.name e.config.upper e.config.tool e.options.name.declarations (lib.functionArgs base) ]`,
      { basePath: "/", scope },
    );
    expect(plain(value)).toEqual([
      "from nix",
      "FROM NIX!",
      "saw",
      ["test/base"],
      { config: false, lib: false, options: false, packageSets: false },
    ]);
  });

  it("is named in messages", () => {
    const { system } = createWorld(new MemoryHost());
    const wrong = defineModule({ file: "test/wrong", config: () => ({ flags: "no list" }) });
    const { config } = system.evalModules({ modules: [base, wrong], specialArgs: { packageSets } });
    expect(() => config.at("flags").get()).toThrow(
      expect.objectContaining({
        code: "option-type",
        details: 'Definition values:\n- In `test/wrong\': "no list"',
      }) as Error,
    );
    const typo = defineModule({ file: "test/typo", config: () => ({ flag: [] }) });
    expect(() => system.evalModules({ modules: [base, typo], specialArgs: { packageSets } }).config.names()).toThrow(
      expect.objectContaining({ code: "option-unknown", hint: "did you mean `flags`?" }) as Error,
    );
  });

  it("extends, and gives a submodule type", () => {
    const { system } = createWorld(new MemoryHost());
    const evaluation = system.evalModules({ modules: [user], specialArgs: { packageSets } });
    const more = evaluation.extendModules({ modules: [{ name: mkForce("other") }] });
    expect(more.config.at("title").text()).toBe("other");
    const outer = system.evalModules({
      modules: [
        defineModule({
          file: "test/outer",
          options: ({ types }) => ({ inner: mkOption({ type: types.attrsOf(evaluation.type), default: {} }) }),
          config: () => ({ inner: { a: { title: "inside" } } }),
        }),
      ],
    });
    expect(outer.config.at("inner", "a", "title").text()).toBe("inside");
    expect(outer.config.at("inner", "a", "name").text()).toBe("demo");
  });

  it("takes native modules in submodule types and functions of declared arguments in option values", () => {
    const { system } = createWorld(new MemoryHost());
    const inner = defineModule({
      file: "test/inner",
      args: ["name"],
      options: ({ types, name }) => ({
        id: mkOption({
          type: types.str,
          get default() {
            return name;
          },
        }),
      }),
    });
    const outer = defineModule({
      file: "test/outer",
      options: ({ types }) => ({
        subs: mkOption({ type: types.attrsOf(types.submodule(inner)), default: {} }),
        make: mkOption({ type: types.raw }),
      }),
      config: () => ({
        subs: { x: {}, 10: {}, 9: {} },
        make: nativeFormals("make", { a: false }, (args) => args.get("a")),
      }),
    });
    const { config } = system.evalModules({ modules: [outer] });
    expect(plain(config.at("subs").get())).toEqual({ 10: { id: "10" }, 9: { id: "9" }, x: { id: "x" } });
    expect(config.at("subs").names()).toEqual(["10", "9", "x"]);
    expect(config.at("make").call({ a: 3 }).number()).toBe(3);
  });
});

describe("View", () => {
  const { system } = createWorld(new MemoryHost());
  const view = system.view(
    {
      set: {
        text: "a",
        number: 1,
        list: ["x", "y"],
        get broken(): never {
          throw new Error("forced");
        },
      },
    },
    "config",
  );

  it("forces only what is read", () => {
    expect(view.at("set", "text").text()).toBe("a");
    expect(view.has("set", "broken")).toBe(true);
    expect(view.has("set", "text", "deeper")).toBe(false);
    expect(view.at("set", "list").texts()).toEqual(["x", "y"]);
    expect(view.or(["set", "none"], 7).number()).toBe(7);
    expect(() => view.at("set", "broken").get()).toThrow("forced");
  });

  it("says what is wrong, and where", () => {
    expect(() => view.at("set", "txt").get()).toThrow("attribute `txt` missing in `config.set`");
    expect(() => view.at("set", "number").text()).toThrow("`config.set.number` is an integer, but a string is needed");
    expect(() => view.at("set", "text", "x").get()).toThrow(
      "`config.set.text` is a string, not a set, so it has no attribute `x`",
    );
  });

  it("never loses the context of a string", () => {
    const withContext = system.ev.evaluate(
      'builtins.appendContext "x" { "/nix/store/0lz9p8xhf89kb1c1kk6jxrzskaiygnlh-a" = { path = true; }; }',
      { basePath: "/" },
    );
    const string = system.view(withContext, "config.path");
    expect(() => string.text()).toThrow("refers to store paths where plain text is needed");
    expect(string.textWithoutContext()).toBe("x");
    expect(system.view({ inner: string }).at("inner")[nixValue]).toBeDefined();
    expect(string.string()).toBe(withContext);
  });
});

describe("optionDocs()", () => {
  it("describes every option as plain data", () => {
    const { system } = createWorld(new MemoryHost());
    const { options } = system.evalModules({ modules: [user], specialArgs: { packageSets } });
    const docs = optionDocs(system, options).filter(({ path }) => path[0] !== "_module");
    expect(docs.map(({ name, type }) => [name, type])).toEqual([
      ["enable", "boolean"],
      ["flags", "list of string"],
      ["name", "string"],
      ["title", "string"],
      ["tool", "raw value"],
      ["upper", "string"],
    ]);
    expect(docs.find(({ name }) => name === "title")).toMatchObject({
      default: { text: "config.name", markdown: false },
      declarations: ["test/base"],
    });
    expect(docs.find(({ name }) => name === "flags")).toMatchObject({
      default: { text: "[ ]" },
      example: { text: '[\n  "-v"\n]' },
    });
    expect(docs.find(({ name }) => name === "name")).toMatchObject({
      description: "What the package is called.",
      default: null,
    });
    expect(docs.find(({ name }) => name === "tool")).toMatchObject({ internal: true });
  });
});

it("Attrs keep integer-like keys in byte order", () => {
  expect((toNix({ 2: 1, 10: 2 }) as Attrs).names()).toEqual(["10", "2"]);
});
