/**
 * `result` links. Where the store lies at its own name they lead to store paths. A chroot store's paths mean nothing outside of
 * its namespace, so there they lead to a view: programs in `bin`, and a result that is one, become launchers that enter it, everything else the
 * files as they lie on disk. A view is a root like a link: it keeps its store path while its link leads to it.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { D2nError, isSystemError, writeFileAtomically, makeFolders } from "../base/index.ts";
import type { Context } from "./context.ts";

/** In a view: the store path it shows, and the link that it is for. */
const RECORD = ".d2n-view.json";

interface ViewRecord {
  readonly storePath: string;
  readonly link: string;
}

/** Makes or replaces the link. @throws D2nError `result-link` if something else is in its place */
export async function linkResult(context: Context, link: string, storePath: string): Promise<void> {
  const store = await context.store();
  refuseOthers(link);
  if (!context.chroot) return store.addPermanentRoot(storePath, link);
  const view = viewFor(context, link, storePath);
  if (!existsSync(join(view, RECORD))) await makeView(context, view, { storePath, link });
  // A root of its own in the store, which lasts as long as the link: see `pruneViews`.
  const root = rootOf(store.stateDir, view);
  makeFolders(dirname(root));
  replaceLink(root, storePath);
  replaceLink(link, viewTarget(context, view, storePath));
}

/** Whether a link that leads to `target` shows this store path. */
export function linkIsCurrent(context: Context, target: string, storePath: string): boolean {
  if (!context.chroot) return target === storePath && existsSync(storePath);
  if (!target.startsWith(`${viewsFolder(context)}/`)) return target === context.toPhysical(storePath);
  return (
    basename(target).endsWith(`-${basename(storePath)}`) &&
    existsSync(join(target, RECORD)) &&
    context.onDisk(storePath)
  );
}

/** Forgets views whose link is gone, with their roots: what the garbage collector asks for first. */
export async function pruneViews(context: Context): Promise<void> {
  if (!context.chroot || !existsSync(viewsFolder(context))) return;
  const { stateDir } = await context.store();
  for (const name of readdirSync(viewsFolder(context))) {
    const view = join(viewsFolder(context), name);
    if (viewInUse(view)) continue;
    rmSync(rootOf(stateDir, view), { force: true });
    rmSync(view, { recursive: true, force: true });
  }
}

function viewInUse(view: string): boolean {
  try {
    const record = JSON.parse(readFileSync(join(view, RECORD), "utf8")) as ViewRecord;
    const target = readlinkSync(record.link);
    return target === view || dirname(target) === view;
  } catch {
    return false;
  }
}

function viewsFolder(context: Context): string {
  return join(context.directories.data, "views");
}

/** One view a link and store path, so that views can be told apart and forgotten one by one. */
function viewFor(context: Context, link: string, storePath: string): string {
  const id = createHash("sha256").update(`${link}\0${context.storeRoot}`).digest("hex").slice(0, 12);
  return join(viewsFolder(context), `${id}-${basename(storePath)}`);
}

function rootOf(stateDir: string, view: string): string {
  return join(stateDir, "gcroots", "d2n", basename(view));
}

/** A view of a file is a folder that holds a link to it. */
function viewTarget(context: Context, view: string, storePath: string): string {
  return lstatSync(context.toPhysical(storePath)).isDirectory() ? view : join(view, "file");
}

async function makeView(context: Context, view: string, record: ViewRecord): Promise<void> {
  const temporary = `${view}.${process.pid}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  rmSync(view, { recursive: true, force: true });
  makeFolders(temporary);
  const physical = context.toPhysical(record.storePath);
  if (!lstatSync(physical).isDirectory()) {
    const place = join(temporary, "file");
    if (isProgram(resolvePhysical(context, physical))) await makeLauncher(context, place, record.storePath);
    else symlinkSync(physical, place);
  } else
    for (const name of readdirSync(physical))
      if (name === "bin" && lstatSync(join(physical, name)).isDirectory())
        await makeLaunchers(context, join(record.storePath, name), join(temporary, name));
      else symlinkSync(resolvePhysical(context, join(physical, name)), join(temporary, name));
  writeFileAtomically(join(temporary, RECORD), `${JSON.stringify(record)}\n`);
  renameSync(temporary, view);
}

async function makeLaunchers(context: Context, folder: string, destination: string): Promise<void> {
  mkdirSync(destination);
  for (const name of readdirSync(context.toPhysical(folder))) {
    const place = join(destination, name);
    if (lstatSync(resolvePhysical(context, join(context.toPhysical(folder), name))).isFile())
      await makeLauncher(context, place, join(folder, name));
    else symlinkSync(join(context.toPhysical(folder), name), place);
  }
}

async function makeLauncher(context: Context, file: string, program: string): Promise<void> {
  const { enterCommand } = await import("./enter.ts");
  const { writeLauncher } = await import("../sandbox/index.ts");
  writeLauncher({ file, program, command: await enterCommand(context), storeDir: context.storeDir });
}

/** Whether a file can be started: a script that names its interpreter, or a binary. */
function isProgram(file: string): boolean {
  const status = lstatSync(file);
  if (!status.isFile() || (status.mode & 0o111) === 0) return false;
  const start = Buffer.alloc(4);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, start, 0, start.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return start.toString("latin1", 0, 2) === "#!" || start.toString("latin1") === "\x7fELF";
}

/** Follows symlinks that lead into the store to where they lie on disk. */
function resolvePhysical(context: Context, path: string): string {
  let at = path;
  for (let hops = 0; hops < 40; hops++) {
    let target: string;
    try {
      target = readlinkSync(at);
    } catch {
      return at;
    }
    const absolute = target.startsWith("/") ? target : join(dirname(at), target);
    at = absolute.startsWith(`${context.storeDir}/`) ? context.toPhysical(absolute) : absolute;
  }
  return at;
}

function refuseOthers(link: string): void {
  try {
    if (lstatSync(link).isSymbolicLink()) return;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return;
    throw error;
  }
  throw new D2nError("result-link", `\`${link}\` is in the way of the link to the result`, {
    hint: "Move it, or choose another name with `--out-link NAME`, or none with `--no-link`.",
  });
}

function replaceLink(link: string, target: string): void {
  const temporary = `${link}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  renameSync(temporary, link);
}
