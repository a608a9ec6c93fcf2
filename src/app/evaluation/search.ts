/** The packages of a flake, for `nix search`. */
import { D2nError } from "../../base/index.ts";
import { parseAttributePath } from "../../flake/index.ts";
import { Attrs, type Evaluator, force, fromUtf8, type Lazy, utf8, type Value } from "../../lang/index.ts";
import type { ListedPackage } from "./protocol.ts";
import { descriptionIn, text } from "./show.ts";

/**
 * All packages below an attribute, or of this system; `legacyPackages` as far as it asks to be gone into.
 * @param under text of an attribute path; "" for `packages` and `legacyPackages` of the system
 * @throws D2nError what evaluating them throws, but for those of `legacyPackages`, which are left out
 */
export function listPackages(ev: Evaluator, outputs: Lazy, system: string, under: string): ListedPackage[] {
  const starts =
    under === ""
      ? [
          ["packages", system],
          ["legacyPackages", system],
        ]
      : [parseAttributePath(under)];
  const packages: ListedPackage[] = [];
  let found = false;
  for (const path of starts) {
    let value: Lazy | undefined = outputs;
    for (const name of path) {
      const set: Value | undefined = value === undefined ? undefined : force(value);
      value = set instanceof Attrs ? set.get(name) : undefined;
    }
    if (value === undefined) continue;
    found = true;
    visit(ev, value, path, true, packages);
  }
  if (!found)
    throw new D2nError(
      "installable",
      `the flake does not provide ${starts.map((path) => `\`${path.join(".")}\``).join(" or ")}`,
    );
  return packages;
}

function visit(ev: Evaluator, lazy: Lazy, path: readonly string[], first: boolean, packages: ListedPackage[]): void {
  const legacy = path[0] === "legacyPackages";
  try {
    const value = force(lazy);
    if (!(value instanceof Attrs)) return;
    if (value.has("type") && force(value.get("type")!) === "derivation") {
      packages.push(describe(ev, value, path));
      return;
    }
    const recurses =
      first ||
      ((legacy || path[0] === "packages") && path.length <= 2) ||
      (legacy && value.has("recurseForDerivations") && force(value.get("recurseForDerivations")!) === true);
    if (recurses) for (const [name, inner] of value.entries()) visit(ev, inner, [...path, name], false, packages);
  } catch (error) {
    if (!(error instanceof D2nError) || !legacy) throw error;
  }
}

function describe(ev: Evaluator, derivation: Attrs, path: readonly string[]): ListedPackage {
  const parsed = ev.call(ev.builtins.get("parseDrvName")!, utf8(text(derivation.get("name")) ?? "")) as Attrs;
  return {
    path: fromUtf8(path.map((name) => (/^[A-Za-z_][A-Za-z0-9_'-]*$/.test(name) ? name : `"${name}"`)).join(".")),
    pname: text(parsed.get("name")) ?? "",
    version: text(parsed.get("version")) ?? "",
    description: descriptionIn(derivation)?.replaceAll("\n", " ") ?? "",
  };
}
