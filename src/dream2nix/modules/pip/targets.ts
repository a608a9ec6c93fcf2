/** Who needs whom, as the lock and the options say. */
import { Attrs, type Native } from "../../../lang/index.ts";
import { didYouMean } from "../../../base/index.ts";
import type { ModuleScope, View } from "../../../modules/index.ts";
import { Dream2nixError, later, once } from "../../support.ts";
import { type DependencyGraph, dependencyCycles } from "./cycles.ts";

export interface Targets {
  /** `pip.targets`: the lock's, without ignored packages. */
  readonly filtered: () => Native;
  /** The packages that the root needs directly, by the options. */
  readonly rootDependencies: () => readonly string[];
  /** Everything in `default` and in the chosen extras: package to what it needs, in order. */
  readonly graph: () => DependencyGraph;
  readonly cycles: () => ReadonlyMap<string, readonly string[]>;
}

export function pipTargets(m: ModuleScope, metadata: View): Targets {
  const cfg = m.config.at("pip");
  const ignored = once(() => new Set(cfg.at("ignoredDependencies").texts()));
  const name = (): string => m.config.at("name").text();

  const filtered = (): Native =>
    Attrs.from(
      metadata
        .at("targets")
        .entries()
        .map(([target, packages]) => [
          target,
          later(() =>
            Attrs.from(
              packages
                .entries()
                .filter(([pkg]) => !ignored().has(pkg))
                .map(([pkg, needs]) => [pkg, later(() => needs.texts().filter((needed) => !ignored().has(needed)))]),
            ),
          ),
        ]),
    );

  const target = (extra: string): View => cfg.at("targets").or([extra], {});
  const inDefault = (): View => target("default");

  const rootDependencies = (): readonly string[] => {
    const listed = inDefault().has(name());
    if (cfg.at("flattenDependencies").bool()) {
      if (!listed) return inDefault().names();
      throw new Dream2nixError("evaluation", `Top-level package ${name()} is listed in the lockfile.`, {
        hint: "Set `pip.flattenDependencies` to false to use only the top-level dependencies.",
      });
    }
    if (listed) return inDefault().at(name()).texts();
    throw new Dream2nixError("evaluation", `Top-level package ${name()} is not listed in the lockfile.`, {
      hint: "Set `pip.flattenDependencies` to true to use all dependencies for the top-level package.",
    });
  };

  const graph = once((): DependencyGraph => {
    const known = cfg
      .at("targets")
      .names()
      .filter((extra) => extra !== "default");
    let extras: readonly string[] = cfg.at("buildExtras").texts();
    if (extras.length > 0) {
      for (const extra of extras)
        if (!known.includes(extra))
          throw new Dream2nixError("evaluation", `the extra \`${extra}\` of pip.buildExtras is not in the lock file`, {
            hint: `${known.length === 0 ? "There are no extras in it" : `There is: ${known.join(", ")}`}. ${didYouMean(extra, known) ?? `Ask for it in pip.requirementsList ("${name()}[${extra}]") and lock again.`}`,
          });
    }
    // A flattened root has no extras: those in the lock are of requirements such as `psycopg[binary]`, which do not work without.
    else if (cfg.at("flattenDependencies").bool()) extras = known;
    const result = new Map<string, string[]>();
    for (const extra of ["default", ...extras])
      for (const [pkg, needs] of target(extra).entries()) {
        const list = result.get(pkg) ?? [];
        for (const needed of needs.texts()) if (!list.includes(needed)) list.push(needed);
        result.set(pkg, list);
      }
    return result;
  });
  return { filtered, rootDependencies, graph, cycles: once(() => dependencyCycles(graph())) };
}
