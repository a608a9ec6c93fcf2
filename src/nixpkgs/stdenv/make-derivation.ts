/** `stdenv.mkDerivation`: attributes to a derivation that the standard builder understands. */
import {
  Attrs,
  callFunction,
  EvalError,
  force,
  isCallable,
  isDerivation,
  isString,
  type Lazy,
  lazy,
  NixPath,
  type NixString,
  type Position,
  textOf,
  ThrownError,
  updateAttrs,
} from "../../lang/index.ts";
import { builderFile } from "../builder-files.ts";
import type { Scope } from "../scope.ts";
import {
  attribute,
  developmentOutput,
  expectSet,
  flag,
  fn,
  given,
  listAttribute,
  omit,
  set,
  setAttribute,
  textAttribute,
} from "../values.ts";
import { checkMeta, completeMeta, type MetaContext } from "./check-meta.ts";
import { extendDerivation } from "./extend-derivation.ts";

/** What one standard environment gives its derivations. */
export interface DerivationContext {
  readonly scope: Scope;
  /** The standard environment: its `setup` is what builders source. */
  readonly stdenv: Lazy;
  readonly shell: NixString;
  readonly platformConfig: string;
  /** Build inputs that every package of this environment has. */
  readonly extraNativeBuildInputs: readonly Lazy[];
}

/** Lists of dependencies by attribute; "dev" outputs are taken, null is left out. */
const dependencyLists: readonly string[] = [
  "depsBuildBuild",
  "nativeBuildInputs",
  "depsBuildTarget",
  "depsHostHost",
  "buildInputs",
  "depsTargetTarget",
  "depsBuildBuildPropagated",
  "propagatedNativeBuildInputs",
  "depsBuildTargetPropagated",
  "depsHostHostPropagated",
  "propagatedBuildInputs",
  "depsTargetTargetPropagated",
];

/** Attributes that say something about the package or to this function, not to the builder. */
const notForTheBuilder = new Set([
  "meta",
  "passthru",
  "pos",
  "env",
  "args",
  "builder",
  "realBuilder",
  "checkInputs",
  "nativeCheckInputs",
  "installCheckInputs",
  "nativeInstallCheckInputs",
  "hardeningEnable",
  "hardeningDisable",
  "configurePlatforms",
  "separateDebugInfo",
  "sandboxProfile",
  "propagatedSandboxProfile",
  "__impureHostDeps",
  "__propagatedImpureHostDeps",
  "__darwinAllowLocalNetworking",
  "__ignoreNulls",
  ...dependencyLists,
]);

/**
 * `mkDerivation ATTRS` or `mkDerivation (finalAttrs: ATTRS)`. The result has `overrideAttrs`, whose argument is new attributes,
 * `prev: …` or `final: prev: …`.
 */
export function mkDerivation(context: DerivationContext, argument: Lazy): Attrs {
  const value = force(argument);
  if (isCallable(value))
    return extensible(context, (final) => expectSet(callFunction(value, final), "the attributes of mkDerivation"));
  const attrs = expectSet(value, "the argument of mkDerivation");
  return extensible(context, () => attrs);
}

function extensible(context: DerivationContext, makeAttrs: (final: Lazy) => Attrs): Attrs {
  const box: { attrs?: Attrs; result?: Attrs } = {};
  const overrideAttrs = fn("overrideAttrs", 1, (change) =>
    extensible(context, (final) => {
      const previous = makeAttrs(final);
      return updateAttrs(previous, changedAttrs(change, final, previous));
    }),
  );
  const final = lazy(() =>
    updateAttrs(
      attrs(),
      Attrs.from([
        ["finalPackage", lazy(() => result())],
        ["overrideAttrs", overrideAttrs],
      ]),
    ),
  );
  const attrs = (): Attrs => (box.attrs ??= makeAttrs(final));
  const result = (): Attrs => (box.result ??= derive(context, attrs(), overrideAttrs));
  return result();
}

/** The attributes that an argument of `overrideAttrs` gives. */
export function changedAttrs(change: Lazy, final: Lazy, previous: Attrs): Attrs {
  const value = force(change);
  if (!isCallable(value)) return expectSet(value, "the argument of overrideAttrs");
  const once = callFunction(value, previous);
  // `final: prev: …`: what came back wants another argument.
  if (isCallable(once) && !(once instanceof Attrs && !once.has("__functor")))
    return expectSet(callFunction(value, final, previous), "the result of overrideAttrs");
  return expectSet(once, "the result of overrideAttrs");
}

function derive(context: DerivationContext, attrs: Attrs, overrideAttrs: Lazy): Attrs {
  const { scope } = context;
  const name = lazy(() => packageName(attrs));
  const outputs = (): string[] => outputsOf(attrs);
  const args = lazy(() => derivationArguments(context, attrs, force(name) as NixString));
  const passthru = setAttribute(attrs, "passthru");
  const meta = lazy(() => setAttribute(attrs, "meta"));
  const metaContext = (): MetaContext => ({
    name: textOf(force(name) as NixString),
    system: scope.system,
    config: scope.config,
    outputs: outputs(),
    position: positionText(attrs),
  });
  const extra = set({
    overrideAttrs,
    inputDerivation: lazy(() => inputDerivation(context, force(args) as Attrs)),
    passthru,
    meta: lazy(() => completeMeta(force(meta) as Attrs, metaContext())),
  });
  // The names of the attributes are known without the arguments: selecting one must not force the rest.
  const drv = lazy(() => scope.ev.derivation(force(args) as Attrs));
  const derivation = force(drv) as Attrs;
  return extendDerivation(derivation, updateAttrs(updateAttrs(unseen(attrs, derivation), extra), passthru), () => {
    if (attrs.has("meta")) checkMeta(force(meta) as Attrs, metaContext());
  });
}

/** Attributes that do not reach the builder stay visible on the package, as nixpkgs has them. */
function unseen(attrs: Attrs, derivation: Attrs): Attrs {
  return Attrs.from(
    [...attrs.entries()].filter(([name]) => !derivation.has(name) && name !== "passthru" && name !== "meta"),
  );
}

function packageName(attrs: Attrs): NixString {
  const own = given(attrs, "name");
  if (own !== undefined) {
    if (!isString(own)) throw new EvalError("the attribute 'name' of a derivation must be a string");
    return own;
  }
  const pname = textAttribute(attrs, "pname");
  if (pname === undefined) throw new EvalError("mkDerivation wants 'name', or 'pname' and 'version'");
  const version = textAttribute(attrs, "version");
  // A version may hold what a name in the store may not.
  return `${pname}${version === undefined || version === "" ? "" : `-${version}`}`.replace(/[^A-Za-z0-9+\-._?=]/g, "-");
}

function outputsOf(attrs: Attrs): string[] {
  const outputs = listAttribute(attrs, "outputs").map((output) => textOf(force(output) as NixString));
  const all = outputs.length === 0 ? ["out"] : outputs;
  return flag(attrs, "separateDebugInfo") && !all.includes("debug") ? [...all, "debug"] : all;
}

function positionText(attrs: Attrs): string | undefined {
  const pos = given(attrs, "pos");
  if (pos instanceof Attrs) {
    const file = textAttribute(pos, "file");
    return file === undefined ? undefined : `${file}:${lineOf(pos)}`;
  }
  const meta = given(attrs, "meta");
  const position: Position | undefined =
    (meta instanceof Attrs ? meta.position("description") : undefined) ??
    attrs.position("version") ??
    attrs.position("name") ??
    attrs.position("pname");
  return position === undefined ? undefined : `${position.file}:${position.line}`;
}

function lineOf(pos: Attrs): number {
  const line = attribute(pos, "line");
  return typeof line === "number" ? line : 0;
}

/** The argument of `derivation`. */
function derivationArguments(context: DerivationContext, attrs: Attrs, name: NixString): Attrs {
  const { scope } = context;
  const { ev } = scope;
  const structured = flag(attrs, "__structuredAttrs");
  const outputs = outputsOf(attrs);
  const doCheck = flag(attrs, "doCheck", flag(scope.config, "doCheckByDefault"));
  const doInstallCheck = flag(attrs, "doInstallCheck");

  const own = omit(attrs, notForTheBuilder);
  const realBuilder = given(attrs, "realBuilder");
  const builder = given(attrs, "builder");
  const standard: Lazy[] = ["-e", builderFile(ev, "stdenv/builder.sh"), ...(builder === undefined ? [] : [builder])];
  const entries: [string, Lazy][] = [
    ["name", name],
    ["builder", realBuilder ?? context.shell],
    ["args", given(attrs, "args") ?? standard],
    ["system", scope.system],
    ["stdenv", context.stdenv],
    ["outputs", outputs],
  ];
  if (doCheck) entries.push(["doCheck", true]);
  if (doInstallCheck) entries.push(["doInstallCheck", true]);

  for (const list of dependencyLists) {
    const extra: Lazy[] = [];
    if (list === "nativeBuildInputs") {
      if (doCheck) extra.push(...listAttribute(attrs, "nativeCheckInputs"));
      if (doInstallCheck) extra.push(...listAttribute(attrs, "nativeInstallCheckInputs"));
      if (flag(attrs, "separateDebugInfo")) extra.push(builderFile(ev, "hooks/separate-debug-info.sh"));
      extra.push(...context.extraNativeBuildInputs);
    } else if (list === "buildInputs") {
      if (doCheck) extra.push(...listAttribute(attrs, "checkInputs"));
      if (doInstallCheck) extra.push(...listAttribute(attrs, "installCheckInputs"));
    }
    // The list itself stays lazy: what a package is called must not depend on what it is made from.
    if (attrs.has(list) || extra.length > 0)
      entries.push([list, lazy(() => dependencies(list, [...listAttribute(attrs, list), ...extra], textOf(name)))]);
  }

  const platforms = listAttribute(attrs, "configurePlatforms").map(
    (entry) => `--${textOf(force(entry) as NixString)}=${context.platformConfig}`,
  );
  if (platforms.length > 0) entries.push(["configureFlags", [...listAttribute(attrs, "configureFlags"), ...platforms]]);
  const hardening = hardeningFlags(attrs);
  if (hardening !== undefined) entries.push(["NIX_HARDENING_ENABLE", hardening]);

  const environment = setAttribute(attrs, "env");
  checkEnvironment(environment, own, textOf(name));
  const result = updateAttrs(own, Attrs.from(entries));
  const withEnvironment = structured
    ? updateAttrs(result, Attrs.from([["env", environment]]))
    : updateAttrs(result, environment);
  return flag(attrs, "__ignoreNulls")
    ? Attrs.from([...withEnvironment.entries()].filter(([, value]) => force(value) !== null))
    : withEnvironment;
}

function dependencies(list: string, values: readonly Lazy[], name: string): Lazy[] {
  const result: Lazy[] = [];
  values.forEach((lazyValue, index) => {
    const value = force(lazyValue);
    if (value === null) return;
    if (Array.isArray(value)) {
      result.push(...dependencies(list, value as readonly Lazy[], name));
      return;
    }
    if (value instanceof Attrs && (value.has("outPath") || isDerivation(value))) result.push(developmentOutput(value));
    else if (isString(value) || value instanceof NixPath) result.push(value);
    else
      throw new ThrownError(`Dependency is not of a valid type: element ${index + 1} of ${list} for ${name}`, {
        hint: "Dependencies are packages, paths or strings.",
      });
  });
  return result;
}

function checkEnvironment(environment: Attrs, own: Attrs, name: string): void {
  for (const [variable, value] of environment.entries()) {
    if (own.has(variable))
      throw new ThrownError(
        `The 'env' attribute set cannot contain any attributes passed to derivation. The following attributes are overlapping: ${variable}`,
        {
          hint: `${name} defines '${variable}' both as an attribute and in 'env'.`,
        },
      );
    const forced = force(value);
    const wrong =
      typeof forced === "object" && forced instanceof Attrs && !forced.has("outPath") && !forced.has("__toString");
    if (wrong || isCallable(forced))
      throw new ThrownError(
        `The 'env' attribute set can only contain derivation, string, boolean or integer attributes. The '${variable}' attribute is of another type.`,
      );
  }
}

/** Protections that the compiler wrapper's environment hook turns into flags; none unless they are asked for. */
function hardeningFlags(attrs: Attrs): string | undefined {
  if (!attrs.has("hardeningEnable") && !attrs.has("hardeningDisable")) return undefined;
  const words = (name: string): string[] => listAttribute(attrs, name).map((word) => textOf(force(word) as NixString));
  const disabled = new Set(words("hardeningDisable"));
  return disabled.has("all")
    ? ""
    : words("hardeningEnable")
        .filter((word) => !disabled.has(word))
        .join(" ");
}

/** A derivation that depends on what building the package needs, for shells that are to keep it. */
function inputDerivation(context: DerivationContext, args: Attrs): Attrs {
  const { ev } = context.scope;
  const without = new Set([
    "name",
    "builder",
    "args",
    "outputs",
    "outputHash",
    "outputHashAlgo",
    "outputHashMode",
    "allowedReferences",
    "allowedRequisites",
    "disallowedReferences",
    "disallowedRequisites",
    "__structuredAttrs",
    "__contentAddressed",
  ]);
  const name = args.get("name");
  return ev.derivation(
    updateAttrs(
      omit(args, without),
      Attrs.from([
        ["name", ev.str`inputs-of-${name ?? "package"}`],
        ["outputs", ["out"]],
        ["builder", context.shell],
        ["args", ["-c", "export > $out"]],
        ["_derivation_original_builder", args.get("builder") ?? ""],
      ]),
    ),
  );
}
