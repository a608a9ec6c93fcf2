/** Building with this context's store, sandbox, caches and limits. */
import { realise as realiseDerivations, type RealiseResult, type UrlResolver, type Wanted } from "../build/index.ts";
import { D2nError } from "../base/index.ts";
import { sandboxTools } from "./bootstrap.ts";
import type { Context } from "./context.ts";
import { contentCache } from "./content-cache.ts";
import { gitHostFetcher } from "./host-fetcher.ts";
import { indexResolver } from "./index-resolver.ts";

export interface RealiseRequest {
  /** Build again and compare. */
  readonly check?: boolean;
}

/** Makes everything that is wanted valid. @throws D2nError with the log's last lines when a build fails */
export async function realise(
  context: Context,
  wanted: readonly Wanted[],
  request: RealiseRequest = {},
): Promise<RealiseResult> {
  const { options, environment, sink, signal } = context;
  return realiseDerivations({
    store: await context.store(),
    wanted,
    system: context.system,
    sandbox: () => sandboxTools(context),
    sandboxing: options.sandboxing,
    sandboxPaths: options.sandboxPaths,
    maxJobs: options.maxJobs ?? numberSetting(context, "max-jobs"),
    cores: options.cores ?? numberSetting(context, "cores"),
    timeout: options.timeout,
    maxSilent: options.maxSilent,
    keepGoing: options.keepGoing,
    keepFailed: options.keepFailed,
    check: request.check,
    contentCache: contentCache(context),
    resolveUrls: urlResolver(context),
    hostFetcher: gitHostFetcher(context),
    advise: async ({ env }, log) => {
      const pname = env.get("pname");
      if (pname === undefined || !env.has("stdenv")) return undefined;
      const { adviceOnMissing } = await import("../nixpkgs/index.ts");
      return adviceOnMissing(log, pname);
    },
    environment,
    offline: options.offline,
    sink,
    signal,
  });
}

/** What may stand for an address: an index for `mirror://pypi/…`, a snapshot archive for a mirror. */
function urlResolver(context: Context): UrlResolver {
  const index = indexResolver(context);
  const snapshot = snapshotFallback(context);
  return (wanted) => (wanted.url.startsWith("mirror://") || snapshot === undefined ? index(wanted) : snapshot(wanted));
}

/** Mirrors drop superseded packages; an archive that keeps them has the same files under the same names. */
function snapshotFallback(context: Context): UrlResolver | undefined {
  const snapshot = context.environment["D2N_DEBIAN_SNAPSHOT"] || context.configuration["debian-snapshot"];
  if (snapshot === undefined) return undefined;
  return ({ url }) => {
    const pool = /\/pool\/[^?#]+\.deb$/.exec(url)?.[0];
    return pool === undefined ? [url] : [url, snapshot.replace(/\/+$/, "") + pool];
  };
}

function numberSetting(context: Context, key: "max-jobs" | "cores"): number | undefined {
  const text = context.configuration[key];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new D2nError("settings", `the setting \`${key}\` must be a whole number, not \`${text}\``);
  return value;
}
