/** Reading `flake.nix`: its inputs as declared (Nix manual, "nix3-flake", "Flake format" and "Flake inputs"). */
import { relative } from "node:path/posix";
import { D2nError, didYouMean, type SourceLocation } from "../base/index.ts";
import {
  Attrs,
  ContextString,
  EvalError,
  type Evaluator,
  force,
  type Lazy,
  Lambda,
  NixPath,
  PrimOp,
  SourcePosition,
  type Value,
} from "../lang/index.ts";
import type { InputPath } from "./lock-file.ts";
import { type FlakeReference, parseReference, referenceFromAttributes } from "./reference.ts";
import { encodeUrlText } from "./url.ts";

export interface FlakeInput {
  /** Where it comes from; undefined only where `follows` says instead, or in an override that leaves it. */
  readonly reference: FlakeReference | undefined;
  readonly isFlake: boolean;
  readonly follows: InputPath | undefined;
  /** `inputs.x.inputs.y = …` */
  readonly overrides: ReadonlyMap<string, FlakeInput>;
}

export interface FlakeFile {
  readonly description: string | undefined;
  readonly inputs: ReadonlyMap<string, FlakeInput>;
  /** The function `outputs`. */
  readonly outputs: Lazy;
  /** Path of the flake.nix, logical. */
  readonly path: string;
}

const KNOWN = ["description", "inputs", "outputs", "nixConfig", "edition"];

/**
 * Evaluates `flake.nix` as far as its inputs.
 * @param directory logical path of the folder it lies in
 * @param prefix where the flake stands in the lock graph: its own `follows` count from there
 * @throws D2nError `flake-file`, with the place in the file
 */
export function readFlakeFile(ev: Evaluator, directory: string, prefix: InputPath): FlakeFile {
  const path = `${directory}/flake.nix`;
  const root = ev.importFile(path);
  if (!(root instanceof Attrs))
    throw new D2nError("flake-file", "`flake.nix` must be an attribute set", { location: { file: path, line: 1 } });
  for (const name of root.names())
    if (!KNOWN.includes(name))
      throw new D2nError("flake-file", `\`flake.nix\` has an unsupported attribute \`${name}\``, {
        location: placeOf(root, name),
        hint: didYouMean(name, KNOWN),
      });
  const outputs = root.get("outputs");
  if (outputs === undefined)
    throw new D2nError("flake-file", "`flake.nix` lacks the attribute `outputs`", {
      location: { file: path, line: 1 },
    });
  const inputs = new Map<string, FlakeInput>();
  const declared = root.get("inputs");
  if (declared !== undefined) {
    const set = force(declared);
    if (!(set instanceof Attrs))
      throw new D2nError("flake-file", "`inputs` must be an attribute set", { location: placeOf(root, "inputs") });
    for (const name of set.names()) inputs.set(name, readInput(set, name, directory, prefix));
  }
  const fn = force(outputs);
  if (fn instanceof Lambda && fn.info.formals !== undefined) {
    for (const name of fn.info.formals.names.keys())
      if (name !== "self" && !inputs.has(name))
        inputs.set(name, {
          reference: parseReference(`flake:${name}`),
          isFlake: true,
          follows: undefined,
          overrides: new Map(),
        });
  } else if (!(fn instanceof Lambda) && !(fn instanceof PrimOp))
    throw new D2nError("flake-file", "`outputs` must be a function", { location: placeOf(root, "outputs") });
  const description = root.get("description");
  return {
    description: description === undefined ? undefined : plainString(force(description)),
    inputs,
    outputs,
    path,
  };
}

function readInput(parent: Attrs, name: string, directory: string, prefix: InputPath): FlakeInput {
  const fail = (why: string, attribute?: string, set?: Attrs): D2nError =>
    new D2nError("flake-file", `input \`${name}\`: ${why}`, {
      location:
        (attribute === undefined || set === undefined ? undefined : placeOf(set, attribute)) ?? placeOf(parent, name),
    });
  const set = force(parent.get(name)!);
  if (!(set instanceof Attrs)) throw fail('it must be an attribute set, such as `{ url = "…"; }`');
  let url: string | undefined;
  let isFlake = true;
  let follows: InputPath | undefined;
  const overrides = new Map<string, FlakeInput>();
  const attributes = new Map<string, string | number | boolean>();
  for (const [key, lazyValue] of set.entries()) {
    const value = force(lazyValue);
    switch (key) {
      case "url":
        url = value instanceof NixPath ? pathReference(value.path, directory) : plainString(value);
        if (url === undefined) throw fail("`url` must be a string or a path", key, set);
        break;
      case "flake":
        if (typeof value !== "boolean") throw fail("`flake` must be a boolean", key, set);
        isFlake = value;
        break;
      case "inputs":
        if (!(value instanceof Attrs)) throw fail("`inputs` must be an attribute set", key, set);
        for (const inner of value.names()) overrides.set(inner, readInput(value, inner, directory, prefix));
        break;
      case "follows": {
        const text = plainString(value);
        if (text === undefined) throw fail("`follows` must be a string", key, set);
        follows = [...prefix, ...parseInputPath(text)];
        break;
      }
      default: {
        const plain = plainString(value) ?? value;
        if (typeof plain === "bigint" || (typeof plain === "number" && plain < 0))
          throw fail(`\`${key}\` must not be negative`, key, set);
        if (typeof plain !== "string" && typeof plain !== "number" && typeof plain !== "boolean")
          throw fail(`\`${key}\` must be a string, an integer or a boolean`, key, set);
        attributes.set(key, plain);
      }
    }
  }
  let reference: FlakeReference | undefined;
  if (attributes.has("type")) {
    if (url !== undefined) attributes.set("url", url);
    reference = referenceFromAttributes(attributes);
  } else if (attributes.size > 0) {
    const first = [...attributes.keys()][0]!;
    throw fail(`unexpected attribute \`${first}\``, first, set);
  } else if (url !== undefined) {
    reference = parseReference(url);
    // What is no flake need not be a tree: without the name of an archive it is a file (libfetchers/tarball.cc).
    if (!isFlake && reference.type === "tarball" && !/^tarball\+/.test(url) && !hasArchiveName(url)) {
      const attributes = new Map(reference.attributes);
      if (attributes.has("type")) attributes.set("type", "file");
      reference = { ...reference, type: "file", attributes };
    }
  }
  if (reference === undefined && follows === undefined) reference = parseReference(`flake:${name}`);
  return { reference, isFlake, follows, overrides };
}

function hasArchiveName(url: string): boolean {
  return /\.(?:zip|tar|tgz|tar\.gz|tar\.xz|tar\.bz2|tar\.zst)$/.test(url.replace(/[?#].*$/, ""));
}

/** "a/b/c" as a list; "" is the root. */
export function parseInputPath(text: string): string[] {
  return text === "" ? [] : text.split("/").filter((part) => part !== "");
}

/** Whether a reference is a path relative to the flake that names it. */
export function isRelative(reference: FlakeReference): boolean {
  return reference.type === "path" && !String(reference.attributes.get("path")).startsWith("/");
}

/** A path literal means the folder or file inside of the flake, as a relative reference. */
function pathReference(path: string, directory: string): string {
  return `path:${encodeUrlText(relative(directory, path), ":@/") || "."}`;
}

function placeOf(set: Attrs, name: string): SourceLocation | undefined {
  const position = set.position(name);
  return position instanceof SourcePosition ? position.location() : position;
}

function plainString(value: Value): string | undefined {
  if (value instanceof ContextString) throw new EvalError("a flake's inputs must not depend on store paths");
  return typeof value === "string" ? value : undefined;
}
