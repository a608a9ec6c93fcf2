/** What a package's `meta` says about whether it may be used, and what others read in it. */
import {
  Attrs,
  callFunction,
  ThrownError,
  force,
  isString,
  type Lazy,
  lazy,
  textOf,
  updateAttrs,
} from "../../lang/index.ts";
import { attribute, flag, given, listAttribute, set, textAttribute } from "../values.ts";

export interface MetaContext {
  readonly name: string;
  readonly system: string;
  readonly config: Attrs;
  readonly outputs: readonly string[];
  readonly position: string | undefined;
}

/** `meta` with what nixpkgs adds: name, position, outputsToInstall, and the verdicts. */
export function completeMeta(meta: Attrs, context: MetaContext): Attrs {
  const { outputs } = context;
  const has = (name: string): boolean => outputs.includes(name);
  const first = ["bin", "out", ...outputs].find(has) ?? "out";
  return updateAttrs(
    set({
      outputsToInstall: [first, ...(has("man") && first !== "man" ? ["man"] : [])],
      ...(context.position === undefined ? {} : { position: context.position }),
    }),
    updateAttrs(
      meta,
      set({
        name: context.name,
        available: lazy(() => findProblem(meta, context) === undefined),
        broken: lazy(() => flag(meta, "broken")),
        insecure: lazy(() => listAttribute(meta, "knownVulnerabilities").length > 0),
        unfree: lazy(() => hasUnfreeLicence(meta)),
        unsupported: lazy(() => !supports(meta, context.system)),
      }),
    ),
  );
}

/** @throws ThrownError that says which option of `config` lets the package pass */
export function checkMeta(meta: Attrs, context: MetaContext): void {
  const problem = findProblem(meta, context);
  if (problem === undefined) return;
  const where = context.position === undefined ? "" : ` in ${context.position}`;
  throw new ThrownError(`Package '${context.name}'${where} ${problem.what}, refusing to evaluate.`, {
    hint: problem.hint,
  });
}

interface Problem {
  readonly what: string;
  readonly hint: string;
}

function findProblem(meta: Attrs, { config, system, name }: MetaContext): Problem | undefined {
  const allow = (option: string): string => `To use it all the same: import nixpkgs { config.${option} = true; }.`;
  if (hasUnfreeLicence(meta) && !flag(config, "allowUnfree") && !predicate(config, "allowUnfreePredicate", name))
    return { what: "has an unfree license", hint: allow("allowUnfree") };
  if (flag(meta, "broken") && !flag(config, "allowBroken"))
    return { what: "is marked as broken", hint: allow("allowBroken") };
  if (!supports(meta, system) && !flag(config, "allowUnsupportedSystem"))
    return { what: `is not available on the requested hostPlatform: ${system}`, hint: allow("allowUnsupportedSystem") };
  const vulnerabilities = listAttribute(meta, "knownVulnerabilities");
  if (vulnerabilities.length > 0) {
    const permitted = listAttribute(config, "permittedInsecurePackages").some((entry) => {
      const value = force(entry);
      return isString(value) && textOf(value) === name;
    });
    if (!permitted && !predicate(config, "allowInsecurePredicate", name))
      return {
        what: "is marked as insecure",
        hint: `To use it all the same: import nixpkgs { config.permittedInsecurePackages = [ "${name}" ]; }.`,
      };
  }
  return undefined;
}

function predicate(config: Attrs, option: string, name: string): boolean {
  const value = given(config, option);
  if (value === undefined) return false;
  const dash = /-(?=\d)/.exec(name);
  return callFunction(value, set({ name, pname: dash === null ? name : name.slice(0, dash.index) })) === true;
}

function hasUnfreeLicence(meta: Attrs): boolean {
  return listAttribute(meta, "license").some((licence) => {
    const value = force(licence);
    if (value instanceof Attrs) return attribute(value, "free") === false;
    return isString(value) && textOf(value) === "unfree";
  });
}

function supports(meta: Attrs, system: string): boolean {
  const matches = (name: string): boolean =>
    listAttribute(meta, name).some((platform: Lazy) => {
      const value = force(platform);
      if (isString(value)) return textOf(value) === system;
      // A pattern such as lib.systems.inspect.patterns.isLinux.
      if (!(value instanceof Attrs)) return false;
      const direct = textAttribute(value, "system");
      if (direct !== undefined) return direct === system;
      const kernel = attribute(value, "kernel");
      const kernelName = kernel instanceof Attrs ? textAttribute(kernel, "name") : undefined;
      return kernelName === undefined || system.endsWith(`-${kernelName}`);
    });
  const platforms = given(meta, "platforms");
  if (platforms !== undefined && !matches("platforms")) return false;
  return !matches("badPlatforms");
}
