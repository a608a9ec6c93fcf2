/** For tests: Nix code that sees our `lib`, over files in memory. */
import {
  type Evaluator,
  type Host,
  force,
  forceList,
  isDerivation,
  isString,
  textOf,
  type Value,
  Attrs,
  createEvaluator,
  NixFloat,
  NixPath,
} from "../lang/index.ts";
import { createModuleSystem } from "./system.ts";
import type { ModuleSystem } from "./types.ts";

export interface World<H extends Host> {
  readonly ev: Evaluator;
  readonly host: H;
  readonly system: ModuleSystem;
  /** Evaluates an expression in which `lib` is ours, and gives it as plain JavaScript. */
  readonly nix: (source: string) => unknown;
}

export function createWorld<H extends Host>(host: H): World<H> {
  const ev = createEvaluator({ host });
  const system = createModuleSystem(ev);
  return {
    ev,
    host,
    system,
    nix: (source) => plain(ev.evaluate(source, { basePath: "/project", scope: new Map([["lib", system.lib]]) })),
  };
}

/** A value with everything in it evaluated; functions show as "<function>", paths as text. */
export function plain(value: Value): unknown {
  if (isString(value)) return textOf(value);
  if (value instanceof NixPath) return value.path;
  if (value instanceof NixFloat) return value.value;
  if (Array.isArray(value)) return forceList(value).map((element) => plain(force(element)));
  if (value instanceof Attrs) {
    if (isDerivation(value)) return "<derivation>";
    return Object.fromEntries([...(value as Attrs).entries()].map(([name, inner]) => [name, plain(force(inner))]));
  }
  return typeof value === "object" && value !== null ? "<function>" : value;
}
