/** Scripts of `builder/`: what runs inside the sandbox. */
import { readFileSync } from "node:fs";
import { ContextString, type Evaluator } from "../lang/index.ts";

const added = new WeakMap<Evaluator, Map<string, ContextString>>();

/** A script's text, as a byte string. `name` is relative to `builder/`: `hooks/fixup.sh`. */
export function builderText(name: string): string {
  return readFileSync(new URL(`./builder/${name}`, import.meta.url)).toString("latin1");
}

/** A script as a file of the store, with `@name@` replaced. Such a file among the inputs of a build is sourced as a hook. */
export function builderFile(
  ev: Evaluator,
  name: string,
  substitutions: Readonly<Record<string, string>> = {},
): ContextString {
  let known = added.get(ev);
  if (known === undefined) {
    known = new Map();
    added.set(ev, known);
  }
  const key = JSON.stringify([name, substitutions]);
  let found = known.get(key);
  if (found === undefined) {
    let text = builderText(name);
    for (const [variable, value] of Object.entries(substitutions)) text = text.replaceAll(`@${variable}@`, value);
    const path = ev.host.addText(name.slice(name.lastIndexOf("/") + 1), Buffer.from(text, "latin1"), []);
    found = new ContextString(path, new Set([path]));
    known.set(key, found);
  }
  return found;
}
