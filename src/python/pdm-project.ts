/** What pdm reads in `pyproject.toml`: the project, its groups of requirements, where packages come from (PEP 621, PEP 735). */
import { createHash } from "node:crypto";
import { parse } from "smol-toml";
import * as v from "valibot";
import { D2nError, didYouMean, messageOf } from "../base/index.ts";
import { formatJson, type Json, JsonNumber } from "./json.ts";
import { canonicalName } from "./names.ts";
import { parseRequirement, type Requirement } from "./requirement.ts";

const texts = v.array(v.string());

const source = v.looseObject({
  name: v.optional(v.string()),
  url: v.optional(v.string()),
  type: v.optional(v.string()),
});

const schema = v.looseObject({
  project: v.looseObject({
    name: v.string(),
    version: v.optional(v.string()),
    dynamic: v.optional(texts),
    dependencies: v.optional(texts),
    "optional-dependencies": v.optional(v.record(v.string(), texts)),
    "requires-python": v.optional(v.string()),
  }),
  "build-system": v.optional(v.looseObject({ requires: v.optional(texts) })),
  "dependency-groups": v.optional(
    v.record(v.string(), v.array(v.union([v.string(), v.looseObject({ "include-group": v.string() })]))),
  ),
  tool: v.optional(
    v.looseObject({
      pdm: v.optional(
        v.looseObject({
          "dev-dependencies": v.optional(v.record(v.string(), texts)),
          source: v.optional(v.array(source)),
          resolution: v.optional(v.record(v.string(), v.unknown())),
        }),
      ),
    }),
  ),
});

type Data = v.InferOutput<typeof schema>;

/** A place that packages come from: `[[tool.pdm.source]]`. */
export interface PdmSource {
  readonly name: string;
  /** As written: variables such as `${TOKEN}` are not replaced. */
  readonly url: string;
  readonly kind: "index" | "find-links";
}

export interface PdmProject {
  readonly name: string;
  /** Undefined if it is found out while building, or not said. */
  readonly version: string | undefined;
  readonly dynamicVersion: boolean;
  /** `default`, and what is optional, by names as written. */
  readonly groups: ReadonlyMap<string, readonly Requirement[]>;
  /** The names, canonical, of what the build system requires. */
  readonly buildRequires: readonly string[];
  readonly sources: readonly PdmSource[];
  /** What pdm may write as `content_hash` for this text: one for each way in which releases of pdm compute it. */
  readonly contentHashes: readonly string[];
}

/**
 * @param file what messages call it
 * @throws D2nError `pdm-project`
 */
export function parsePdmProject(text: string, file: string): PdmProject {
  const fail = (why: string, cause?: unknown): D2nError =>
    new D2nError("pdm-project", `\`${file}\` cannot be used: ${why}`, { cause });
  let toml: unknown;
  try {
    toml = parse(text);
  } catch (error) {
    throw fail(messageOf(error).trimEnd(), error);
  }
  const parsed = v.safeParse(schema, toml);
  if (!parsed.success) throw fail(`${v.getDotPath(parsed.issues[0]) ?? "it"}: ${parsed.issues[0].message}`);
  const data = parsed.output;
  const { project } = data;
  const requirements = (group: string, lines: readonly string[]): Requirement[] =>
    lines.map((line) => {
      try {
        return parsePdmRequirement(line);
      } catch (error) {
        throw fail(`in the group ${group}: ${messageOf(error)}`, error);
      }
    });
  const groups = new Map<string, readonly Requirement[]>();
  for (const [group, lines] of groupLines(data, fail)) groups.set(group, requirements(group, lines));
  return {
    name: project.name,
    version: project.version,
    dynamicVersion: project.dynamic?.includes("version") === true,
    groups: withoutOneself(project.name, groups),
    buildRequires: requirements("build-system", data["build-system"]?.requires ?? []).map(({ name }) =>
      canonicalName(name),
    ),
    sources: (data.tool?.pdm?.source ?? []).flatMap(({ name, url, type }): PdmSource[] =>
      url === undefined ? [] : [{ name: name ?? "", url, kind: type === "find_links" ? "find-links" : "index" }],
    ),
    contentHashes: contentHashes(data),
  };
}

/**
 * A requirement, also in the forms that pip's files allow and pdm's groups of old: `-e file:///…#egg=name`,
 * `git+https://…#egg=name`.
 * @throws PythonSyntaxError
 */
export function parsePdmRequirement(line: string): Requirement {
  const bare = line.replace(/^\s*(?:-e|--editable)[\s=]+/, "").trim();
  const egg = /^([a-z+]+:\S*?)#(?:\S*&)?egg=([^&\s[]+)(?:\[([^\]]*)\])?\S*(\s*;.*)?$/i.exec(bare);
  if (egg === null) return parseRequirement(bare);
  const [, url, name, extras, marker] = egg;
  return parseRequirement(
    `${name}${extras === undefined ? "" : `[${extras}]`} @ ${url}${marker === undefined ? "" : ` ${marker}`}`,
  );
}

function* groupLines(data: Data, fail: (why: string) => D2nError): Generator<readonly [string, string[]]> {
  const all = new Map<string, string[]>([["default", [...(data.project.dependencies ?? [])]]]);
  const add = (group: string, lines: readonly string[]): void =>
    void all.set(group, [...(all.get(group) ?? []), ...lines]);
  for (const [group, lines] of Object.entries(data.project["optional-dependencies"] ?? {})) add(group, lines);
  for (const [group, lines] of Object.entries(data.tool?.pdm?.["dev-dependencies"] ?? {})) add(group, lines);
  const named = data["dependency-groups"] ?? {};
  const keys = new Map(Object.keys(named).map((group) => [canonicalName(group), group]));
  const expand = (group: string, path: readonly string[]): string[] =>
    named[group]!.flatMap((entry) => {
      if (typeof entry === "string") return [entry];
      const wanted = entry["include-group"];
      const key = keys.get(canonicalName(wanted));
      if (key === undefined)
        throw fail(
          `the group ${group} includes ${wanted}, which is not among its dependency-groups. ${didYouMean(wanted, Object.keys(named)) ?? ""}`.trimEnd(),
        );
      if (path.includes(key)) throw fail(`the dependency-groups ${[...path, key].join(" → ")} include each other`);
      return expand(key, [...path, key]);
    });
  for (const group of Object.keys(named)) add(group, expand(group, [group]));
  yield* all;
}

/** `all = ["me[cli,web]"]` in the project `me` stands for what these groups require. */
function withoutOneself(
  project: string,
  groups: ReadonlyMap<string, readonly Requirement[]>,
): ReadonlyMap<string, readonly Requirement[]> {
  const self = canonicalName(project);
  const keys = new Map([...groups.keys()].map((group) => [canonicalName(group), group]));
  const expand = (group: string, seen: Set<string>): Requirement[] => {
    if (seen.has(group)) return [];
    seen.add(group);
    return groups.get(group)!.flatMap((requirement) => {
      if (canonicalName(requirement.name) !== self) return [requirement];
      return requirement.extras.flatMap((extra) => {
        const key = keys.get(canonicalName(extra));
        return key === undefined ? [] : expand(key, seen);
      });
    });
  };
  return new Map([...groups.keys()].map((group) => [group, expand(group, new Set())]));
}

function contentHashes(data: Data): string[] {
  const pdm = data.tool?.pdm;
  const normalized = new Map<string, unknown[]>();
  for (const [group, lines] of Object.entries(data["dependency-groups"] ?? {}))
    normalized.set(canonicalName(group), [...lines]);
  for (const [group, lines] of Object.entries(pdm?.["dev-dependencies"] ?? {})) {
    const key = canonicalName(group);
    normalized.set(key, [...(normalized.get(key) ?? []), ...lines]);
  }
  const hashes = new Set<string>();
  // From 2.20 on dependency-groups count, from 2.16 on the whole of tool.pdm.resolution does.
  for (const dev of [Object.fromEntries(normalized), pdm?.["dev-dependencies"] ?? {}])
    for (const resolution of [
      { resolution: pdm?.resolution ?? {} },
      { overrides: pdm?.resolution?.["overrides"] ?? {} },
    ]) {
      const content = {
        sources: pdm?.source ?? [],
        dependencies: data.project.dependencies ?? [],
        "dev-dependencies": dev,
        "optional-dependencies": data.project["optional-dependencies"] ?? {},
        "requires-python": data.project["requires-python"] ?? "",
        ...resolution,
      };
      hashes.add(
        createHash("sha256")
          .update(formatJson(toJson(content), { sortKeys: true }))
          .digest("hex"),
      );
    }
  return [...hashes];
}

function toJson(value: unknown): Json {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return new JsonNumber(String(value));
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === "object") return new Map(Object.entries(value).map(([key, part]) => [key, toJson(part)]));
  return null;
}
