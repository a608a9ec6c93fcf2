/**
 * The programs that come before every build: the static busybox, which is the first builder and the sandbox's /bin/sh, and
 * bubblewrap: the system's, or one out of the Debian archive.
 */
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import {
  type Architecture,
  bubblewrapPackages,
  busyboxPackage,
  type DebPin,
  type OpenDeb,
  prepareBubblewrap,
  prepareBusybox,
} from "../debian/index.ts";
import { D2nError, makeFolders } from "../base/index.ts";
import type { SandboxTools } from "../sandbox/index.ts";
import type { Context } from "./context.ts";
import { DEFAULT_SUITE, fetchDeb, openDebianArchive } from "./debian-archive.ts";

const tools = new WeakMap<Context, Promise<SandboxTools>>();

/** What sandboxes are made with, got when first needed. */
export function sandboxTools(context: Context): Promise<SandboxTools> {
  let made = tools.get(context);
  if (made === undefined) {
    made = findTools(context);
    made.catch(() => tools.delete(context));
    tools.set(context, made);
  }
  return made;
}

/** A folder that holds the busybox of a locked package, and nothing else. */
export async function bootstrapBusybox(context: Context, pin: DebPin): Promise<string> {
  return prepareBusybox({ pin, open: openDeb(context), cacheDir: bootstrapFolder(context) });
}

async function findTools(context: Context): Promise<SandboxTools> {
  const shell = join(
    prepared(context, /^busybox-[0-9a-f]+$/) ??
      (await bootstrapBusybox(context, await currentPin(context, busyboxPackage))),
    "busybox",
  );
  return { bubblewrap: findProgram(context, "bwrap") ?? (await archiveBubblewrap(context)), shell };
}

async function archiveBubblewrap(context: Context): Promise<readonly string[]> {
  const folder = prepared(context, /^bubblewrap-[0-9a-f]+$/);
  const loader =
    folder === undefined ? undefined : readdirSync(folder).find((name) => /^ld-linux.*\.so\.\d$/.test(name));
  if (folder !== undefined && loader !== undefined)
    return [join(folder, loader), "--library-path", folder, join(folder, "bwrap")];
  const pins: DebPin[] = [];
  for (const name of bubblewrapPackages) pins.push(await currentPin(context, name));
  return prepareBubblewrap({
    pins,
    architecture: architectureOf(context),
    open: openDeb(context),
    cacheDir: bootstrapFolder(context),
  });
}

/** A program on the user's PATH, as the only word of its command. */
function findProgram(context: Context, name: string): readonly string[] | undefined {
  for (const folder of (context.environment["PATH"] ?? "").split(delimiter)) {
    if (!folder.startsWith("/")) continue;
    try {
      accessSync(join(folder, name), constants.X_OK);
      return [join(folder, name)];
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

function openDeb(context: Context): OpenDeb {
  return (pin) => Promise.resolve(fetchDeb(context, pin));
}

/** Launchers refer to these programs, so they do not lie in the cache. */
function bootstrapFolder(context: Context): string {
  const folder = join(context.directories.data, "bootstrap");
  makeFolders(folder);
  return folder;
}

function prepared(context: Context, pattern: RegExp): string | undefined {
  const folder = bootstrapFolder(context);
  const name = existsSync(folder) ? readdirSync(folder).find((entry) => pattern.test(entry)) : undefined;
  return name === undefined ? undefined : join(folder, name);
}

async function currentPin(context: Context, name: string): Promise<DebPin> {
  const archive = await openDebianArchive(context);
  try {
    const pin = await archive.lookup(DEFAULT_SUITE, architectureOf(context), name);
    if (pin === undefined) throw new D2nError("debian-package", `the Debian archive has no package \`${name}\``);
    return pin;
  } finally {
    archive.close();
  }
}

function architectureOf(context: Context): Architecture {
  return context.system === "aarch64-linux" ? "arm64" : "amd64";
}
