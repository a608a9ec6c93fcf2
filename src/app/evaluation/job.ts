/** What the worker does: lock the flake, find what is asked for, and describe it in plain data. */
import { D2nError, type SourceLocation } from "../../base/index.ts";
import { hashHex } from "../../formats/index.ts";
import {
  callFlake,
  describeChanges,
  emptyLock,
  findInput,
  folder,
  formatLockFile,
  formatReference,
  type FetchedTree,
  type FlakeReference,
  type Found,
  type LockedFlake,
  lockFlake,
  lookupFor,
  needsLockFile,
  parseLockFile,
  parseReference,
  referenceFromAttributes,
  referenceToAttributes,
  resolveFragment,
} from "../../flake/index.ts";
import {
  Attrs,
  ContextString,
  createEvaluator,
  EvalError,
  type Evaluator,
  force,
  forceAttrs,
  fromUtf8,
  type Lazy,
  NixPath,
  printValue,
  toJson,
  type Value,
} from "../../lang/index.ts";
import { lockAttribute } from "../../python/index.ts";
import { checkFlake } from "./check.ts";
import { createBuiltIns } from "./built-in-flakes.ts";
import { getFlake, sourcesWith, treeFrom } from "./flake-loading.ts";
import { ParsedFiles } from "./parsed-files.ts";
import type {
  DerivationMessage,
  FlakeMetadata,
  InstallableJob,
  Job,
  JobResult,
  JobValue,
  Plain,
  ProjectMessage,
} from "./protocol.ts";
import type { SyncServices } from "./service-client.ts";
import { listPackages } from "./search.ts";
import { showFlake } from "./show.ts";
import { WorkerHost } from "./worker-host.ts";

export function runJob(job: Job, services: SyncServices): JobResult {
  const trees = new ParsedFiles(job.settings.parsedFiles);
  try {
    return evaluateJob(job, services, trees);
  } finally {
    trees.save();
  }
}

function evaluateJob(job: Job, services: SyncServices, trees: ParsedFiles): JobResult {
  const host = new WorkerHost(job.settings, services);
  const nativeFiles = new Map<string, () => Lazy>();
  const ev = createEvaluator({
    host,
    maxCallDepth: job.settings.maxCallDepth ?? 10_000,
    experimentalFeatures: new Set(["flakes", "fetch-tree"]),
    nativeFiles,
    trees,
  });
  const project = services.openProject(job.reference);
  const tree = treeFrom(project.tree);
  host.allow(tree.outPath);
  const builtIns = createBuiltIns({ ev, host, services, nativeFiles });
  const sources = sourcesWith(services, host, { builtIns: builtIns.flakes, registry: job.settings.registry });
  host.getFlake = (reference) => getFlake(ev, sources, host, fromUtf8(reference));
  const oldText = project.lockFile ?? lockFileOfTree(host, tree, project);
  const old = oldText === undefined ? undefined : parseLockFile(oldText, `${tree.outPath}/flake.lock`);
  const flake = lockFlake({
    ev,
    sources,
    tree,
    dir: project.dir,
    old,
    overrides: new Map(job.settings.overrideInputs.map(([path, text]) => [path, overrideReference(text, job)])),
    update: new Set(job.settings.updateInputs),
  });
  const value = describe(job, ev, project, flake, callFlake({ ev, sources, flake, tree, dir: project.dir }));
  host.flush();
  return { value, ...newLock(job, flake, oldText), newPins: builtIns.newPins(), impure: host.impure };
}

function describe(job: Job, ev: Evaluator, project: ProjectMessage, flake: LockedFlake, outputs: Lazy): JobValue {
  if (job.kind === "lock") {
    const wanted = job.settings.updateInputs.filter((name) => name !== "");
    return { type: "locked", unknown: wanted.filter((name) => findInput(flake.lock, name.split("/")) === undefined) };
  }
  if (job.kind === "show")
    return {
      type: "tree",
      url: lockedUrl(project),
      tree: showFlake(outputsOf(outputs), { ...job, system: job.settings.system }),
    };
  if (job.kind === "search") {
    const { system } = job.settings;
    return { type: "packages", packages: listPackages(ev, outputsOf(outputs), system, job.under) };
  }
  if (job.kind === "metadata") return { type: "metadata", metadata: metadataOf(project, flake) };
  if (job.kind === "check")
    return { type: "check", check: checkFlake(ev, outputsOf(outputs), job.settings.system, job.allSystems) };
  const found = find(job, outputs, project);
  const attributePath = found.attributePath.join(".");
  const value =
    job.apply === undefined
      ? found.value
      : ev.call(ev.evaluate(job.apply, { basePath: job.settings.cwd, name: "--apply" }), found.value);
  void flake;
  switch (job.want) {
    case "derivation":
      return buildable(ev, value, attributePath);
    case "app":
      return runnable(ev, value, attributePath);
    case "shell":
      return shellOf(ev, value, attributePath);
    case "derivation-path": {
      const derivation = asDerivation(ev, value);
      if (derivation === undefined) throw notADerivation(value, attributePath);
      return { type: "derivation", attributePath, derivation };
    }
    case "json": {
      return { type: "text", ...plain(toJson(ev.world, value)) };
    }
    case "raw": {
      const text = ev.coerceToString(value);
      return { type: "text", ...plain(text) };
    }
    case "text":
      return { type: "text", text: fromUtf8(printValue(value, { force: true, derivationPaths: true })), context: [] };
  }
}

/** The reference to just this version of a flake; to where it lies, if it is not as it was committed. */
function lockedUrl({ display, tree: { locked, info } }: ProjectMessage): string {
  const pinned = info.some(([name]) => name === "rev") || parseReference(display).type === "path";
  return pinned ? formatReference(referenceFromAttributes(new Map(locked))) : display;
}

function metadataOf(project: ProjectMessage, flake: LockedFlake): FlakeMetadata {
  const { outPath, locked, info } = project.tree;
  const known = new Map(info);
  const text = (name: string): string | undefined => (known.has(name) ? String(known.get(name)) : undefined);
  const number = (name: string): number | undefined => (known.has(name) ? Number(known.get(name)) : undefined);
  const reference = parseReference(project.display);
  return {
    description: flake.file.description,
    resolved: { url: project.display, attributes: [...referenceToAttributes(reference)] },
    locked: {
      url: lockedUrl(project),
      // As Nix shows them: with the mark that nothing is missing, and what a working folder is based on.
      attributes: [
        ["__final", true],
        ...info.filter(([name]) => name === "dirtyRev" || name === "dirtyShortRev"),
        ...locked,
      ],
    },
    path: outPath,
    fingerprint: fingerprint(project, flake),
    revision: text("rev"),
    dirtyRevision: text("dirtyRev"),
    revCount: number("revCount"),
    lastModified: number("lastModified"),
    lockFile: formatLockFile(flake.lock),
  };
}

/**
 * Nix's key for all that may change what a flake evaluates to (libflake, `LockedFlake::getFingerprint`); undefined for a working
 * folder that is not as it was committed.
 */
function fingerprint({ tree: { locked, info }, dir }: ProjectMessage, { lock }: LockedFlake): string | undefined {
  const attributes = new Map([...info, ...locked]);
  const source = sourceFingerprint(attributes);
  if (source === undefined) return undefined;
  const more = ["revCount", "lastModified"].flatMap((name) =>
    attributes.has(name) ? [`;${name}=${String(attributes.get(name))}`] : [],
  );
  return hashHex("sha256", Buffer.from(`${source};${dir};${formatLockFile(lock).trimEnd()}${more.join("")}`, "utf8"));
}

function sourceFingerprint(attributes: ReadonlyMap<string, Plain>): string | undefined {
  const [type, rev, narHash] = ["type", "rev", "narHash"].map((name) => attributes.get(name));
  if (type === "path") return narHash === undefined ? undefined : `path:${String(narHash)}`;
  if ((type === "tarball" || type === "file") && narHash !== undefined) return String(narHash);
  if (rev === undefined) return undefined;
  const flags =
    type === "git" ? ["submodules", "exportIgnore", "lfs"].filter((name) => attributes.get(name) === true) : [];
  return String(rev) + flags.map((name) => `;${name[0]!}`).join("");
}

/** The outputs proper: what `self.outputs` is. */
function outputsOf(self: Lazy): Lazy {
  const set = force(self);
  return set instanceof Attrs ? (set.get("outputs") ?? set) : set;
}

function find(job: InstallableJob, outputs: Lazy, project: ProjectMessage): Found {
  return resolveFragment(outputsOf(outputs), job.fragment, lookupFor(job.lookup, job.settings.system), project.display);
}

/** A derivation, a store path, or a string that names one. */
function buildable(ev: Evaluator, value: Value, attributePath: string): JobValue {
  const derivation = asDerivation(ev, value);
  if (derivation !== undefined) return { type: "derivation", attributePath, derivation };
  if (value instanceof NixPath || value instanceof ContextString || (value instanceof Attrs && value.has("outPath"))) {
    const { text, context } = plain(ev.coerceToString(value));
    return { type: "path", attributePath, path: text, context };
  }
  throw notADerivation(value, attributePath);
}

/** Packages of dream2nix have a shell of their own. */
function shellOf(ev: Evaluator, value: Value, attributePath: string): JobValue {
  if (value instanceof Attrs && value.has("devShell")) {
    const derivation = asDerivation(ev, force(value.get("devShell")!));
    if (derivation !== undefined) return { type: "derivation", attributePath: `${attributePath}.devShell`, derivation };
  }
  const derivation = asDerivation(ev, value);
  if (derivation === undefined) throw notADerivation(value, attributePath);
  return { type: "derivation", attributePath, derivation };
}

function runnable(ev: Evaluator, value: Value, attributePath: string): JobValue {
  if (value instanceof Attrs && value.has("type") && force(value.get("type")!) === "app") {
    const program = value.get("program");
    if (program === undefined)
      throw new D2nError("installable", `the app \`${attributePath}\` has no \`program\``, {
        location: located(value, "type"),
      });
    const { text, context } = plain(ev.coerceToString(program));
    return { type: "app", attributePath, program: text, context };
  }
  if (value instanceof Attrs && value.has(lockAttribute)) {
    const { text, context } = plain(ev.coerceToString(required(forceAttrs(value.get(lockAttribute)!), "spec")));
    return { type: "lock", attributePath, spec: text, context };
  }
  const derivation = asDerivation(ev, value);
  if (derivation === undefined)
    throw new D2nError("installable", `\`${attributePath}\` is neither an app nor a derivation, so it cannot be run`);
  return { type: "derivation", attributePath, derivation };
}

function notADerivation(value: Value, attributePath: string): D2nError {
  const is = value instanceof Attrs ? 'a set without `type = "derivation"`' : "not one";
  return new D2nError("installable", `\`${attributePath}\` was expected to be a derivation but is ${is}`, {
    hint: value instanceof Attrs ? `It has: ${value.names().slice(0, 20).join(", ")}.` : undefined,
  });
}

function asDerivation(ev: Evaluator, value: Value): DerivationMessage | undefined {
  if (!(value instanceof Attrs) || !value.has("type") || force(value.get("type")!) !== "derivation") return undefined;
  const drvPath = plain(ev.coerceToString(required(value, "drvPath"))).text;
  const text = (set: Attrs, name: string): string | undefined => {
    const attribute = set.get(name);
    if (attribute === undefined) return undefined;
    const forced = force(attribute);
    return typeof forced === "string" ? forced : forced instanceof ContextString ? forced.text : undefined;
  };
  const metaValue = value.get("meta");
  const meta = metaValue === undefined ? undefined : force(metaValue);
  let outputs: string[] = [];
  if (value.has("outputSpecified") && force(value.get("outputSpecified")!) === true)
    outputs = [text(value, "outputName") ?? "out"];
  else if (meta instanceof Attrs && meta.has("outputsToInstall")) {
    const wanted = force(meta.get("outputsToInstall")!);
    if (Array.isArray(wanted)) outputs = wanted.map((name: Lazy) => plain(ev.coerceToString(name)).text);
  }
  if (outputs.length === 0) outputs = [text(value, "outputName") ?? "out"];
  return {
    drvPath,
    outputs,
    name: text(value, "name") ?? "",
    pname: text(value, "pname"),
    mainProgram: meta instanceof Attrs ? text(meta, "mainProgram") : undefined,
  };
}

function required(set: Attrs, name: string): Lazy {
  const value = set.get(name);
  if (value === undefined) throw new EvalError(`attribute '${name}' missing`);
  return value;
}

function located(set: Attrs, name: string): SourceLocation | undefined {
  return set.position(name);
}

function plain(text: string | ContextString): { text: string; context: string[] } {
  return typeof text === "string"
    ? { text: fromUtf8(text), context: [] }
    : { text: fromUtf8(text.text), context: [...text.context] };
}

function lockFileOfTree(host: WorkerHost, tree: FetchedTree, project: ProjectMessage): string | undefined {
  if (project.root !== undefined) return undefined;
  const path = `${folder(tree.outPath, project.dir)}/flake.lock`;
  return host.status(path) === undefined ? undefined : Buffer.from(host.readFile(path)).toString("utf8");
}

/** References on the command line are relative to where the user is. */
function overrideReference(text: string, job: Job): FlakeReference {
  const reference = parseReference(text);
  const path = reference.attributes.get("path");
  if (reference.type !== "path" || typeof path !== "string" || path.startsWith("/")) return reference;
  const attributes = new Map(reference.attributes);
  attributes.set("path", new URL(path, `file://${job.settings.cwd}/`).pathname.replace(/(.)\/$/, "$1"));
  return { ...reference, attributes };
}

function newLock(
  job: Job,
  flake: LockedFlake,
  oldText: string | undefined,
): Pick<JobResult, "newLockFile" | "lockChanges"> {
  // Overrides hold for one command: they are no reason to write anything, unless that is what the command is for.
  if (job.kind !== "lock" && job.settings.overrideInputs.length > 0) return { newLockFile: undefined, lockChanges: [] };
  const old = oldText === undefined ? emptyLock() : parseLockFile(oldText, "flake.lock");
  if (oldText === undefined && !needsLockFile(flake.lock)) return { newLockFile: undefined, lockChanges: [] };
  // Nodes that real Nix locked for inputs that are built in here stay as they are, for whoever uses Nix on the project.
  keepForeign(old, flake.lock);
  const text = formatLockFile(flake.lock);
  if (oldText === undefined || text !== formatLockFile(old))
    return { newLockFile: text, lockChanges: describeChanges(old, flake.lock) };
  return { newLockFile: undefined, lockChanges: [] };
}

function keepForeign(old: ReturnType<typeof emptyLock>, now: ReturnType<typeof emptyLock>): void {
  for (const [name, input] of now.inputs) {
    if ("follows" in input) continue;
    const before = old.inputs.get(name);
    if (input.node.source?.locked.type === "d2n") {
      if (before !== undefined && findInput(old, [name]) !== undefined) now.inputs.set(name, before);
    } else if (before !== undefined && "node" in before) keepForeign(before.node, input.node);
  }
}
