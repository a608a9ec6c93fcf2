/** What the fragment of an installable means among the outputs of a flake (Nix manual, "nix3-flake", "Flake output attributes"). */
import { D2nError, didYouMean } from "../base/index.ts";
import { Attrs, force, type Lazy, type Value } from "../lang/index.ts";
import { parseAttributePath } from "./installable.ts";

/** Which outputs a command looks in, in order. */
export interface Lookup {
  /** Attribute paths tried for an empty fragment. */
  readonly defaults: readonly string[];
  /** Prefixes tried before the fragment, each ending with a dot. */
  readonly prefixes: readonly string[];
}

export type LookupKind = "build" | "run" | "develop" | "eval" | "template";

/** The places where Nix's commands look (Nix manual, "nix3-flake", "Flake output attributes"). */
export function lookupFor(kind: LookupKind, system: string): Lookup {
  const packages = {
    defaults: [`packages.${system}.default`, `defaultPackage.${system}`],
    prefixes: [`packages.${system}.`, `legacyPackages.${system}.`],
  };
  switch (kind) {
    case "run":
      return {
        defaults: [`apps.${system}.default`, `defaultApp.${system}`, ...packages.defaults],
        prefixes: [`apps.${system}.`, ...packages.prefixes],
      };
    case "develop":
      return {
        defaults: [`devShells.${system}.default`, `devShell.${system}`, ...packages.defaults],
        prefixes: [`devShells.${system}.`, ...packages.prefixes],
      };
    case "template":
      return { defaults: ["templates.default", "defaultTemplate"], prefixes: ["templates."] };
    default:
      return packages;
  }
}

export interface Found {
  readonly attributePath: readonly string[];
  readonly value: Value;
}

/**
 * Finds what a fragment means among the outputs of a flake.
 * @throws D2nError `installable` that lists what there is
 */
export function resolveFragment(outputs: Lazy, fragment: string, lookup: Lookup, flake: string): Found {
  const tried: string[][] = [];
  const candidates =
    fragment === ""
      ? lookup.defaults
      : fragment.startsWith(".")
        ? [fragment.slice(1)]
        : [...lookup.prefixes.map((prefix) => prefix + fragment), fragment];
  for (const candidate of candidates) {
    const path = parseAttributePath(candidate);
    tried.push(path);
    const found = select(outputs, path);
    if (found !== undefined) return { attributePath: path, value: force(found) };
  }
  const names = tried.map((path) => `\`${path.join(".")}\``);
  const listed = names.length > 1 ? `${names.slice(0, -1).join(", ")} or ${names.at(-1)}` : names[0]!;
  throw new D2nError("installable", `flake \`${flake}\` does not provide attribute ${listed}`, {
    hint: whatThereIs(outputs, tried),
  });
}

function select(from: Lazy, path: readonly string[]): Lazy | undefined {
  let value: Lazy = from;
  for (const name of path) {
    const set = force(value);
    if (!(set instanceof Attrs)) return undefined;
    const next = set.get(name);
    if (next === undefined) return undefined;
    value = next;
  }
  return value;
}

/** The names beside the one that was not found, for the first candidate that leads anywhere. */
function whatThereIs(outputs: Lazy, tried: readonly (readonly string[])[]): string | undefined {
  const lines: string[] = [];
  for (const path of tried) {
    for (let depth = path.length - 1; depth >= 0; depth--) {
      const parent = select(outputs, path.slice(0, depth));
      if (parent === undefined) continue;
      const set = force(parent);
      if (!(set instanceof Attrs)) break;
      const names = set.names();
      const near = didYouMean(path[depth]!, names);
      const where = depth === 0 ? "The flake's outputs" : `\`${path.slice(0, depth).join(".")}\``;
      const shown = names.length > 20 ? `${names.slice(0, 20).join(", ")}, …` : names.join(", ");
      const line = `${where} ${depth === 0 ? "are" : "has"}: ${shown === "" ? "nothing" : shown}.${near === undefined ? "" : ` ${near[0]!.toUpperCase()}${near.slice(1)}`}`;
      if (!lines.includes(line) && (depth > 0 || lines.length === 0)) lines.push(line);
      break;
    }
  }
  return lines.length === 0 ? undefined : lines.join("\n");
}
