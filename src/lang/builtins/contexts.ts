/** String contexts (manual, "String context"; builtins "getContext" and others). */
import { EvalError } from "../errors.ts";
import { isStorePath } from "../../formats/index.ts";
import {
  atPosition,
  coerceToString,
  interpolated,
  contextOf,
  forceAttrs,
  forceBool,
  forceList,
  forceString,
  forceStringNoContext,
  makeString,
  textOf,
} from "../operations/index.ts";
import { attributeName } from "../print/literals.ts";
import { Attrs } from "../values/attrs.ts";
import type { Lazy } from "../values/thunk.ts";
import type { NixString } from "../values/value.ts";
import type { Family, Interpreter } from "./interpreter.ts";

/** One element of a context, taken apart. */
export type ContextElement =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "output"; readonly path: string; readonly output: string }
  | { readonly kind: "closure"; readonly path: string };

export function parseContextElement(element: string): ContextElement {
  if (element.startsWith("=")) return { kind: "closure", path: element.slice(1) };
  if (!element.startsWith("!")) return { kind: "path", path: element };
  const end = element.indexOf("!", 1);
  return { kind: "output", output: element.slice(1, end), path: element.slice(end + 1) };
}

/** What depends on an output of a derivation has this in its context. */
export function outputElement(drvPath: string, output: string): string {
  return `!${output}!${drvPath}`;
}

/** What depends on a derivation with its whole closure, its file and all outputs, has this in its context. */
export function closureElement(drvPath: string): string {
  return `=${drvPath}`;
}

export function contexts({ host, world }: Interpreter): Family {
  const coerced = (value: Lazy, name: string): NixString =>
    coerceToString(world, value, interpolated, `while evaluating the argument passed to builtins.${name}`);
  return {
    /** The string without its context. */
    unsafeDiscardStringContext: (value: Lazy): string => textOf(coerced(value, "unsafeDiscardStringContext")),

    /** Whether the string has a context. */
    hasContext: (value: Lazy): boolean =>
      contextOf(forceString(value, "while evaluating the argument passed to builtins.hasContext")) !== undefined,

    /** The string, depending on derivation files only, where it depended on their closures. */
    unsafeDiscardOutputDependency(value: Lazy): NixString {
      const string = coerced(value, "unsafeDiscardOutputDependency");
      const elements = [...(contextOf(string) ?? [])];
      return makeString(
        textOf(string),
        new Set(elements.map((element) => (element.startsWith("=") ? element.slice(1) : element))),
      );
    },

    /** The opposite: the path of a derivation file comes to depend on the derivation's closure. */
    addDrvOutputDependencies(value: Lazy): NixString {
      const string = coerced(value, "addDrvOutputDependencies");
      const elements = [...(contextOf(string) ?? [])];
      const text = textOf(string);
      if (elements.length !== 1)
        throw new EvalError(`context of string '${text}' must have exactly one element, but has ${elements.length}`);
      const element = parseContextElement(elements[0]!);
      if (element.kind === "output")
        throw new EvalError(
          `\`addDrvOutputDependencies\` can only act on derivations, not on a derivation output such as '${element.output}'`,
        );
      if (!element.path.endsWith(".drv")) throw new EvalError(`path '${element.path}' is not a derivation`);
      return makeString(text, new Set([closureElement(element.path)]));
    },

    /** The context as a set: store paths to `{ path, allOutputs, outputs }`. */
    getContext(value: Lazy): Attrs {
      const string = forceString(value, "while evaluating the argument passed to builtins.getContext");
      const infos = new Map<string, { path?: true; allOutputs?: true; outputs: string[] }>();
      for (const encoded of contextOf(string) ?? []) {
        const element = parseContextElement(encoded);
        let info = infos.get(element.path);
        if (info === undefined) {
          info = { outputs: [] };
          infos.set(element.path, info);
        }
        if (element.kind === "path") info.path = true;
        else if (element.kind === "closure") info.allOutputs = true;
        else info.outputs.push(element.output);
      }
      return Attrs.from(
        [...infos].map(([path, info]) => {
          const entries: [string, Lazy][] = [];
          if (info.path) entries.push(["path", true]);
          if (info.allOutputs) entries.push(["allOutputs", true]);
          if (info.outputs.length > 0) entries.push(["outputs", info.outputs.sort()]);
          return [path, Attrs.from(entries)];
        }),
      );
    },

    /** The string with more context, given in the form of `getContext`. */
    appendContext(value: Lazy, added: Lazy): NixString {
      const string = forceString(value, "while evaluating the first argument passed to builtins.appendContext");
      const attrs = forceAttrs(added, "while evaluating the second argument passed to builtins.appendContext");
      const context = new Set(contextOf(string));
      for (const [path, lazy] of attrs.entries()) {
        try {
          if (!isStorePath(host.storeDir, path))
            throw new EvalError(`context key '${attributeName(path)}' is not a store path`);
          append(context, path, forceAttrs(lazy, "while evaluating the value of a string context"));
        } catch (error) {
          throw atPosition(error, attrs.place(path));
        }
      }
      return makeString(textOf(string), context);
    },
  };
}

function append(context: Set<string>, path: string, info: Attrs): void {
  const isDrv = path.endsWith(".drv");
  const plain = info.get("path");
  if (plain !== undefined && forceBool(plain, "while evaluating the `path` attribute of a string context"))
    context.add(path);
  const all = info.get("allOutputs");
  if (all !== undefined && forceBool(all, "while evaluating the `allOutputs` attribute of a string context")) {
    if (!isDrv)
      throw new EvalError(
        `tried to add all-outputs context of ${attributeName(path)}, which is not a derivation, to a string`,
      );
    context.add(closureElement(path));
  }
  const outputs = info.get("outputs");
  if (outputs === undefined) return;
  const names = forceList(outputs, "while evaluating the `outputs` attribute of a string context");
  if (names.length > 0 && !isDrv)
    throw new EvalError(
      `tried to add derivation output context of ${attributeName(path)}, which is not a derivation, to a string`,
    );
  for (const name of names)
    context.add(
      outputElement(path, forceStringNoContext(name, "while evaluating an output name within a string context")),
    );
}
