/** The tree of `d2n flake show`. */
import { D2nError } from "../../base/index.ts";
import { Attrs, ContextString, force, fromUtf8, Lambda, type Lazy, PrimOp } from "../../lang/index.ts";
import type { ShowNode } from "./protocol.ts";

/** Outputs whose second level is a system. */
const PER_SYSTEM = new Set([
  "packages",
  "legacyPackages",
  "apps",
  "devShells",
  "checks",
  "formatter",
  "defaultPackage",
  "devShell",
  "defaultApp",
  "bundlers",
]);

/** Of those, the ones whose second level is the thing itself. */
const SINGLE = new Set(["formatter", "defaultPackage", "devShell", "defaultApp"]);

/** Others whose attributes are listed. */
const DEEP = new Set(["templates", "overlays", "nixosModules"]);

export interface ShowRules {
  readonly system: string;
  /** What is for other systems is gone into. */
  readonly allSystems: boolean;
  /** `legacyPackages`, too. */
  readonly legacy: boolean;
}

export function showFlake(outputs: Lazy, rules: ShowRules): ShowNode {
  return walk(outputs, "", [], rules);
}

function walk(lazyValue: Lazy, name: string, path: readonly string[], rules: ShowRules): ShowNode {
  const node = (
    kind: ShowNode["kind"],
    description?: string,
    children: readonly ShowNode[] = [],
    about?: string,
  ): ShowNode => ({ kind, name, description, about, children });
  const [output = "", system = ""] = path;
  const foreign = PER_SYSTEM.has(output) && path.length > 1 && system !== rules.system && !rules.allSystems;
  if (path.length === 2 && output === "legacyPackages" && !rules.legacy)
    return node("omitted", "use '--legacy' to show");
  if (foreign && (path.length > 2 || SINGLE.has(output) || output === "legacyPackages"))
    return node("omitted", "use '--all-systems' to show");
  try {
    const value = force(lazyValue);
    if (path.length === 2 && output === "overlays") return node("overlay");
    if (path.length === 2 && output === "nixosModules") return node("module");
    if (path.length === 1 && (name === "overlay" || name === "nixosModule"))
      return node(name === "overlay" ? "overlay" : "module");
    if (value instanceof Lambda || value instanceof PrimOp) return node("function");
    if (!(value instanceof Attrs)) return node("unknown");
    const type = value.has("type") ? force(value.get("type")!) : undefined;
    if (type === "derivation") return node("derivation", text(value.get("name")), [], descriptionIn(value));
    if (type === "app") return node("app", descriptionIn(value));
    if (output === "templates" && path.length === 2) return node("template", text(value.get("description")));
    if (!hasParts(value, output, path.length)) return node("unknown");
    return node(
      "set",
      undefined,
      [...value.entries()]
        .filter(([key, inner]) => hasContent(inner, [...path, key]))
        .map(([key, inner]) => walk(inner, fromUtf8(key), [...path, key], rules)),
    );
  } catch (error) {
    if (!(error instanceof D2nError)) throw error;
    return node("failed", error.message);
  }
}

/** Outputs that are left out where nothing is in them, with the depth down to which sets only hold others. */
const HOLDERS: ReadonlyMap<string, number> = new Map([
  ...["apps", "checks", "devShells", "legacyPackages", "packages"].map((name) => [name, 2] as const),
  ...["formatter", "nixosConfigurations", "nixosModules", "overlays"].map((name) => [name, 1] as const),
]);

function hasContent(lazy: Lazy, path: readonly string[]): boolean {
  if (path.length > (HOLDERS.get(path[0]!) ?? 0)) return true;
  try {
    const value = force(lazy);
    return !(value instanceof Attrs) || [...value.entries()].some(([key, inner]) => hasContent(inner, [...path, key]));
  } catch (error) {
    if (!(error instanceof D2nError)) throw error;
    return true;
  }
}

/** Whether the attributes of a set are shown. */
function hasParts(set: Attrs, output: string, depth: number): boolean {
  if (depth === 0 || output === "hydraJobs") return true;
  if (output === "legacyPackages")
    return depth <= 2 || (set.has("recurseForDerivations") && force(set.get("recurseForDerivations")!) === true);
  return depth <= 3 && (PER_SYSTEM.has(output) || DEEP.has(output));
}

/** A string as text; undefined for what is none. */
export function text(value: Lazy | undefined): string | undefined {
  if (value === undefined) return undefined;
  const forced = force(value);
  return typeof forced === "string"
    ? fromUtf8(forced)
    : forced instanceof ContextString
      ? fromUtf8(forced.text)
      : undefined;
}

/** `meta.description`. */
export function descriptionIn(app: Attrs): string | undefined {
  const meta = app.get("meta");
  const attrs = meta === undefined ? undefined : force(meta);
  return attrs instanceof Attrs ? text(attrs.get("description")) : undefined;
}
