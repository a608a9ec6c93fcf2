/**
 * `mirror://pypi/…`: files of Python packages of which only the name is known. They are looked up where pip would look: at the
 * indexes of its configuration, else at the one that it has built in. No index is named here.
 */
import { readFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { D2nError, messageOf, writeFileAtomically } from "../base/index.ts";
import type { UrlResolver } from "../build/index.ts";
import { unpackDeb } from "../debian/index.ts";
import { downloadStream, FetchError, shownUrl } from "../fetchers/index.ts";
import {
  builtInIndex,
  canonicalName,
  fileNameOf,
  type IndexedFile,
  parseIndexPage,
  pipIndexes,
  projectPage,
  simpleIndexAccept,
} from "../python/index.ts";
import type { Context } from "./context.ts";
import { makeScratchFolder } from "./scratch.ts";
import { DEFAULT_SUITE, fetchDeb, openDebianArchive } from "./debian-archive.ts";

const scheme = "mirror://pypi/";

/** The largest page of an index that is read, in bytes. */
const maxPage = 256 << 20;

const resolvers = new WeakMap<Context, UrlResolver>();

/** Maps `mirror://pypi/…/<project>/<file>` to where the file is; other addresses stay as they are. Each page is read once. */
export function indexResolver(context: Context): UrlResolver {
  let resolver = resolvers.get(context);
  if (resolver === undefined) {
    resolver = createResolver(context);
    resolvers.set(context, resolver);
  }
  return resolver;
}

function createResolver(context: Context): UrlResolver {
  let builtIn: Promise<string> | undefined;
  const fallback = (): Promise<string> => (builtIn ??= defaultIndex(context));
  const pages = new Map<string, Promise<readonly IndexedFile[] | undefined>>();
  const page = (url: string): Promise<readonly IndexedFile[] | undefined> => {
    let asked = pages.get(url);
    if (asked === undefined) {
      asked = readPage(context, url);
      pages.set(url, asked);
    }
    return asked;
  };
  return ({ url }) => (url.startsWith(scheme) ? locate(context, url, page, fallback) : [url]);
}

type Pages = (url: string) => Promise<readonly IndexedFile[] | undefined>;

/** A place to look at, and what its page is for a project. */
interface Place {
  readonly address: string;
  readonly page: string;
}

async function locate(context: Context, url: string, page: Pages, fallback: () => Promise<string>): Promise<string[]> {
  const [path, query = ""] = url.slice(scheme.length).split("?", 2);
  const parts = path!.split("/");
  const file = fileNameOf(path!);
  const project = canonicalName(parts.at(-2) ?? "");
  const found: string[] = [];
  const failures: string[] = [];
  const looked: string[] = [];
  for await (const { address, page: pageUrl } of places(context, project, new URLSearchParams(query), fallback)) {
    looked.push(shownUrl(address));
    try {
      const files = await page(pageUrl);
      for (const one of files ?? []) if (one.name === file) found.push(withCredentials(one.url, pageUrl));
    } catch (error) {
      if (context.signal.aborted) throw error;
      failures.push(messageOf(error));
    }
    // One is enough: the content's hash is known.
    if (found.length > 0) return found;
  }
  throw new D2nError(
    "package-index",
    `the file ${file} of the Python package ${project} is at none of the places that pip is configured with`,
    {
      details: [...looked.map((address) => `- ${address}`), ...failures].join("\n"),
      hint: "Name the index that has it in pip's configuration (`pip config set global.index-url …`, PIP_INDEX_URL), or lock with static URLs: `pdm lock --static-urls`.",
    },
  );
}

/** In the order in which they are looked at; the built-in index is only found out when nothing else has the file. */
async function* places(
  context: Context,
  project: string,
  query: URLSearchParams,
  fallback: () => Promise<string>,
): AsyncGenerator<Place> {
  const index = (address: string): Place => ({ address, page: projectPage(address, project) });
  // The lock's own sources may have `${VARIABLES}` for credentials, as pdm has them.
  for (const [kind, value] of query) {
    const address = expand(value, context.environment);
    if (kind === "index") yield index(address);
    else if (kind === "find-links") yield links(context, address);
  }
  if (query.has("only")) return;
  const { indexUrl, extraIndexUrls, findLinks, noIndex } = pipIndexes({ environment: context.environment, readText });
  for (const address of findLinks) yield links(context, address);
  if (noIndex) return;
  if (indexUrl !== undefined) yield index(indexUrl);
  for (const address of extraIndexUrls) yield index(address);
  if (indexUrl === undefined) yield index(await fallback());
}

function links(context: Context, address: string): Place {
  if (/^(?:https?|file):/i.test(address)) return { address, page: address };
  return { address, page: pathToFileURL(resolve(context.cwd, address)).href };
}

function expand(text: string, environment: Context["environment"]): string {
  return text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, name: string) => environment[name] ?? whole);
}

/** The files of a page or folder; undefined if there is no such page. */
async function readPage(context: Context, url: string): Promise<readonly IndexedFile[] | undefined> {
  if (url.startsWith("file:")) {
    const folder = await folderFiles(url);
    if (folder !== undefined) return folder;
  }
  const stream = await downloadStream({
    url,
    name: `the page of ${shownUrl(url)}`,
    environment: context.environment,
    headers: { accept: simpleIndexAccept },
    offline: context.options.offline,
    sink: context.sink,
    signal: context.signal,
  });
  if (stream === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxPage)
      throw new FetchError("download-failed", `the page ${shownUrl(url)} is larger than any index's`, {});
  }
  return parseIndexPage(Buffer.concat(chunks).toString("utf8"), url);
}

async function folderFiles(url: string): Promise<IndexedFile[] | undefined> {
  const folder = new URL(url.endsWith("/") ? url : `${url}/`);
  try {
    return (await readdir(folder)).map((name) => ({ name, url: new URL(encodeURIComponent(name), folder).href }));
  } catch {
    return undefined;
  }
}

/** pip uses the credentials of an index for files on the same host. */
function withCredentials(file: string, page: string): string {
  const [target, source] = [new URL(file), new URL(page)];
  if (target.origin !== source.origin || source.username === "" || target.username !== "") return file;
  target.username = source.username;
  target.password = source.password;
  return target.href;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** What pip itself takes without any configuration: it stands in the archive's pip, which is read once. */
async function defaultIndex(context: Context): Promise<string> {
  const remembered = join(context.directories.cache, "pip-built-in-index");
  const known = readText(remembered)?.trim();
  if (known !== undefined && /^https?:\/\//.test(known)) return known;
  const folder = makeScratchFolder(context, "pip-source");
  const archive = await openDebianArchive(context);
  let index: string | undefined;
  try {
    const architecture = context.system === "aarch64-linux" ? "arm64" : "amd64";
    const pin = await archive.lookup(DEFAULT_SUITE, architecture, "python3-pip");
    if (pin === undefined) throw new D2nError("debian-package", "the Debian archive has no package `python3-pip`");
    await unpackDeb(fetchDeb(context, pin), folder, (path) =>
      path.endsWith("/pip/_internal/models/index.py") ? "index.py" : undefined,
    );
    index = builtInIndex(readText(join(folder, "index.py")) ?? "");
  } finally {
    archive.close();
    await rm(folder, { recursive: true, force: true });
  }
  if (index === undefined)
    throw new D2nError("package-index", "no package index is configured, and pip's own could not be found out", {
      hint: "Name one in pip's configuration: `pip config set global.index-url …`, or the variable PIP_INDEX_URL.",
    });
  writeFileAtomically(remembered, `${index}\n`);
  return index;
}
