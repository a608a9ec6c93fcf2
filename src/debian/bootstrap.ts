/**
 * The two programs that come before every build: the static busybox, which is the first builder, and bubblewrap, where the
 * system has none.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { D2nError } from "../base/index.ts";
import { type OpenDeb, unpackTogether } from "./deb.ts";
import type { Architecture, DebPin } from "./types.ts";

/** The package that the pins must have for `prepareBusybox`. */
export const busyboxPackage = "busybox-static";

/** The packages that make a bubblewrap that runs through its own loader. */
export const bubblewrapPackages: readonly string[] = ["bubblewrap", "libcap2", "libselinux1", "libpcre2-8-0", "libc6"];

const loaders: Readonly<Record<Architecture, { readonly triple: string; readonly loader: string }>> = {
  amd64: { triple: "x86_64-linux-gnu", loader: "ld-linux-x86-64.so.2" },
  arm64: { triple: "aarch64-linux-gnu", loader: "ld-linux-aarch64.so.1" },
};

/**
 * A folder with nothing in it but the executable `busybox`. It enters the store as it is, so that its contents are part of
 * everything that is built: the pin must be the locked one.
 */
export async function prepareBusybox(options: {
  readonly pin: DebPin;
  readonly open: OpenDeb;
  readonly cacheDir: string;
}): Promise<string> {
  const { pin, open, cacheDir } = options;
  const folder = join(cacheDir, `busybox-${pin.sha256.slice(0, 16)}`);
  if (!existsSync(join(folder, "busybox")))
    await unpackTogether(
      folder,
      [pin],
      open,
      (path) => (/^(usr\/)?bin\/busybox$/.test(path) ? "busybox" : undefined),
      (unpacked, into) => {
        if (!existsSync(join(unpacked, "busybox")))
          throw new D2nError("debian-package", `Debian's package '${pin.package}' has no program 'busybox'`);
        chmodSync(join(unpacked, "busybox"), 0o755);
        renameSync(join(unpacked, "busybox"), join(into, "busybox"));
      },
    );
  return folder;
}

/**
 * How to start bubblewrap out of the archive: its words. It is not relocated, since the store is not there yet where it runs,
 * but started through the loader that was unpacked beside it.
 */
export async function prepareBubblewrap(options: {
  /** Of `bubblewrapPackages`, in that order. */
  readonly pins: readonly DebPin[];
  readonly architecture: Architecture;
  readonly open: OpenDeb;
  readonly cacheDir: string;
}): Promise<readonly string[]> {
  const { pins, architecture, open, cacheDir } = options;
  const { triple, loader } = loaders[architecture];
  const id = pins.map((pin) => pin.sha256.slice(0, 4)).join("");
  const folder = join(cacheDir, `bubblewrap-${id}`);
  if (!existsSync(join(folder, "bwrap")))
    await unpackTogether(
      folder,
      pins,
      open,
      (path) => {
        const library = new RegExp(`^(?:usr/)?lib/${triple}/([^/]+\\.so(?:\\.[^/]+)?)$`).exec(path);
        return library !== null ? library[1] : /^(usr\/)?bin\/bwrap$/.test(path) ? "bwrap" : undefined;
      },
      (unpacked, into) => {
        mkdirSync(into, { recursive: true });
        for (const name of readdirSync(unpacked)) renameSync(join(unpacked, name), join(into, name));
      },
    );
  return [join(folder, loader), "--library-path", folder, join(folder, "bwrap")];
}
