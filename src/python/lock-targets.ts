/** Who needs whom, out of pip's report: the `targets` of a lock file. */
import { D2nError } from "../base/index.ts";
import { evaluateMarker, type MarkerEnvironment } from "./marker.ts";
import { canonicalName } from "./names.ts";
import type { PipReport } from "./pip-report.ts";
import { parseRequirement, type Requirement, requirementKey } from "./requirement.ts";

/** Target (`default` or an extra of a root) to package to the packages it needs, sorted. */
export type Targets = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

interface Edge {
  readonly to: string;
  readonly requirement: Requirement;
}

/**
 * For each extra that was asked for of a root, and for `default`: the packages reached from the roots, each with all it needs
 * on this platform. A package that is needed in several ways (with and without an extra, from two roots) has the union; cycles
 * are kept as they are; a requirement that pip was told not to install (`--no-deps`) is left out. In targets other than
 * `default`, packages that need the same as there are left out. Takes time linear in the size of the report times the extras.
 * @throws D2nError `lock-report-malformed` when nothing was requested, `python-syntax` for requirements that no one can read
 */
export function targetsFromReport(report: PipReport): Targets {
  const { environment } = report;
  const roots = report.install.filter((item) => item.requested);
  if (roots.length === 0)
    throw new D2nError(
      "lock-report-malformed",
      "Cannot determine roots, nothing requested: pip was given no requirement to lock",
      {
        hint: "Set pip.requirementsList or pip.requirementsFiles.",
      },
    );

  const graph = new Map<string, Edge[]>();
  for (const item of report.install) graph.set(canonicalName(item.metadata.name), []);
  for (const item of report.install) {
    const edges = graph.get(canonicalName(item.metadata.name))!;
    for (const text of item.metadata.requires_dist) {
      const requirement = readRequirement(text, item.metadata.name);
      const to = requirementKey(requirement);
      if (graph.has(to)) edges.push({ to, requirement });
    }
  }

  const targets = new Map<string, Map<string, Set<string>>>([["default", new Map()]]);
  for (const root of roots) {
    const name = canonicalName(root.metadata.name);
    for (const extra of new Set(["default", ...root.requested_extras])) {
      const target = targets.get(extra) ?? new Map<string, Set<string>>();
      targets.set(extra, target);
      walk(name, extra === "default" ? "" : extra, graph, environment, target);
    }
  }

  const inDefault = targets.get("default")!;
  for (const [extra, target] of targets) {
    if (extra === "default") continue;
    for (const [name, needs] of target) {
      const before = inDefault.get(name);
      if (before !== undefined && before.size === needs.size && [...needs].every((need) => before.has(need)))
        target.delete(name);
    }
  }
  return new Map(
    [...targets].map(([extra, target]) => [
      extra,
      new Map([...target].map(([name, needs]) => [name, [...needs].sort()])),
    ]),
  );
}

/** Adds to `target` what is reached from a root that is asked for with one extra, or with none (""). */
function walk(
  root: string,
  rootExtra: string,
  graph: ReadonlyMap<string, readonly Edge[]>,
  environment: MarkerEnvironment,
  target: Map<string, Set<string>>,
): void {
  // What is walked is a package with one of the extras that somebody asks for: a package with two extras needs what it
  // needs with either.
  const seen = new Map<string, Set<string>>();
  const pending: (readonly [name: string, extra: string])[] = [];
  const visit = (name: string, extra: string): void => {
    let extras = seen.get(name);
    if (extras === undefined) seen.set(name, (extras = new Set()));
    const key = canonicalName(extra);
    if (extras.has(key)) return;
    extras.add(key);
    pending.push([name, extra]);
  };
  visit(root, rootExtra);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [name, extra] = next;
    let needs = target.get(name);
    if (needs === undefined) target.set(name, (needs = new Set()));
    for (const { to, requirement } of graph.get(name)!) {
      if (requirement.marker !== undefined && !evaluateMarker(requirement.marker, environment, extra)) continue;
      // A package that asks for its own extras (`all` = `pkg[a,b]`) needs what they need, but not itself.
      if (to !== name) needs.add(to);
      for (const wanted of requirement.extras.length === 0 ? [""] : requirement.extras) visit(to, wanted);
    }
  }
}

function readRequirement(text: string, from: string): Requirement {
  try {
    return parseRequirement(text);
  } catch (error) {
    if (error instanceof D2nError) error.hint = `It is in the metadata of ${from}. ${error.hint ?? ""}`.trim();
    throw error;
  }
}
