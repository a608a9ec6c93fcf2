/** From flake references to source trees in the store. */
import { existsSync, lstatSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { D2nError, redactCredentials } from "../base/index.ts";
import { fetchTarballTree, findCheckout } from "../fetchers/index.ts";
import {
  type FlakeReference,
  formatReference,
  isPathLike,
  parseReference,
  referenceFromAttributes,
  referenceToAttributes,
} from "../flake/index.ts";
import { formatHash, makeFixedOutputPath, parseHash } from "../formats/index.ts";
import type { Context } from "./context.ts";
import type { Plain, PlainEntries, ProjectMessage, TreeMessage } from "./evaluation/protocol.ts";
import { baseName, nameOf, NO_SOURCE, sourceInfo, tree } from "./fetched-trees.ts";
import { checkoutTree, forgeTree, gitContext, gitTree, localFolder, relativeRepository } from "./git-trees.ts";
import { lookUpReference } from "./registries.ts";
import { makeScratchFolder } from "./scratch.ts";

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
      const beside = relativeRepository(context, url);
      if (beside !== undefined) {
        const attributes = new Map(reference.attributes).set("url", pathToFileURL(beside).href);
        return fetchReference(context, { ...reference, attributes });
      }
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
