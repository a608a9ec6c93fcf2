/** Source trees out of git: checkouts of this machine, repositories elsewhere, forges. */
import { existsSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { D2nError } from "../base/index.ts";
import {
  currentBranch,
  describeCommit,
  fetchGit,
  type GitContext,
  isShallow,
  readWorkingTree,
} from "../fetchers/index.ts";
import { type FlakeReference, referenceFromAttributes, referenceToAttributes } from "../flake/index.ts";
import type { Context } from "./context.ts";
import type { Plain, TreeMessage } from "./evaluation/protocol.ts";
import { baseName, nameOf, NO_SOURCE, tree } from "./fetched-trees.ts";
import { makeScratchFolder } from "./scratch.ts";

export function gitContext(context: Context): GitContext {
  return { environment: context.environment, signal: context.signal };
}

/** The tracked files of a checkout as they are on disk. The reference is what its locked form is made from. */
export async function checkoutTree(
  context: Context,
  root: string,
  reference: FlakeReference,
): Promise<{ tree: TreeMessage; files: Set<string> }> {
  const git = gitContext(context);
  const flag = (name: string): boolean => reference.attributes.get(name) === true;
  const submodules = flag("submodules");
  const working = await readWorkingTree(root, git, { submodules, exportIgnore: flag("exportIgnore") });
  const clean = working.head !== undefined && !working.dirty;
  if (working.dirty) tellDirty(context, root);
  const include = new Set<string>();
  for (const file of working.files) {
    if (!clean && NO_SOURCE.has(baseName(file))) continue;
    include.add(file);
    for (let slash = file.lastIndexOf("/"); slash > 0; slash = file.lastIndexOf("/", slash - 1))
      include.add(file.slice(0, slash));
  }
  const store = await context.store();
  const prefix = Buffer.from(root, "utf8").toString("latin1").length + 1;
  const added = store.addTree(
    { path: root },
    { name: nameOf(reference), filter: (path) => include.has(path.slice(prefix)) },
  );
  const [info, commit, branch] = await Promise.all([
    added,
    working.head === undefined ? undefined : describeCommit(root, working.head, git),
    working.dirty ? undefined : currentBranch(root, git),
  ]);
  const facts: [string, Plain][] = [["submodules", submodules]];
  if (working.head === undefined || commit === undefined) {
    facts.push(["lastModified", 0]);
    if (!working.dirty)
      facts.push(["rev", "0".repeat(40)], ...(flag("shallow") ? [] : [["revCount", 0] as [string, Plain]]));
  } else {
    const { lastModified, revCount } = commit;
    facts.push(["lastModified", lastModified]);
    if (working.dirty)
      facts.push(["dirtyRev", `${working.head}-dirty`], ["dirtyShortRev", `${working.head.slice(0, 7)}-dirty`]);
    else {
      facts.push(["rev", working.head]);
      if (branch !== undefined) facts.push(["ref", branch]);
      if (!flag("shallow")) facts.push(["revCount", revCount]);
    }
  }
  return {
    tree: tree(info, reference, facts),
    files: new Set(working.files.map((file) => Buffer.from(file, "latin1").toString("utf8"))),
  };
}

function tellDirty({ options, sink }: Context, root: string): void {
  const text = `Git tree '${root}' is dirty`;
  if (options.dirtyTrees === "refuse")
    throw new D2nError("flake-reference", text, { hint: "Commit the changes, or allow them: `--allow-dirty`." });
  if (options.dirtyTrees === "warn") sink({ type: "message", level: "warning", text });
}

export async function gitTree(context: Context, reference: FlakeReference, url: string): Promise<TreeMessage> {
  const flag = (name: string): boolean => reference.attributes.get(name) === true;
  const text = (name: string): string | undefined => reference.attributes.get(name) as string | undefined;
  const local = url.startsWith("file://") ? localFolder(url) : undefined;
  if (local !== undefined && !flag("shallow") && (await isShallow(local, gitContext(context))))
    throw new D2nError(
      "flake-reference",
      `'${local}' is a shallow Git repository, but shallow repositories are only allowed when \`shallow = true;\` is specified`,
    );
  const scratch = makeScratchFolder(context, "fetch");
  try {
    const fetched = await fetchGit(
      {
        url,
        ref: text("ref"),
        rev: text("rev"),
        submodules: flag("submodules"),
        shallow: flag("shallow"),
        allRefs: flag("allRefs"),
        exportIgnore: flag("exportIgnore"),
      },
      {
        ...gitContext(context),
        cacheDir: join(context.directories.cache, "git"),
        destination: join(scratch, "source"),
        sink: context.sink,
        offline: context.options.offline ?? false,
      },
    );
    const info = await (await context.store()).addTree({ path: fetched.directory }, { name: nameOf(reference) });
    const facts: [string, Plain][] = [
      ["submodules", flag("submodules")],
      ["rev", fetched.rev],
      ["lastModified", fetched.lastModified],
    ];
    if (!flag("shallow")) facts.push(["revCount", fetched.revCount]);
    if (fetched.ref !== undefined) facts.push(["ref", fetched.ref]);
    return tree(info, reference, facts);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The address of a forge's git repository. */
export function forgeUrl({ type, attributes }: FlakeReference): string {
  const text = (name: string): string => String(attributes.get(name) ?? "");
  const host = text("host") || { github: "github.com", gitlab: "gitlab.com", sourcehut: "git.sr.ht" }[type]!;
  return `https://${host}/${text("owner")}/${text("repo")}${type === "sourcehut" ? "" : ".git"}`;
}

/** A forge's tarball of a commit. Branches are resolved through git, which every forge serves. */
export async function forgeTree(context: Context, reference: FlakeReference): Promise<TreeMessage> {
  const text = (name: string): string => String(reference.attributes.get(name) ?? "");
  const url = forgeUrl(reference);
  const attributes = new Map<string, Plain>([
    ["type", "git"],
    ["url", url],
  ]);
  for (const name of ["ref", "rev"]) if (text(name) !== "") attributes.set(name, text(name));
  const fetched = await gitTree(context, referenceFromAttributes(attributes), url);
  const facts = fetched.info.filter(([name]) => !["revCount", "submodules", "ref", "outPath"].includes(name));
  const locked = new Map<string, Plain>([...referenceToAttributes(reference)].filter(([name]) => name !== "ref"));
  for (const [name, value] of facts)
    if (name === "rev" || name === "lastModified" || name === "narHash") locked.set(name, value);
  return { outPath: fetched.outPath, locked: [...locked], info: facts };
}

/** The folder that a `file:` URL means, without its parameters. */
export function localFolder(url: string): string {
  return fileURLToPath(url.replace(/[?#].*$/, ""));
}

/**
 * The folder that a relative `file:` URL means, from where d2n was started: deprecated in Nix, which takes what is neither a checkout
 * nor missing for an address of another machine.
 */
export function relativeRepository({ cwd, sink }: Context, url: string): string | undefined {
  const path = /^file:([^/].*)$/s.exec(url)?.[1];
  if (path === undefined) return undefined;
  const folder = resolve(cwd, decodeURIComponent(path.replace(/[?#].*$/s, "")));
  if (existsSync(folder) && !existsSync(join(folder, ".git"))) return undefined;
  const text = `Fetching Git repository '${url}', which uses a path relative to the current directory. This is not supported and will stop working in a future release. See https://github.com/NixOS/nix/issues/12281 for details.`;
  sink({ type: "message", level: "warning", text });
  return folder;
}
