/**
 * Modules written in TypeScript: the one format of the built-in modules and of users' own.
 *
 * ```ts
 * export const greeting = defineModule({
 *   file: "greeting",
 *   args: ["packageSets"],
 *   imports: () => [core],
 *   options: ({ types }) => ({
 *     greeting: { name: mkOption({ type: types.str, default: "world", description: "Who is greeted." }) },
 *   }),
 *   config: ({ config, packageSets }) => ({
 *     get name() { return mkDefault(config.at("greeting", "name")); },
 *     deps: ({ ... }),
 *   }),
 * });
 * ```
 *
 * What `options` and `config` return is a plain object tree: a getter is a lazy value, a function is a Nix function of one
 * argument (`nativeFunction` and `nativeFormals` make others), a `View`, an `OptionType` or any Nix value stands for itself,
 * `undefined` leaves the attribute out. The tree's shape is what decides whether an option is defined, so what is to
 * depend on `config` goes into a getter, or into `mkIf`, never around the tree.
 */
import type { Evaluator, Lazy, Native, NativeObject } from "../lang/index.ts";
import type { ModuleLike, ModuleSystem, OptionType, Types } from "./types.ts";
import type { View } from "./view.ts";

/** What a native module is given, beside the arguments that it has asked for. */
export interface ModuleScope {
  readonly ev: Evaluator;
  readonly types: Types;
  readonly system: ModuleSystem;
  /** The final configuration. Looking at it is only safe inside of getters, functions and `mkIf` conditions. */
  readonly config: View;
  /** The options: `m.options.at("pip", "editables", "isDefined").bool()`. */
  readonly options: View;
  /** The `lib` of the evaluation. */
  readonly lib: View;
}

export type ScopeWith<Names extends string> = ModuleScope & { readonly [name in Names]: View };

export interface ModuleDefinition<Names extends string> {
  /** What messages call the module; also its identity: a module is taken in once, however often it is imported. */
  readonly file: string;
  /** Set where two modules have the same `file`. */
  readonly key?: string;
  /** `_class`: refuses to be imported into an evaluation of another class. */
  readonly class?: string;
  /** Module arguments to look up, in `specialArgs` or `_module.args`, each when it is first used. */
  readonly args?: readonly Names[];
  /** Modules to import. `config` must not be looked at: imports are known before any option is. */
  readonly imports?: (m: ScopeWith<Names>) => readonly ModuleLike[];
  readonly disabledModules?: (m: ScopeWith<Names>) => readonly Native[];
  readonly options?: (m: ScopeWith<Names>) => NativeObject;
  readonly config?: (m: ScopeWith<Names>) => NativeObject;
  readonly freeformType?: (m: ScopeWith<Names>) => OptionType;
}

const brand = Symbol("native module");

/** A module definition that `imports`, `evalModules` and submodule types accept. */
export interface NativeModule extends ModuleDefinition<string> {
  readonly [brand]: true;
}

/** Declares a module; nothing of it runs before it is imported into an evaluation. */
export function defineModule<const Names extends string = never>(definition: ModuleDefinition<Names>): NativeModule {
  return Object.freeze({ ...definition, [brand]: true }) as unknown as NativeModule;
}

export function isNativeModule(value: unknown): value is NativeModule {
  return typeof value === "object" && value !== null && brand in value;
}

export interface OptionDeclaration {
  readonly type?: OptionType;
  /** The value without a definition. Use a getter for what is computed. */
  readonly default?: Native;
  /** What documentation shows for the default: text, or `literalExpression`. */
  readonly defaultText?: Native;
  readonly example?: Native;
  /** Markdown. */
  readonly description?: string;
  readonly relatedPackages?: Native;
  /** Turns the merged value into the one that others see. */
  readonly apply?: (value: Lazy) => Native;
  readonly readOnly?: boolean;
  /** For the modules' own use: not documented. */
  readonly internal?: boolean;
  /** False hides the option from documentation; "shallow" hides what is below. */
  readonly visible?: boolean | "shallow" | "transparent";
}

/** Declares an option. Getters of the declaration stay lazy. */
export function mkOption(declaration: OptionDeclaration = {}): NativeObject {
  return keepGetters({ _type: "option" }, declaration);
}

/** `mkEnableOption "the cache"`: a boolean, false unless set. */
export function mkEnableOption(types: Types, name: string): NativeObject {
  return mkOption({ type: types.bool, default: false, example: true, description: `Whether to enable ${name}.` });
}

/** Copies properties without calling getters, as `{ ...object }` would. */
export function keepGetters(...objects: readonly object[]): NativeObject {
  const result = {};
  for (const object of objects) Object.defineProperties(result, Object.getOwnPropertyDescriptors(object));
  return result;
}

/** Text that documentation shows as Nix code. */
export function literalExpression(text: string): NativeObject {
  return { _type: "literalExpression", text };
}

/** Definitions that count only if a condition holds. It is looked at when one of the options inside is. */
export function mkIf(condition: boolean | (() => boolean), content: Native): NativeObject {
  if (typeof condition === "boolean") return { _type: "if", condition, content };
  return {
    _type: "if",
    get condition() {
      return condition();
    },
    content,
  };
}

export function mkMerge(contents: readonly Native[]): NativeObject {
  return { _type: "merge", contents };
}

/** Of several definitions those with the lowest number win: 1500 for defaults of options, 1000 `mkDefault`, 100 plain, 50 `mkForce`. */
export function mkOverride(priority: number, content: Native): NativeObject {
  return { _type: "override", priority, content };
}

export const priorities = { optionDefault: 1500, default: 1000, plain: 100, force: 50 } as const;

export function mkOptionDefault(content: Native): NativeObject {
  return mkOverride(priorities.optionDefault, content);
}

export function mkDefault(content: Native): NativeObject {
  return mkOverride(priorities.default, content);
}

export function mkForce(content: Native): NativeObject {
  return mkOverride(priorities.force, content);
}

/** Where a definition of a list or of text comes among others: 500 `mkBefore`, 1000 plain, 1500 `mkAfter`. */
export function mkOrder(priority: number, content: Native): NativeObject {
  return { _type: "order", priority, content };
}

export function mkBefore(content: Native): NativeObject {
  return mkOrder(500, content);
}

export function mkAfter(content: Native): NativeObject {
  return mkOrder(1500, content);
}
