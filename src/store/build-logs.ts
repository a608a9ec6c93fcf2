/** Build logs where Nix keeps them: `drvs/ab/cdef…-name.drv`, plain as d2n writes them or compressed as Nix does. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decompress, storePathBase } from "../formats/index.ts";
import { explained } from "./errors.ts";

export function logPathOf(logDir: string, derivationPath: string): string {
  const base = storePathBase(derivationPath);
  return join(logDir, "drvs", base.slice(0, 2), base.slice(2));
}

/** The log of a derivation, or undefined if there is none. */
export async function readLogOf(logDir: string, derivationPath: string): Promise<Uint8Array | undefined> {
  const path = logPathOf(logDir, derivationPath);
  return explained(`cannot read the log of '${derivationPath}'`, async () => {
    for (const suffix of ["", ".bz2"]) {
      if (!existsSync(path + suffix)) continue;
      const bytes = readFileSync(path + suffix);
      if (suffix === "") return bytes;
      const pieces: Uint8Array[] = [];
      for await (const piece of decompress([bytes])) pieces.push(piece);
      return Buffer.concat(pieces);
    }
    return undefined;
  });
}
