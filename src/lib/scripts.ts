/** `lib.stringsWithDeps`: pieces of a script in the order of their dependencies. */
import {
  Attrs,
  type Evaluator,
  force,
  forceAttrs,
  forceList,
  forceText,
  type Lazy,
  type NixString,
} from "../lang/index.ts";
import { joinWith } from "./strings.ts";
import { attribute, call, functions, type Namespace } from "./support.ts";

function entry(text: Lazy, deps: Lazy): Attrs {
  return Attrs.from([
    ["text", text],
    ["deps", deps],
  ]);
}

/** The texts of the wanted entries, each once, dependencies first. */
function closure(predefined: Attrs, wanted: readonly Lazy[], done: Set<string>): Lazy[] {
  return wanted.flatMap((lazyEntry) => {
    const value = force(lazyEntry);
    if (value instanceof Attrs)
      return [...closure(predefined, forceList(attribute(value, "deps")), done), attribute(value, "text")];
    const name = forceText(value);
    if (done.has(name)) return [];
    done.add(name);
    return closure(predefined, [attribute(predefined, name)], done);
  });
}

export function stringsWithDepsNamespace(ev: Evaluator): Namespace {
  return functions({
    textClosureList: (predefined, wanted) => closure(forceAttrs(predefined), forceList(wanted), new Set()),
    textClosureMap: (f, predefined, wanted) =>
      joinWith(
        closure(forceAttrs(predefined), forceList(wanted), new Set()).map((text): NixString =>
          ev.coerceToString(call(f, text)),
        ),
        "\n",
      ),
    noDepEntry: (text) => entry(text, []),
    fullDepEntry: entry,
    packEntry: (deps) => entry("", deps),
    stringAfter: (deps, text) => entry(text, deps),
  });
}
