/** Calling a locked flake: the values of `self` and of every input (Nix: `call-flake.nix`). */
import { Attrs, ContextString, EvalError, type Evaluator, force, lazy, type Lazy } from "../lang/index.ts";
import { folder, type LockedFlake, relativeTo } from "./lock.ts";
import { findInput, type LockedNode } from "./lock-file.ts";
import type { RefAttributes } from "./reference.ts";
import type { FetchedTree, FlakeSources } from "./sources.ts";

export interface CallRequest {
  readonly ev: Evaluator;
  readonly sources: FlakeSources;
  readonly flake: LockedFlake;
  readonly tree: FetchedTree;
  readonly dir: string;
}

/** The flake as an input of another would see it: outputs, source information, `inputs`, `outputs`, `sourceInfo`. */
export function callFlake(request: CallRequest): Lazy {
  const { ev, sources, flake } = request;
  const made = new Map<LockedNode, Lazy>();

  const valueOf = (node: LockedNode): Lazy => {
    let value = made.get(node);
    if (value === undefined) {
      value = lazy(() => evaluate(node));
      made.set(node, value);
    }
    return value;
  };

  const inputsOf = (node: LockedNode): Attrs =>
    Attrs.from(
      [...node.inputs].map(([name, input]): [string, Lazy] => {
        const target = "node" in input ? input.node : findInput(flake.lock, input.follows);
        if (target === undefined) throw new EvalError(`input '${name}' follows an input that does not exist`);
        return [name, valueOf(target)];
      }),
    );

  const treeOf = (node: LockedNode): FetchedTree => {
    if (node === flake.lock) return request.tree;
    const known = flake.trees.get(node);
    if (known !== undefined) return known;
    const { locked, parent } = node.source!;
    if (parent === undefined) return sources.fetch(locked);
    const above = findInput(flake.lock, parent)!;
    const base = folder(treeOf(above).outPath, above === flake.lock ? request.dir : above.source!.original.dir);
    return { ...treeOf(above), outPath: relativeTo(base, String(locked.attributes.get("path"))) };
  };

  const evaluate = (node: LockedNode): Lazy => {
    const inputs = lazy(() => inputsOf(node));
    const builtIn =
      node.source?.locked.type === "d2n"
        ? sources.builtIns.get(String(node.source.locked.attributes.get("id")))
        : undefined;
    if (builtIn !== undefined)
      return wrap(
        inStore(ev.host.storeDir, builtIn.outPath),
        Attrs.from([["outPath", inStore(ev.host.storeDir, builtIn.outPath)]]),
        inputs,
        (self) => builtIn.outputs(self, inputs),
      );
    const tree = treeOf(node);
    const dir = node === flake.lock ? request.dir : node.source!.original.dir;
    const sourceInfo = sourceInfoOf(ev.host.storeDir, tree);
    const outPath = inStore(ev.host.storeDir, folder(tree.outPath, dir));
    if (node.source?.isFlake === false)
      return merge([
        sourceInfo,
        Attrs.from([
          ["sourceInfo", sourceInfo],
          ["outPath", outPath],
        ]),
      ]);
    return wrap(outPath, sourceInfo, inputs, (self) => {
      const file = ev.importFile(`${folder(tree.outPath, dir)}/flake.nix`);
      const outputs = file instanceof Attrs ? file.get("outputs") : undefined;
      if (outputs === undefined) throw new EvalError(`'${tree.outPath}/flake.nix' has no outputs`);
      return ev.call(outputs, merge([force(inputs) as Attrs, Attrs.from([["self", self]])]));
    });
  };

  const wrap = (outPath: Lazy, sourceInfo: Attrs, inputs: Lazy, makeOutputs: (self: Lazy) => Lazy): Lazy => {
    const self: Lazy = lazy(() => {
      const forced = force(outputs);
      if (!(forced instanceof Attrs)) throw new EvalError("the outputs of a flake must be an attribute set");
      return merge([
        forced,
        sourceInfo,
        Attrs.from([
          ["outPath", outPath],
          ["inputs", inputs],
          ["outputs", outputs],
          ["sourceInfo", sourceInfo],
          ["_type", "flake"],
        ]),
      ]);
    });
    const outputs: Lazy = lazy(() => makeOutputs(self));
    return self;
  };

  return valueOf(flake.lock);
}

function sourceInfoOf(storeDir: string, tree: FetchedTree): Attrs {
  return Attrs.from([["outPath", inStore(storeDir, tree.outPath)], ...plainEntries(tree.info)]);
}

function plainEntries(info: RefAttributes): [string, Lazy][] {
  return [...info].filter(([name]) => name !== "outPath");
}

/** A path in the store as a string; its context is the store path that it lies in. */
function inStore(storeDir: string, path: string): ContextString {
  const end = path.indexOf("/", storeDir.length + 1);
  return new ContextString(path, new Set([end < 0 ? path : path.slice(0, end)]));
}

function merge(sets: readonly Attrs[]): Attrs {
  const all: [string, Lazy, undefined?][] = [];
  for (const set of sets) all.push(...(set.entries() as Iterable<[string, Lazy]>));
  return Attrs.from(all);
}
