/**
 * Dependency fields (Debian Policy 7.1): `a (>= 1) | b:any, c [amd64] <!nocheck>`.
 */
import type { VersionRelation } from "./version.ts";
import { versionFits } from "./version.ts";

export interface Alternative {
  readonly name: string;
  readonly relation?: VersionRelation | undefined;
  readonly version?: string | undefined;
}

/** One clause: any of its alternatives satisfies it, the first is preferred. */
export type Clause = readonly Alternative[];

const alternative =
  /^([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?(?:\s*\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s)]+)\s*\))?(?:\s*\[[^\]]*\])?(?:\s*<[^>]*>)*$/;

/** The clauses of a field. What does not parse is left out: an index is signed, so it is newer syntax, not an attack. */
export function parseDependencies(field: string): Clause[] {
  const clauses: Clause[] = [];
  for (const part of field.split(",")) {
    const options: Alternative[] = [];
    for (const text of part.split("|")) {
      const match = alternative.exec(text.trim());
      if (match === null) continue;
      const [, name, relation, version] = match;
      // A single "<" or ">" means "or equal" to this day.
      const normal = relation === "<" ? "<=" : relation === ">" ? ">=" : relation;
      options.push(
        normal === undefined
          ? { name: name! }
          : { name: name!, relation: normal as VersionRelation, version: version! },
      );
    }
    if (options.length > 0) clauses.push(options);
  }
  return clauses;
}

/** What can satisfy an alternative: packages of that name, and packages that provide it. */
export interface Candidates {
  /** The version of the real package of that name that would be taken. */
  version(name: string): string | undefined;
  /** Real packages that provide the name, with the version that they provide it at, if they say. */
  providers(name: string): readonly { readonly name: string; readonly version: string | undefined }[];
}

/** The real package that satisfies an alternative: the package itself, else its first provider by name. */
export function satisfy(wanted: Alternative, candidates: Candidates): string | undefined {
  const fits = (version: string | undefined) =>
    wanted.relation === undefined || (version !== undefined && versionFits(version, wanted.relation, wanted.version!));
  const own = candidates.version(wanted.name);
  if (own !== undefined && fits(own)) return wanted.name;
  return candidates
    .providers(wanted.name)
    .filter(({ version }) => fits(version))
    .map(({ name }) => name)
    .sort()[0];
}

/** Resolves the clauses to real packages: of each clause the first alternative that can be satisfied. Sorted, no duplicates. */
export function resolveClauses(clauses: readonly Clause[], candidates: Candidates): string[] {
  const found = new Set<string>();
  for (const clause of clauses) {
    for (const option of clause) {
      const name = satisfy(option, candidates);
      if (name !== undefined) {
        found.add(name);
        break;
      }
    }
  }
  return [...found].sort();
}
