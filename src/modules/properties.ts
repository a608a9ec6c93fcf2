/**
 * What `mkIf`, `mkMerge`, `mkOverride`, `mkOrder` and `mkDefinition` wrap around values, and what becomes of it.
 */
import { addTrace, Attrs, force, forceInt, forceList, forceText, type Lazy, ThrownError } from "../lang/index.ts";
import { mapValues, tagOf } from "../lib/index.ts";
import { once } from "./once.ts";
import type { Definition } from "./types.ts";

export const DEFAULT_PRIORITY = 100;
export const DEFAULT_ORDER = 1000;
/** Weaker than whatever anybody writes. */
const WEAKEST = 9999;

export function property(tag: string, fields: readonly (readonly [string, Lazy])[]): Attrs {
  return Attrs.from([["_type", tag], ...fields]);
}

export function makeIf(condition: Lazy, content: Lazy): Attrs {
  return property("if", [
    ["condition", condition],
    ["content", content],
  ]);
}

export function makeOverride(priority: Lazy, content: Lazy): Attrs {
  return property("override", [
    ["priority", priority],
    ["content", content],
  ]);
}

export function makeOrder(priority: Lazy, content: Lazy): Attrs {
  return property("order", [
    ["priority", priority],
    ["content", content],
  ]);
}

export function makeMerge(contents: Lazy): Attrs {
  return property("merge", [["contents", contents]]);
}

function field(value: Attrs, name: string): Lazy {
  const found = value.get(name);
  if (found === undefined)
    throw new ThrownError(`a set with \`_type = "${tagOf(value)}"\` lacks the attribute \`${name}\``, {
      code: "module-invalid",
    });
  return found;
}

/** A configuration with properties around it as several without: `mkIf c { a = 1; }` becomes `{ a = mkIf c 1; }`. */
export function pushDown(config: Lazy): Lazy[] {
  const value = force(config);
  switch (tagOf(value)) {
    case "merge":
      return forceList(field(value as Attrs, "contents")).flatMap(pushDown);
    case "if": {
      const condition = field(value as Attrs, "condition");
      return pushDown(field(value as Attrs, "content")).map((content) =>
        eachAttribute(content, (inner) => makeIf(condition, inner)),
      );
    }
    case "override": {
      const priority = field(value as Attrs, "priority");
      return pushDown(field(value as Attrs, "content")).map((content) =>
        eachAttribute(content, (inner) => makeOverride(priority, inner)),
      );
    }
    default:
      return [value];
  }
}

/** Leaves what is no set as it is: the error comes later, where the option is known. */
function eachAttribute(content: Lazy, wrap: (value: Lazy) => Lazy): Lazy {
  const value = force(content);
  return value instanceof Attrs ? mapValues(value, wrap) : value;
}

/** The definitions that hold: `mkMerge` spread out, those of false conditions dropped. */
export function discharge(definition: Definition): Definition[] {
  const value = force(definition.value);
  switch (tagOf(value)) {
    case "merge":
      return forceList(field(value as Attrs, "contents")).flatMap((content) =>
        discharge({ ...definition, value: content }),
      );
    case "if": {
      const condition = force(field(value as Attrs, "condition"));
      if (typeof condition !== "boolean")
        throw new ThrownError("`mkIf` called with a non-Boolean condition", { code: "option-type" });
      return condition ? discharge({ ...definition, value: field(value as Attrs, "content") }) : [];
    }
    case "definition":
      return [
        {
          file: forceText(field(value as Attrs, "file")),
          value: field(value as Attrs, "value"),
          position: definition.position,
        },
      ];
    default:
      return [definition];
  }
}

interface Ranked {
  readonly definitions: Definition[];
  readonly highestPriority: number;
}

function priorityOf(definition: Definition): number {
  const value = force(definition.value);
  return tagOf(value) === "override" ? Number(forceInt(field(value as Attrs, "priority"))) : DEFAULT_PRIORITY;
}

function withoutOverride(definition: Definition): Definition {
  const value = force(definition.value);
  return tagOf(value) === "override" ? { ...definition, value: field(value as Attrs, "content") } : definition;
}

/** The definitions with the strongest (lowest) priority, unwrapped. */
export function strongest(definitions: readonly Definition[]): Ranked {
  const ranked = definitions.map(priorityOf);
  const highestPriority = ranked.length === 1 ? ranked[0]! : ranked.reduce((a, b) => Math.min(a, b), WEAKEST);
  return {
    definitions: definitions.filter((_, index) => ranked[index] === highestPriority).map(withoutOverride),
    highestPriority,
  };
}

/** Sorts by `mkOrder`, keeping the order of equals, and unwraps. */
function inOrder(definitions: readonly Definition[]): Definition[] {
  if (!definitions.some((definition) => tagOf(force(definition.value)) === "order")) return [...definitions];
  return definitions
    .map((definition) => {
      const value = force(definition.value);
      if (tagOf(value) !== "order") return { definition, order: DEFAULT_ORDER };
      return {
        definition: { ...definition, value: field(value as Attrs, "content") },
        order: Number(forceInt(field(value as Attrs, "priority"))),
      };
    })
    .sort((a, b) => a.order - b.order)
    .map(({ definition }) => definition);
}

export interface Settled {
  /** The definitions that count, in order. */
  readonly definitions: () => readonly Definition[];
  /** Known without looking at what priorities are given to. */
  readonly highestPriority: () => number;
}

/** What definitions come to before any type is asked. */
export function settle(definitions: readonly Definition[]): Settled {
  const ranked = once((): Ranked & { readonly plain: boolean } => {
    const only = definitions.length === 1 ? definitions[0]! : undefined;
    if (only !== undefined && !traced(only, () => hasTag(only)))
      return { definitions: [only], highestPriority: DEFAULT_PRIORITY, plain: true };
    return {
      ...strongest(definitions.flatMap((definition) => traced(definition, () => discharge(definition)))),
      plain: false,
    };
  });
  return {
    definitions: once(() => (ranked().plain ? ranked().definitions : inOrder(ranked().definitions))),
    highestPriority: () => ranked().highestPriority,
  };
}

function hasTag(definition: Definition): boolean {
  const value = force(definition.value);
  return value instanceof Attrs && value.has("_type");
}

function traced<T>(definition: Definition, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw addTrace(error, `while evaluating definitions from \`${definition.file}':`);
  }
}

/** `setAttrByPath`, keeping what is known of the place. */
export function nest(path: readonly string[], definition: Definition): Lazy {
  let value = definition.value;
  for (const name of [...path].reverse()) value = Attrs.from([[name, value, definition.position]]);
  return value;
}
