/** Looks at what a builder left: metadata, hashes, references, promises of fixed outputs. Moves and registers nothing. */
import { lstatSync } from "node:fs";
import {
  bytePath,
  equalHashes,
  formatHash,
  fsPath,
  type Hash,
  Hasher,
  hashFileSync,
  hashNar,
  NarWalker,
  printContentAddress,
  ReferenceScanner,
} from "../formats/index.ts";
import { StoreError } from "./errors.ts";
import { Breather, canonicalise, exists } from "./files.ts";
import type { NewPathInfo, OutputRegistration, RegisterOutputsOptions } from "./types.ts";

type PlacedOutput = OutputRegistration & { readonly from: string };

export async function examineOutputs(
  outputs: readonly PlacedOutput[],
  options: RegisterOutputsOptions,
  storeDir: string,
): Promise<NewPathInfo[]> {
  for (const { name, path, from } of outputs)
    if (!exists(from))
      throw new StoreError("store-path-missing", `the build did not make the output '${name}' at '${path}'`, {
        hint: "The builder must create every output that the derivation declares, here $" + `${name}.`,
      });
  const candidates = new Set(options.candidates);
  for (const output of outputs) candidates.add(output.path);
  const infos: NewPathInfo[] = [];
  for (const output of outputs) infos.push(await examine(output, candidates, options, storeDir));
  refuseCycles(infos);
  return infos;
}

async function examine(
  output: PlacedOutput,
  candidates: ReadonlySet<string>,
  options: RegisterOutputsOptions,
  storeDir: string,
): Promise<NewPathInfo> {
  const path = bytePath(output.from);
  if (output.fixed?.method === "flat") {
    const status = lstatSync(fsPath(path));
    if (!status.isFile() || (status.mode & 0o100) !== 0)
      throw new StoreError(
        "hash-mismatch",
        `output '${output.path}' should be a non-executable regular file, since its hash is that of a file`,
        { hint: 'Set `outputHashMode = "recursive"` for directories and executables.' },
      );
  }
  canonicalise(output.from);
  const scanner = new ReferenceScanner(candidates);
  const hasher = new Hasher("sha256");
  const breather = new Breather();
  {
    using walker = new NarWalker(path);
    for (let bytes = walker.next(); bytes !== undefined; bytes = walker.next()) {
      hasher.update(bytes);
      scanner.push(bytes);
      await breather.pause();
    }
  }
  const narSize = hasher.size;
  const narHash = hasher.finish();
  const references = output.discardReferences === true ? [] : scanner.found();
  let ca: string | undefined;
  if (output.fixed !== undefined) {
    const { method, hash } = output.fixed;
    const actual = await contentHash(path, method, hash, narHash);
    if (!equalHashes(actual, hash))
      throw new StoreError(
        "hash-mismatch",
        `hash mismatch in fixed-output derivation '${options.deriver ?? output.path}'`,
        {
          details: `specified: ${formatHash(hash, "sri")}\n      got: ${formatHash(actual, "sri")}`,
          hint: "If the new content is right, put its hash in place of the old one.",
          exitCode: 102,
        },
      );
    if (references.length > 0)
      throw new StoreError(
        "hash-mismatch",
        `fixed-output derivation '${options.deriver ?? output.path}' must not refer to store paths, but mentions '${references[0]!.slice(storeDir.length + 1)}'`,
        { details: references.join("\n"), hint: "Remove the reference from what the builder writes." },
      );
    ca = printContentAddress({ method, hash });
  }
  return { path: output.path, narHash, narSize, references, deriver: options.deriver, ultimate: true, ca };
}

async function contentHash(path: string, method: string, wanted: Hash, narHash: Hash): Promise<Hash> {
  const raw = Buffer.from(path, "latin1");
  if (method !== "nar") return hashFileSync(raw, wanted.algorithm).hash;
  if (wanted.algorithm === "sha256") return narHash;
  return (await hashNar(raw, undefined, wanted.algorithm)).hash;
}

/** Outputs that refer to each other in a circle could only be kept or deleted together, which no store can do. */
function refuseCycles(infos: readonly NewPathInfo[]): void {
  const byPath = new Map(infos.map((info) => [info.path, info]));
  const done = new Set<string>();
  const open: string[] = [];
  const visit = (info: NewPathInfo): void => {
    if (done.has(info.path)) return;
    if (open.includes(info.path))
      throw new StoreError(
        "output-cycle",
        `cycle detected in the references of the outputs of a build: ${[...open.slice(open.indexOf(info.path)), info.path].join(" -> ")}`,
        { hint: "Move what refers to the other output to that output, or remove the reference." },
      );
    open.push(info.path);
    for (const reference of info.references) {
      const next = byPath.get(reference);
      if (next !== undefined && next !== info) visit(next);
    }
    open.pop();
    done.add(info.path);
  };
  for (const info of infos) visit(info);
}
