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

/** Others whose attributes are listed. */
const DEEP = new Set(["templates", "overlays", "nixosModules"]);

export function showFlake(outputs: Lazy, system: string, allSystems: boolean): ShowNode {
  return walk(outputs, "", [], system, allSystems);
}

function walk(lazyValue: Lazy, name: string, path: readonly string[], system: string, allSystems: boolean): ShowNode {
  const node = (kind: ShowNode["kind"], description?: string, children: readonly ShowNode[] = []): ShowNode => ({
    kind,
    name,
    description,
    children,
  });
  if (path.length === 2 && PER_SYSTEM.has(path[0]!) && path[1] !== system && !allSystems)
    return node("omitted", "use --all-systems to show");
  if (path.length === 2 && path[0] === "legacyPackages") return node("omitted", "a package set; not listed");
  try {
    const value = force(lazyValue);
    if (path.length === 2 && path[0] === "overlays") return node("overlay");
    if (path.length === 2 && path[0] === "nixosModules") return node("module");
    if (path.length === 1 && (name === "overlay" || name === "nixosModule"))
      return node(name === "overlay" ? "overlay" : "module");
    if (value instanceof Lambda || value instanceof PrimOp) return node("function");
    if (!(value instanceof Attrs)) return node("unknown");
    const type = value.has("type") ? force(value.get("type")!) : undefined;
    if (type === "derivation") return node("derivation", text(value.get("name")));
    if (type === "app") return node("app", appDescription(value));
    if (path[0] === "templates" && path.length === 2) return node("template", text(value.get("description")));
    const deep = path.length === 0 || PER_SYSTEM.has(path[0]!) || DEEP.has(path[0]!);
    if (!deep || path.length > 3) return node("unknown");
    return node(
      "set",
      undefined,
      [...value.entries()].map(([key, inner]) => walk(inner, fromUtf8(key), [...path, key], system, allSystems)),
    );
  } catch (error) {
    if (!(error instanceof D2nError)) throw error;
    return node("failed", error.message);
  }
}

function text(value: Lazy | undefined): string | undefined {
  if (value === undefined) return undefined;
  const forced = force(value);
  return typeof forced === "string"
    ? fromUtf8(forced)
    : forced instanceof ContextString
      ? fromUtf8(forced.text)
      : undefined;
}

function appDescription(app: Attrs): string | undefined {
  const meta = app.get("meta");
  const attrs = meta === undefined ? undefined : force(meta);
  return attrs instanceof Attrs ? text(attrs.get("description")) : undefined;
}
