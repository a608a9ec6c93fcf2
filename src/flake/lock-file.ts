/**
 * `flake.lock`, version 7 (Nix manual, "nix3-flake", "Lock files"): a graph of nodes. An input is either an edge to a node
 * or a path of input names from the root ("follows").
 */
import { D2nError } from "../base/index.ts";
import { formatLocation } from "./format.ts";
import {
  type FlakeReference,
  type RefAttributes,
  referenceFromAttributes,
  referenceToAttributes,
  sortedAttributes,
} from "./reference.ts";

export type InputPath = readonly string[];

/** An edge of the lock graph. */
export type LockedInput = { readonly node: LockedNode } | { readonly follows: InputPath };

export interface LockedNode {
  readonly inputs: Map<string, LockedInput>;
  /** Undefined for the root. */
  readonly source:
    | {
        readonly original: FlakeReference;
        readonly locked: FlakeReference;
        readonly isFlake: boolean;
        /** For relative path inputs: the input whose source tree the path is relative to. */
        readonly parent: InputPath | undefined;
      }
    | undefined;
}

export function emptyLock(): LockedNode {
  return { inputs: new Map(), source: undefined };
}

/** Reads a lock file. @throws D2nError `flake-lock` with the file's name */
export function parseLockFile(text: string, file: string): LockedNode {
  const fail = (why: string): D2nError =>
    new D2nError("flake-lock", `\`${file}\` is not a lock file that d2n can read: ${why}`, {
      location: { file, line: 1 },
      hint: "Restore it from version control, or delete it: it is made again with the newest inputs.",
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw fail((error as Error).message);
  }
  if (!isObject(json)) throw fail("it does not hold an object");
  const { version, nodes, root } = json;
  if (typeof version !== "number" || version < 5 || version > 7)
    throw fail(`its version is ${JSON.stringify(version)}, not 5 to 7`);
  if (!isObject(nodes) || typeof root !== "string") throw fail("`nodes` or `root` is missing");
  const made = new Map<string, LockedNode>();
  const load = (key: string): LockedNode => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const raw = nodes[key];
    if (!isObject(raw)) throw fail(`it has no node \`${key}\``);
    const inputs = new Map<string, LockedInput>();
    const node: LockedNode = { inputs, source: key === root ? undefined : loadSource(raw, key, fail) };
    made.set(key, node);
    if (raw["inputs"] !== undefined && !isObject(raw["inputs"]))
      throw fail(`the inputs of \`${key}\` are not an object`);
    for (const [name, target] of Object.entries((raw["inputs"] as object | undefined) ?? {}))
      if (Array.isArray(target)) inputs.set(name, { follows: target.map(String) });
      else inputs.set(name, { node: load(String(target)) });
    return node;
  };
  return load(root);
}

function loadSource(
  raw: Record<string, unknown>,
  key: string,
  fail: (why: string) => D2nError,
): NonNullable<LockedNode["source"]> {
  const attributes = (field: string): RefAttributes => {
    const value = raw[field];
    if (!isObject(value)) throw fail(`node \`${key}\` has no \`${field}\``);
    const map = new Map<string, string | number | boolean>();
    for (const [name, one] of Object.entries(value)) {
      if (typeof one !== "string" && typeof one !== "number" && typeof one !== "boolean")
        throw fail(`\`${field}.${name}\` of node \`${key}\` is not a plain value`);
      map.set(name, one);
    }
    return map;
  };
  const reference = (field: string): FlakeReference => {
    const found = attributes(field);
    try {
      return referenceFromAttributes(found);
    } catch (error) {
      if (error instanceof D2nError) throw fail(`\`${field}\` of node \`${key}\`: ${error.message}`);
      throw error;
    }
  };
  return {
    original: reference("original"),
    locked: reference("locked"),
    isFlake: raw["flake"] !== false,
    parent: Array.isArray(raw["parent"]) ? raw["parent"].map(String) : undefined,
  };
}

/**
 * The text of a lock file, as Nix writes it: sorted keys, two spaces, nodes named after their input, "_2", "_3" where taken.
 * Built-in inputs have no place in it and are left out.
 */
export function formatLockFile(root: LockedNode): string {
  const nodes: Record<string, unknown> = {};
  const names = new Map<LockedNode, string>();
  const taken = new Set<string>();
  const dump = (wanted: string, node: LockedNode): string => {
    const known = names.get(node);
    if (known !== undefined) return known;
    let key = wanted;
    for (let n = 2; taken.has(key); n++) key = `${wanted}_${n}`;
    taken.add(key);
    names.set(node, key);
    const raw: Record<string, unknown> = {};
    const inputs: Record<string, unknown> = {};
    for (const name of [...node.inputs.keys()].sort()) {
      const input = node.inputs.get(name)!;
      if ("follows" in input) inputs[name] = input.follows;
      else if (!isBuiltIn(input.node)) inputs[name] = dump(name, input.node);
    }
    if (node.source !== undefined) {
      if (!node.source.isFlake) raw["flake"] = false;
      if (Object.keys(inputs).length > 0) raw["inputs"] = inputs;
      raw["locked"] = sortedAttributes(referenceToAttributes(node.source.locked));
      raw["original"] = sortedAttributes(referenceToAttributes(node.source.original));
      if (node.source.parent !== undefined) raw["parent"] = node.source.parent;
    } else if (Object.keys(inputs).length > 0) raw["inputs"] = inputs;
    nodes[key] = raw;
    return key;
  };
  dump("root", root);
  const text = Object.fromEntries(Object.entries(nodes).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ nodes: text, root: "root", version: 7 }, null, 2)}\n`;
}

/** Whether an input is part of d2n itself, so that nothing needs locking. */
export function isBuiltIn(node: LockedNode): boolean {
  return node.source?.locked.type === "d2n";
}

/** Whether there is anything that a lock file has to hold. */
export function needsLockFile(root: LockedNode, seen = new Set<LockedNode>()): boolean {
  if (seen.has(root)) return false;
  seen.add(root);
  for (const input of root.inputs.values()) {
    if ("follows" in input) continue;
    if (!isBuiltIn(input.node) || needsLockFile(input.node, seen)) return true;
  }
  return false;
}

/** Follows a path of input names. @returns undefined where it leads nowhere; cycles too */
export function findInput(root: LockedNode, path: InputPath, visited: readonly string[] = []): LockedNode | undefined {
  let node = root;
  for (const name of path) {
    const input = node.inputs.get(name);
    if (input === undefined) return undefined;
    if ("node" in input) node = input.node;
    else {
      const key = input.follows.join("/");
      if (visited.includes(key)) return undefined;
      const target = findInput(root, input.follows, [...visited, key]);
      if (target === undefined) return undefined;
      node = target;
    }
  }
  return node;
}

/** What changed between two locks, a line an input, for the user. */
export function describeChanges(before: LockedNode, after: LockedNode): string[] {
  const flat = (root: LockedNode): Map<string, string> => {
    const found = new Map<string, string>();
    const seen = new Set<LockedNode>();
    const walk = (node: LockedNode, prefix: string): void => {
      if (seen.has(node)) return;
      seen.add(node);
      for (const [name, input] of node.inputs) {
        const path = prefix === "" ? name : `${prefix}/${name}`;
        if ("follows" in input) found.set(path, `follows ${input.follows.join("/")}`);
        else {
          found.set(path, formatLocation(input.node.source!.locked));
          walk(input.node, path);
        }
      }
    };
    walk(root, "");
    return found;
  };
  const old = flat(before);
  const now = flat(after);
  const lines: string[] = [];
  for (const [path, what] of now)
    if (!old.has(path)) lines.push(`added input \`${path}\`: ${what}`);
    else if (old.get(path) !== what) lines.push(`updated input \`${path}\`: ${old.get(path)} → ${what}`);
  for (const path of old.keys()) if (!now.has(path)) lines.push(`removed input \`${path}\``);
  return lines;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
