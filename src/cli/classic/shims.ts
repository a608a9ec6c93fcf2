/** The launchers: small shell scripts that start the classic programs' entry under their names. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Those that do something, and some that say that they are not served and what is to be done instead. */
export const programs = [
  "nix",
  "nix-build",
  "nix-channel",
  "nix-collect-garbage",
  "nix-copy-closure",
  "nix-daemon",
  "nix-env",
  "nix-hash",
  "nix-instantiate",
  "nix-prefetch-url",
  "nix-shell",
  "nix-store",
] as const;

export interface ShimOptions {
  readonly folder: string;
  readonly cwd: string;
  /** The Node.js to run them with. */
  readonly node: string;
}

/** @returns the files written. @throws system errors */
export function writeShims({ folder, cwd, node }: ShimOptions): string[] {
  const place = resolve(cwd, folder);
  mkdirSync(place, { recursive: true });
  const entry = fileURLToPath(new URL("main.cjs", import.meta.url));
  return programs.map((name) => {
    const file = join(place, name);
    writeFileSync(file, `#!/bin/sh\nexec ${quoted(node)} ${quoted(entry)} ${name} "$@"\n`);
    chmodSync(file, 0o755);
    return file;
  });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
