/**
 * The words of the module system: locations, definitions, option types, configurations.
 */
import type { Attrs, Evaluator, Lazy, LazyPosition, Native, NativeValue, Value } from "../lang/index.ts";
import type { NativeModule } from "./define.ts";
import type { View } from "./view.ts";

/** The path of an option: `["pip", "requirementsList"]`. */
export type OptionPath = readonly string[];

/** One definition of an option: a value, and where it came from. */
export interface Definition {
  /** The file, or whatever else names the module, as messages show it. */
  readonly file: string;
  readonly value: Lazy;
  /** Where the attribute stands in its file, if anybody knows. */
  readonly position?: LazyPosition;
}

/**
 * An option type. Every one has a Nix value (`[nixValue]`) that Nix code can look into, change with `//`, and hand back:
 * `Types.from` turns it into an `OptionType` again.
 */
export interface OptionType extends NativeValue {
  readonly name: string;
  /** A phrase for messages and documentation: "list of string". */
  readonly description: string;
  /** How the phrase binds when it becomes part of another: noun, composite, conjunction, nonRestrictiveClause. */
  readonly descriptionClass: string | null;
  readonly deprecationMessage: string | null;
  /** Whether a value is of this type as far as can be told without evaluating what is inside of it. */
  readonly check: (value: Lazy) => boolean;
  /** Makes one value out of all definitions, which have passed `check`. There is at least one. */
  readonly merge: (path: OptionPath, definitions: readonly Definition[]) => Lazy;
  /** The value without any definition; undefined where there is none. */
  readonly emptyValue: () => Lazy | undefined;
  /** The options inside, for documentation. */
  readonly subOptions: (prefix: OptionPath) => Lazy;
  /** The modules that a submodule type is made of; null for other types. */
  readonly subModules: () => readonly Lazy[] | null;
  /** The same type with other modules. */
  readonly withSubModules: (modules: readonly Lazy[]) => OptionType;
  /** The type of an option that is declared with both types; null if they do not go together. */
  readonly mergeWith: (other: Functor) => OptionType | null;
  readonly functor: Functor;
  readonly nestedTypes: Readonly<Record<string, OptionType>>;
}

/** How a type merges with another declaration's: types of one name are joined by what they were made of. */
export interface Functor extends NativeValue {
  readonly name: string;
  /** What the type was made of; null for types that are made of nothing. */
  readonly payload: () => Attrs | null;
  /** The type for a payload; `null` asks for the type without one. */
  readonly make: (payload: Attrs | null) => OptionType | null;
  readonly join: (mine: Attrs, other: Attrs) => Attrs | null;
}

export interface SubmoduleSettings {
  readonly modules: readonly ModuleLike[];
  readonly specialArgs?: Native;
  /** True: an attribute set is a configuration, never a module with `imports` and `options`; null: another declaration decides. */
  readonly shorthandOnlyDefinesConfig?: boolean | null;
  readonly description?: string | null;
  readonly class?: string | null;
}

/** nixpkgs' `lib.types`, for native code. */
export interface Types {
  readonly raw: OptionType;
  readonly anything: OptionType;
  readonly unspecified: OptionType;
  readonly bool: OptionType;
  readonly boolByOr: OptionType;
  readonly int: OptionType;
  readonly ints: {
    readonly unsigned: OptionType;
    readonly positive: OptionType;
    readonly u8: OptionType;
    readonly u16: OptionType;
    readonly u32: OptionType;
    readonly s8: OptionType;
    readonly s16: OptionType;
    readonly s32: OptionType;
    between(lowest: number, highest: number): OptionType;
  };
  readonly port: OptionType;
  readonly float: OptionType;
  readonly number: OptionType;
  readonly numbers: {
    readonly nonnegative: OptionType;
    readonly positive: OptionType;
    between(lowest: number, highest: number): OptionType;
  };
  readonly str: OptionType;
  readonly nonEmptyStr: OptionType;
  readonly singleLineStr: OptionType;
  strMatching(pattern: string): OptionType;
  separatedString(separator: string): OptionType;
  readonly lines: OptionType;
  readonly commas: OptionType;
  readonly envVar: OptionType;
  readonly path: OptionType;
  readonly pathInStore: OptionType;
  readonly externalPath: OptionType;
  pathWith(wanted: { readonly inStore?: boolean | null; readonly absolute?: boolean | null }): OptionType;
  readonly package: OptionType;
  readonly shellPackage: OptionType;
  readonly pkgs: OptionType;
  readonly attrs: OptionType;
  enum(values: readonly Native[]): OptionType;
  nullOr(type: OptionType): OptionType;
  listOf(type: OptionType): OptionType;
  nonEmptyListOf(type: OptionType): OptionType;
  attrsOf(type: OptionType): OptionType;
  lazyAttrsOf(type: OptionType): OptionType;
  attrsWith(settings: {
    readonly elemType: OptionType;
    readonly lazy?: boolean;
    readonly placeholder?: string;
  }): OptionType;
  readonly attrTag: (tags: Native) => OptionType;
  uniq(type: OptionType): OptionType;
  unique(message: string, type: OptionType): OptionType;
  either(left: OptionType, right: OptionType): OptionType;
  oneOf(types: readonly OptionType[]): OptionType;
  coercedTo(from: OptionType, coerce: (value: Lazy) => Native, to: OptionType): OptionType;
  functionTo(type: OptionType): OptionType;
  submodule(modules: ModuleLike | readonly ModuleLike[]): OptionType;
  submoduleWith(settings: SubmoduleSettings): OptionType;
  readonly deferredModule: OptionType;
  deferredModuleWith(settings: { readonly staticModules?: readonly ModuleLike[] }): OptionType;
  readonly optionType: OptionType;
  readonly optionDeclaration: OptionType;
  readonly json: OptionType;
  readonly toml: OptionType;
  readonly addCheck: (type: OptionType, check: (value: Lazy) => boolean) => OptionType;
  /** The type that a Nix value is: one of ours, changed with `//` or not, or made by `mkOptionType`. */
  readonly from: (value: Lazy) => OptionType;
}

/** What `imports`, `modules` and submodules take: a native module, or a Nix value (function, set, path). */
export type ModuleLike = NativeModule | Native;

export interface EvalModulesArguments {
  readonly modules: readonly ModuleLike[];
  readonly specialArgs?: Native;
  readonly prefix?: OptionPath;
  readonly class?: string | null;
}

/** The outcome of `evalModules`. Nothing is computed before it is asked for. */
export interface Configuration extends NativeValue {
  /** The merged configuration, without `_module`. Reading any of it checks first that every definition has an option. */
  readonly config: View;
  readonly options: View;
  /** `config._module`: args, freeformType, check. */
  readonly module: View;
  readonly value: Attrs;
  extendModules(more: {
    readonly modules?: readonly ModuleLike[];
    readonly specialArgs?: Native;
    readonly prefix?: OptionPath;
  }): Configuration;
  /** The submodule type of these modules. */
  readonly type: OptionType;
}

/** The module system over one evaluator. */
export interface ModuleSystem {
  readonly ev: Evaluator;
  readonly types: Types;
  /** nixpkgs' `lib` with everything of the module system in it. */
  readonly lib: Attrs;
  /** The Nix value of a native module, always the same one for the same module. */
  module(module: ModuleLike): Value;
  evalModules(args: EvalModulesArguments): Configuration;
  view(value: Native, name?: string): View;
}
