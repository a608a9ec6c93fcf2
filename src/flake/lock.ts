/**
 * Locking a flake: from declared inputs and the old lock file to a lock graph, fetching no more than has changed. The method
 * is Nix's (`lockFlake`): what the old lock holds for an unchanged input is taken over with everything below it, unless a
 * `follows` there has changed.
 */
import { D2nError } from "../base/index.ts";
import type { Evaluator } from "../lang/index.ts";
import { type FlakeFile, type FlakeInput, isRelative, readFlakeFile } from "./flake-file.ts";
import { emptyLock, findInput, type InputPath, type LockedInput, type LockedNode, parseLockFile } from "./lock-file.ts";
import { formatLocation, formatReference } from "./format.ts";
import { type FlakeReference, parseReference, sameReference } from "./reference.ts";
import { lookUpFlake } from "./registry.ts";
import { lookUpInRegistry } from "./registry-file.ts";
import { builtInFor, type FetchedTree, type FlakeSources } from "./sources.ts";

export interface LockRequest {
  readonly ev: Evaluator;
  readonly sources: FlakeSources;
  /** The flake itself and its folder within the tree. */
  readonly tree: FetchedTree;
  readonly dir: string;
  /** What flake.lock holds now. */
  readonly old: LockedNode | undefined;
  /** `--override-input PATH REFERENCE`, by "a/b". */
  readonly overrides: ReadonlyMap<string, FlakeReference>;
  /** `flake update`: paths whose locks are made anew; "" stands for all. */
  readonly update: ReadonlySet<string>;
}

export interface LockedFlake {
  readonly file: FlakeFile;
  readonly lock: LockedNode;
  /** Trees that were fetched on the way, by node. */
  readonly trees: ReadonlyMap<LockedNode, FetchedTree>;
}

/** @throws D2nError `flake-input` for a `follows` that leads nowhere, an input that cannot be fetched and the like */
export function lockFlake(request: LockRequest): LockedFlake {
  const locker = new Locker(request);
  const file = readFlakeFile(request.ev, folder(request.tree.outPath, request.dir), []);
  const root = emptyLock();
  const old = request.update.has("") ? undefined : request.old;
  locker.lockInputs(file.inputs, root, [], old, [], { tree: request.tree, dir: request.dir, path: [] }, false);
  for (const path of request.overrides.keys())
    if (!locker.usedOverrides.has(path))
      throw new D2nError("flake-input", `there is no input \`${path}\` to override`, {
        hint: `The inputs are: ${[...file.inputs.keys()].join(", ") || "none"}.`,
      });
  checkFollows(root, root, []);
  return { file, lock: root, trees: locker.trees };
}

/** Where a flake lies within its tree. */
export function folder(outPath: string, dir: string): string {
  return dir === "" ? outPath : `${outPath}/${dir}`;
}

interface Parent {
  readonly tree: FetchedTree | undefined;
  readonly dir: string;
  readonly path: InputPath;
}

class Locker {
  readonly trees = new Map<LockedNode, FetchedTree>();
  readonly usedOverrides = new Set<string>();
  /** `inputs.x.inputs.y` of flakes further up, by full path; the outermost wins. */
  readonly #overrides = new Map<string, FlakeInput>();
  /** The inputs being read: references or, where those are relative, folders. */
  readonly #parents = new Set<string>();
  readonly #request: LockRequest;
  /** What lock files of inputs say. */
  readonly #lockedByInputs = new Set<LockedNode>();

  constructor(request: LockRequest) {
    this.#request = request;
    for (const [path, reference] of request.overrides)
      this.#overrides.set(path, { reference, isFlake: true, follows: undefined, overrides: new Map() });
  }

  lockInputs(
    inputs: ReadonlyMap<string, FlakeInput>,
    node: LockedNode,
    prefix: InputPath,
    old: LockedNode | undefined,
    followsPrefix: InputPath,
    parent: Parent,
    trusted: boolean,
  ): void {
    for (const [name, input] of inputs)
      for (const [inner, override] of input.overrides) {
        const key = [...prefix, name, inner].join("/");
        if (!this.#overrides.has(key)) this.#overrides.set(key, override);
      }
    for (const [name, declared] of inputs) {
      const path = [...prefix, name];
      node.inputs.set(name, this.#lockInput(path, declared, old?.inputs.get(name), followsPrefix, parent, trusted));
    }
  }

  #lockInput(
    path: InputPath,
    declared: FlakeInput,
    old: LockedInput | undefined,
    followsPrefix: InputPath,
    parent: Parent,
    trusted: boolean,
  ): LockedInput {
    const key = path.join("/");
    const override = this.#overrides.get(key);
    const byUser = this.#request.overrides.has(key);
    if (byUser) this.usedOverrides.add(key);
    if (override !== undefined && override.overrides.size > 0)
      for (const [inner, deeper] of override.overrides) {
        const deeperKey = `${key}/${inner}`;
        if (!this.#overrides.has(deeperKey)) this.#overrides.set(deeperKey, deeper);
      }
    const input: FlakeInput =
      override === undefined
        ? declared
        : override.follows !== undefined || override.reference !== undefined
          ? { ...override, isFlake: byUser ? declared.isFlake : override.isFlake }
          : declared;
    if (input.follows !== undefined) return { follows: input.follows };
    const reference = input.reference!;

    const builtIn = byUser && reference.type !== "d2n" ? undefined : builtInFor(reference, this.#request.sources);
    if (builtIn !== undefined) return { node: this.#lockBuiltIn(builtIn, reference, path, followsPrefix) };
    const relative = isRelative(reference);
    const oldNode = old !== undefined && "node" in old ? old.node : undefined;
    const parentPath = relative ? parent.path : undefined;
    if (
      oldNode?.source !== undefined &&
      !this.#updated(key, oldNode) &&
      (sameReference(oldNode.source.original, reference) || sameLocation(oldNode.source.original, reference)) &&
      (oldNode.source.parent ?? []).join("/") === (parentPath ?? []).join("/") &&
      !byUser
    )
      return { node: this.#reuse(oldNode, input, path, followsPrefix, parent, trusted) };

    const tree = this.#fetch(this.#located(reference, path), key, parent, relative);
    const child: LockedNode = {
      inputs: new Map(),
      source: {
        original: (byUser ? declared.reference : undefined) ?? reference,
        locked: relative ? reference : tree.locked,
        isFlake: input.isFlake,
        parent: parentPath,
      },
    };
    this.trees.set(child, tree);
    if (input.isFlake) {
      const directory = folder(tree.outPath, reference.dir);
      const file = readFlakeFile(this.#request.ev, directory, path);
      const itself = relative ? directory : formatReference(reference);
      if (this.#parents.has(itself))
        throw new D2nError("flake-input", `input \`${key}\` imports \`${formatLocation(reference)}\` in a circle`, {
          hint: "One of the flakes on the way has to do without the other, or to take it as a `follows`.",
        });
      this.#parents.add(itself);
      // What a new input brings along is locked as it says itself, not as another version of it said.
      this.lockInputs(
        file.inputs,
        child,
        path,
        this.#ownLock(directory),
        path,
        { tree, dir: reference.dir, path },
        false,
      );
      this.#parents.delete(itself);
    }
    return { node: child };
  }

  /** Where to fetch a flake from that may be given by name only. */
  #located(reference: FlakeReference, path: InputPath): FlakeReference {
    const { registry } = this.#request.sources;
    const found =
      reference.type === "indirect" ? (lookUpInRegistry(reference, registry) ?? lookUpFlake(reference)) : reference;
    if (found !== undefined && found.type !== "d2n") return found;
    throw new D2nError(
      "flake-input",
      `input \`${path.join("/")}\`: there is no flake called \`${String(reference.attributes.get("id"))}\``,
      {
        hint: `Give it a URL in flake.nix (\`inputs.${path.at(-1)}.url = …\`). Built in are: ${[...this.#request.sources.builtIns.keys()].join(", ")}.`,
      },
    );
  }

  #lockBuiltIn(id: string, original: FlakeReference, path: InputPath, followsPrefix: InputPath): LockedNode {
    const child: LockedNode = {
      inputs: new Map(),
      source: { original, locked: parseReference(`d2n:${id}`), isFlake: true, parent: undefined },
    };
    const inputs = new Map<string, FlakeInput>();
    for (const [name, target] of this.#request.sources.builtIns.get(id)!.inputs)
      inputs.set(name, {
        reference: parseReference(`d2n:${target}`),
        isFlake: true,
        follows: undefined,
        overrides: new Map(),
      });
    this.lockInputs(inputs, child, path, undefined, followsPrefix, { tree: undefined, dir: "", path }, false);
    return child;
  }

  /** Takes a locked input over, with its inputs as the lock has them if they can be trusted. */
  #reuse(
    old: LockedNode,
    input: FlakeInput,
    path: InputPath,
    followsPrefix: InputPath,
    parent: Parent,
    trusted: boolean,
  ): LockedNode {
    const source = old.source!;
    const child: LockedNode = { inputs: new Map(), source: { ...source, isFlake: input.isFlake } };
    if (!input.isFlake) return child;
    const key = path.join("/");
    let refetch =
      [...this.#request.update].some((wanted) => wanted.startsWith(`${key}/`)) ||
      mayLackBuiltIns(old, path, followsPrefix);
    const fake = new Map<string, FlakeInput>();
    for (const [name, inner] of old.inputs) {
      if ("node" in inner) {
        const below = inner.node.source!;
        fake.set(name, { reference: below.original, isFlake: below.isFlake, follows: undefined, overrides: new Map() });
        continue;
      }
      // A follows in the lock that neither this flake nor the input itself is known to want: look at the input again.
      if (!trusted && !this.#overrides.has(`${key}/${name}`) && this.#cameFromAbove(inner.follows, path))
        refetch = true;
      fake.set(name, {
        reference: undefined,
        isFlake: true,
        follows: [...followsPrefix, ...inner.follows],
        overrides: new Map(),
      });
    }
    if (refetch) {
      const relative = isRelative(source.original);
      const tree = this.#fetch(relative ? source.original : source.locked, key, parent, relative);
      this.trees.set(child, tree);
      const file = readFlakeFile(this.#request.ev, folder(tree.outPath, source.original.dir), path);
      this.lockInputs(file.inputs, child, path, old, followsPrefix, { tree, dir: source.original.dir, path }, false);
    } else
      this.lockInputs(fake, child, path, old, followsPrefix, { tree: undefined, dir: source.original.dir, path }, true);
    return child;
  }

  /** A follows that leads out of the input itself must have come from a flake further up. */
  #cameFromAbove(follows: InputPath, path: InputPath): boolean {
    return !path.every((name, i) => follows[i] === name);
  }

  /** Updating all does not reach what the inputs themselves have locked, unless that is named. */
  #updated(key: string, old: LockedNode): boolean {
    const { update } = this.#request;
    return update.has(key) || (update.has("") && !this.#lockedByInputs.has(old));
  }

  #ownLock(directory: string): LockedNode | undefined {
    const { host } = this.#request.ev;
    const path = `${directory}/flake.lock`;
    if (host.status(path) === undefined) return undefined;
    const root = parseLockFile(Buffer.from(host.readFile(path)).toString("utf8"), path);
    const note = (node: LockedNode): void => {
      if (this.#lockedByInputs.has(node)) return;
      this.#lockedByInputs.add(node);
      for (const input of node.inputs.values()) if ("node" in input) note(input.node);
    };
    note(root);
    return root;
  }

  #fetch(reference: FlakeReference, key: string, parent: Parent, relative: boolean): FetchedTree {
    try {
      if (!relative) return this.#request.sources.fetch(reference);
      if (parent.tree === undefined) throw new D2nError("flake-input", "a relative path has no meaning here");
      const target = relativeTo(folder(parent.tree.outPath, parent.dir), String(reference.attributes.get("path")));
      const { root = parent.tree.outPath } = parent.tree;
      if (target !== root && !target.startsWith(`${root}/`))
        throw new D2nError(
          "flake-input",
          `the path \`${String(reference.attributes.get("path"))}\` leads out of the flake`,
        );
      return { ...parent.tree, root, outPath: target, locked: reference };
    } catch (error) {
      if (!(error instanceof D2nError)) throw error;
      throw new D2nError(error.code, `input \`${key}\` (${formatLocation(reference)}): ${error.message}`, {
        hint: [
          error.hint,
          `Use another source with \`--override-input ${key} REFERENCE\`${key === "nixpkgs" || key.endsWith("/nixpkgs") ? `; \`--override-input ${key} d2n:nixpkgs\` takes the built-in package set` : ""}.`,
        ]
          .filter((part) => part !== undefined)
          .join("\n"),
        details: error.details,
        location: error.location,
        cause: error,
      });
    }
  }
}

/** Joins and canonicalises; never above "/". */
export function relativeTo(base: string, path: string): string {
  const parts = base.split("/").filter((part) => part !== "");
  for (const part of path.split("/"))
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  return `/${parts.join("/")}`;
}

/**
 * Whether inputs are missing in a lock because they are built in: something follows one of them. A flake on this machine can be
 * looked at in any case.
 */
function mayLackBuiltIns({ source, inputs }: LockedNode, path: InputPath, followsPrefix: InputPath): boolean {
  const { type, attributes } = source!.locked;
  const lost = [...inputs.values()].some((input) => {
    if (!("follows" in input)) return false;
    const target = [...followsPrefix, ...input.follows];
    return (
      path.every((name, i) => target[i] === name) &&
      target[path.length] !== undefined &&
      !inputs.has(target[path.length]!)
    );
  });
  return lost || type === "path" || (type === "git" && String(attributes.get("url")).startsWith("file:"));
}

/** Nix forgets `narHash`, `rev` and the like of originals that were given pinned in another spelling: compare the rest. */
function sameLocation(a: FlakeReference, b: FlakeReference): boolean {
  return formatLocation(a) === formatLocation(b);
}

function checkFollows(root: LockedNode, node: LockedNode, path: InputPath, seen = new Set<LockedNode>()): void {
  if (seen.has(node)) return;
  seen.add(node);
  for (const [name, input] of node.inputs) {
    const here = [...path, name];
    if ("node" in input) checkFollows(root, input.node, here, seen);
    else if (findInput(root, input.follows) === undefined)
      throw new D2nError(
        "flake-input",
        `input \`${here.join("/")}\` follows \`${input.follows.join("/")}\`, which does not exist`,
        {
          hint: `Correct \`follows\` in flake.nix; the inputs are: ${[...root.inputs.keys()].join(", ")}.`,
        },
      );
  }
}
