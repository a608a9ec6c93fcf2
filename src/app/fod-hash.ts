/** The hash of what a fixed-output derivation fetches, whatever hash it specifies. */
import { D2nError } from "../base/index.ts";
import { formatHash, parseHash } from "../formats/index.ts";
import type { Context } from "./context.ts";
import { realise } from "./realise.ts";

/**
 * Fetches, or takes the hash that is specified where that turns out to be true.
 * @returns SRI. @throws D2nError what keeps it from being fetched
 */
export async function fixedOutputHash(context: Context, drvPath: string): Promise<string> {
  const store = await context.store();
  const output = (await store.readDerivation(drvPath)).outputs.get("out");
  if (output === undefined || output.hash === "")
    throw new D2nError(
      "lock-script-failed",
      `\`${drvPath}\` is no fixed-output derivation: its hash is not known before`,
      {
        hint: "lock.lib.computeFODHash takes what fetchurl, fetchgit and the like make.",
      },
    );
  try {
    await realise(context, [{ drvPath, outputs: ["out"] }]);
  } catch (error) {
    // Of this derivation, not of one that it needs.
    const got = /^\s*got:\s*(\S+)$/m.exec((error instanceof D2nError && error.details) || "")?.[1];
    if (!(error instanceof D2nError) || error.code !== "hash-mismatch" || !error.message.includes(drvPath)) throw error;
    if (got === undefined) throw error;
    return got;
  }
  const algorithm = output.hashAlgo.replace(/^(?:r|text):/, "");
  return formatHash(parseHash(output.hash, algorithm as "sha256"), "sri");
}
