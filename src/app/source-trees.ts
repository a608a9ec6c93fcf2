/** From flake references to source trees in the store. */
import { existsSync, lstatSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { D2nError, redactCredentials } from "../base/index.ts";
import {
  currentBranch,
  describeCommit,
  fetchGit,
  fetchTarballTree,
  findCheckout,
  type GitContext,
  readWorkingTree,
} from "../fetchers/index.ts";
import {
  type FlakeReference,
  formatReference,
  isPathLike,
  parseReference,
  referenceFromAttributes,
  referenceToAttributes,
} from "../flake/index.ts";
import { checkStorePathName, formatHash, makeFixedOutputPath, parseHash } from "../formats/index.ts";
import type { PathInfo } from "../store/index.ts";
import type { Context } from "./context.ts";
import { lookUpReference } from "./registries.ts";
import { makeScratchFolder } from "./scratch.ts";
import type { Plain, PlainEntries, ProjectMessage, TreeMessage } from "./evaluation/protocol.ts";

/**
 * What d2n itself writes while it works on a project: its lock, and what development shells need. It is no source of the project at
 * hand, or the first build would change what it builds. Of inputs and of clean checkouts it is, as everything is: their hashes stand
 * in lock files, and have to be what Nix computes.
 */
const NO_SOURCE: ReadonlySet<string> = new Set(["d2n.lock", ".dream2nix"]);

/** What a reference to a folder may claim to know of it. */
const PATH_FACTS: ReadonlySet<string> = new Set(["lastModified", "rev", "revCount"]);

/** How the flake in a folder of this machine is called: a reference that can be read again, whatever signs the folder's name has. */
function localDisplay(type: "path" | "git", folder: string, dir: string): string {
  return formatReference(localReference(type, folder, dir));
}

function localReference(type: "path" | "git", folder: string, dir = ""): FlakeReference {
  const entries: [string, Plain][] = [
    ["type", type],
    [type === "path" ? "path" : "url", folder],
    ["dir", dir],
  ];
  return referenceFromAttributes(new Map(entries));
}

/**
 * Opens the flake that a command was pointed at. A path means the checkout that it lies in (its tracked files) or, outside of
 * git, the folder as it is.
 * @throws D2nError `flake-missing` with what to do
 */
export async function openProject(context: Context, text: string): Promise<ProjectMessage> {
  const written = parseReference(text);
  const reference = lookUpReference(context, written) ?? written;
  if (reference.type === "path" && isPathLike(text)) {
    return openFolder(context, resolve(context.cwd, String(reference.attributes.get("path"))), reference.dir);
  }
  if (reference.type === "path") {
    const folder = resolve(context.cwd, String(reference.attributes.get("path")));
    const tree = await pathTree(context, folder);
    return project(tree, reference.dir, formatReference(reference), folder);
  }
  if (reference.type === "d2n" || reference.type === "indirect") {
    const folder = builtInFolder(String(reference.attributes.get("id")));
    if (folder !== undefined) return project(await pathTree(context, folder), "", text, undefined);
  }
  const tree = await fetchTree(context, [...referenceToAttributes(reference)]);
  const root = localCheckout(reference);
  return project(tree, reference.dir, formatReference(reference), root);
}

/** What a built-in flake offers, as a flake on disk: `nixpkgs#jq` on the command line. */
function builtInFolder(id: string): string | undefined {
  const folder = fileURLToPath(new URL(`built-in-flakes/by-name/${id}`, import.meta.url));
  return /^[a-z0-9]+$/.test(id) && existsSync(folder) ? folder : undefined;
}

/** @param within the flake's folder in it, where that is given: then it is not looked for further up */
async function openFolder(context: Context, base: string, within: string): Promise<ProjectMessage> {
  const exact = within !== "";
  const start = join(base, within);
  if (!existsSync(start))
    throw new D2nError("flake-missing", `\`${start}\` does not exist`, {
      hint: "Give the folder of a project that has a flake.nix.",
    });
  if (!statSync(start).isDirectory())
    throw new D2nError("flake-missing", `\`${start}\` is not a folder`, {
      hint: "Give the folder that holds flake.nix.",
    });
  const git = gitContext(context);
  const checkout = await findCheckout(start, git);
  // Git knows the folders behind symlinks.
  let folder: string | undefined = checkout === undefined ? start : realpathSync(start);
  while (folder !== undefined && !existsSync(join(folder, "flake.nix"))) {
    const up = dirname(folder);
    folder = exact || up === folder || folder === checkout ? undefined : up;
  }
  if (folder === undefined)
    throw new D2nError(
      "flake-missing",
      `there is no \`flake.nix\` in \`${start}\`${exact ? "" : " or a folder above it"}`,
      {
        hint: "Run d2n in a project's folder, or start a project here: `d2n flake init -t hello` (or pip, local-project, pdm).",
      },
    );
  if (checkout === undefined) {
    const [root, dir] = exact ? [base, within] : [folder, ""];
    return project(await pathTree(context, root), dir, localDisplay("path", root, dir), root);
  }
  const dir = relative(checkout, folder);
  const tree = await checkoutTree(context, checkout, localReference("git", checkout));
  if (!tree.files.has(join(dir, "flake.nix")))
    throw new D2nError(
      "flake-missing",
      `\`${join(folder, "flake.nix")}\` is not tracked by git, so it cannot be seen`,
      {
        hint: `Run \`git -C ${checkout} add ${join(dir, "flake.nix")}\` (and add the files that it needs). Files that git does not track are no part of a flake.`,
      },
    );
  return project(tree.tree, dir, localDisplay("git", checkout, dir), checkout);
}

/** As `openProject`, but a folder need not hold a flake. */
export async function openSource(context: Context, text: string): Promise<Pick<ProjectMessage, "tree" | "display">> {
  const reference = parseReference(text);
  if (reference.type !== "path" || !isPathLike(text)) return openProject(context, text);
  const folder = resolve(context.cwd, String(reference.attributes.get("path")));
  const checkout = existsSync(folder) ? await findCheckout(folder, gitContext(context)) : undefined;
  if (checkout === undefined)
    return { tree: await pathTree(context, folder), display: localDisplay("path", folder, "") };
  const { tree } = await checkoutTree(context, checkout, localReference("git", checkout));
  return { tree, display: localDisplay("git", checkout, "") };
}

function project(tree: TreeMessage, dir: string, display: string, root: string | undefined): ProjectMessage {
  const lock = root === undefined ? undefined : join(root, dir, "flake.lock");
  return {
    tree,
    dir,
    display,
    lockFile: lock !== undefined && existsSync(lock) ? readFileSync(lock, "utf8") : undefined,
    root,
  };
}

const folders = new WeakMap<Context, Map<string, string>>();

/** The folder of this machine that a tree was taken from: what is no source, d2n.lock above all, lies there only. */
export function folderOfTree(context: Context, outPath: string): string | undefined {
  return folders.get(context)?.get(outPath);
}

/** Fetches a tree by its attributes, as `builtins.fetchTree` and lock files have them. */
export async function fetchTree(context: Context, attributes: PlainEntries): Promise<TreeMessage> {
  const reference = referenceFromAttributes(new Map(attributes));
  const fetched = await fetchReference(context, reference);
  const [path, url] = ["path", "url"].map((name) => String(reference.attributes.get(name) ?? ""));
  const folder =
    reference.type === "path"
      ? path!
      : reference.type === "git" && url!.startsWith("file://")
        ? localFolder(url!)
        : undefined;
  if (folder?.startsWith("/") === true) {
    if (!folders.has(context)) folders.set(context, new Map());
    folders.get(context)!.set(fetched.outPath, folder);
  }
  return fetched;
}

async function fetchReference(context: Context, reference: FlakeReference): Promise<TreeMessage> {
  const text = (name: string): string | undefined => {
    const value = reference.attributes.get(name);
    return value === undefined ? undefined : String(value);
  };
  const known = await treeByHash(context, reference);
  if (known !== undefined) return known;
  switch (reference.type) {
    case "path": {
      const path = text("path");
      if (path === undefined || !path.startsWith("/"))
        throw new D2nError("flake-reference", `a path input wants an absolute path, not \`${path}\``);
      return checked(await pathTree(context, path, { asInput: true, reference }), reference);
    }
    case "git": {
      const url = text("url");
      if (url === undefined) throw new D2nError("flake-reference", "a git input wants a `url`");
      const checkout = localCheckout(reference);
      if (url.startsWith("file://") && !existsSync(localFolder(url)))
        throw new D2nError("flake-reference", `Git repository ${JSON.stringify(localFolder(url))} does not exist.`);
      if (checkout !== undefined && existsSync(join(checkout, ".git")))
        return checked((await checkoutTree(context, checkout, reference)).tree, reference);
      return checked(await gitTree(context, reference, url), reference);
    }
    case "github":
    case "gitlab":
    case "sourcehut":
      return checked(await forgeTree(context, reference), reference);
    case "tarball":
    case "file": {
      const url = text("url");
      if (url === undefined) throw new D2nError("flake-reference", `a ${reference.type} input wants a \`url\``);
      return checked(await tarballTree(context, reference, url, reference.type === "file"), reference);
    }
    case "hg":
      throw new D2nError(
        "flake-reference",
        `d2n does not use Mercurial: it cannot fetch \`${formatReference(reference)}\``,
        {
          hint: "Point the input to a git mirror or an archive of that repository.",
        },
      );
    case "d2n":
    case "indirect": {
      const found = lookUpReference(context, reference);
      if (found !== undefined && found.type !== reference.type) return fetchReference(context, found);
      throw new D2nError("flake-reference", `there is no flake called \`${text("id")}\``, {
        hint: "Known by name are nixpkgs and dream2nix. A folder wants a `./` in front.",
      });
    }
    default:
      throw new D2nError("flake-reference", `d2n cannot fetch references of type \`${reference.type}\``);
  }
}

/** A git reference to a folder of this machine, without a commit or branch: its working tree. */
function localCheckout(reference: FlakeReference): string | undefined {
  const url = String(reference.attributes.get("url") ?? "");
  if (
    reference.type !== "git" ||
    !url.startsWith("file://") ||
    reference.attributes.has("rev") ||
    reference.attributes.has("ref")
  )
    return undefined;
  return localFolder(url);
}

/** The folder that a `file:` URL means, without its parameters. */
function localFolder(url: string): string {
  return fileURLToPath(url.replace(/[?#].*$/, ""));
}

/** The name of the store object. */
function nameOf(reference: FlakeReference): string {
  const name = reference.attributes.get("name");
  if (name === undefined) return "source";
  checkStorePathName(String(name));
  return String(name);
}

function gitContext(context: Context): GitContext {
  return { environment: context.environment, signal: context.signal };
}

/** A tree that is in the store already, told by the hash in its locked reference. */
async function treeByHash(context: Context, reference: FlakeReference): Promise<TreeMessage | undefined> {
  const narHash = reference.attributes.get("narHash");
  if (typeof narHash !== "string") return undefined;
  const store = await context.store();
  const outPath = makeFixedOutputPath(store.storeDir, nameOf(reference), "nar", parseHash(narHash, "sha256"));
  const info = await store.findPathInfo(outPath);
  if (info === undefined) return undefined;
  await store.addTempRoot(outPath);
  return tree(info, reference, sourceInfo(reference.attributes));
}

async function pathTree(
  context: Context,
  folder: string,
  { asInput = false, reference }: { readonly asInput?: boolean; readonly reference?: FlakeReference } = {},
): Promise<TreeMessage> {
  if (!existsSync(folder)) throw new D2nError("flake-missing", `\`${folder}\` does not exist`);
  const store = await context.store();
  // As Nix has it, a folder is as new as the newest of what it holds.
  let newest = lstatSync(folder).mtimeMs;
  const info = await store.addTree(
    { path: folder },
    {
      name: "source",
      filter: (path) => {
        if (!asInput && NO_SOURCE.has(baseName(path))) return false;
        newest = Math.max(newest, lstatSync(Buffer.from(path, "latin1")).mtimeMs);
        return true;
      },
    },
  );
  // What a reference says of the folder counts more than what the folder says.
  const said = [...(reference?.attributes ?? [])].filter(([name]) => PATH_FACTS.has(name));
  const facts = new Map<string, Plain>([["lastModified", Math.floor(newest / 1000)], ...said]);
  return tree(info, localReference("path", folder), [...facts]);
}

/** The tracked files of a checkout as they are on disk. The reference is what its locked form is made from. */
async function checkoutTree(
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
      if (revCount !== undefined && !flag("shallow")) facts.push(["revCount", revCount]);
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

async function gitTree(context: Context, reference: FlakeReference, url: string): Promise<TreeMessage> {
  const flag = (name: string): boolean => reference.attributes.get(name) === true;
  const text = (name: string): string | undefined => reference.attributes.get(name) as string | undefined;
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
    if (fetched.revCount !== undefined && !flag("shallow")) facts.push(["revCount", fetched.revCount]);
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
async function forgeTree(context: Context, reference: FlakeReference): Promise<TreeMessage> {
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

async function tarballTree(
  context: Context,
  reference: FlakeReference,
  url: string,
  flat: boolean,
): Promise<TreeMessage> {
  const scratch = makeScratchFolder(context, "fetch");
  try {
    const fetched = await fetchTarballTree({
      url,
      destination: join(scratch, "source"),
      unpack: !flat,
      environment: context.environment,
      offline: context.options.offline ?? false,
      sink: context.sink,
      signal: context.signal,
    });
    const info = await (
      await context.store()
    ).addTree({ path: fetched.path }, { name: "source", method: flat ? "flat" : "nar" });
    return tree(info, reference, fetched.lastModified === undefined ? [] : [["lastModified", fetched.lastModified]]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function tree(info: PathInfo, reference: FlakeReference, facts: PlainEntries): TreeMessage {
  const narHash = formatHash(info.narHash, "sri");
  const all = new Map<string, Plain>([["narHash", narHash], ...facts]);
  const rev = all.get("rev");
  if (typeof rev === "string") all.set("shortRev", rev.slice(0, 7));
  const lastModified = all.get("lastModified");
  if (typeof lastModified === "number") all.set("lastModifiedDate", dateOf(lastModified));
  const locked = new Map(referenceToAttributes(reference));
  locked.set("narHash", narHash);
  for (const name of ["rev", "ref", "revCount", "lastModified"]) {
    const value = all.get(name);
    if (value !== undefined) locked.set(name, value);
  }
  all.delete("ref");
  return { outPath: Buffer.from(info.path, "utf8").toString("latin1"), locked: [...locked], info: [...all] };
}

/** The facts that a locked reference carries. */
function sourceInfo(attributes: ReadonlyMap<string, Plain>): PlainEntries {
  const facts: [string, Plain][] = [];
  for (const name of ["rev", "ref", "revCount", "lastModified"]) {
    const value = attributes.get(name);
    if (value !== undefined) facts.push([name, value]);
  }
  if (attributes.get("type") === "git") facts.push(["submodules", attributes.get("submodules") === true]);
  return facts;
}

/** Compares with the hash that the reference fixes. */
function checked(tree: TreeMessage, reference: FlakeReference): TreeMessage {
  const wanted = reference.attributes.get("narHash");
  const got = new Map(tree.info).get("narHash");
  if (typeof wanted === "string" && formatHash(parseHash(wanted, "sha256"), "sri") !== got)
    throw new D2nError(
      "hash-mismatch",
      `hash mismatch in the source \`${redactCredentials(formatReference(reference))}\``,
      {
        details: `wanted: ${wanted}\n   got: ${String(got)}`,
        hint: "The source has changed since it was locked. If that is expected, lock it again.",
      },
    );
  // Of a commit, they cannot change.
  for (const name of reference.type === "git" ? ["lastModified", "revCount"] : []) {
    const expected = reference.attributes.get(name);
    const found = new Map(tree.info).get(name);
    if (expected !== undefined && found !== undefined && expected !== found)
      throw new D2nError(
        "hash-mismatch",
        `'${name}' attribute mismatch in input '${redactCredentials(formatReference(reference))}', expected ${String(expected)}, got ${String(found)}`,
        { hint: "The source has changed since it was locked. If that is expected, lock it again." },
      );
  }
  return tree;
}

/** YYYYMMDDhhmmss in UTC, as `lastModifiedDate` has it. */
function dateOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/[-:T]/g, "").slice(0, 14);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
