/** `lib.fetchers`: hashes of fixed outputs as fetchers take them. */
import {
  AssertionError,
  Attrs,
  force,
  forceAttrs,
  forceBool,
  type Lazy,
  lazy,
  ThrownError,
  updateAttrs,
} from "../lang/index.ts";
import { attribute, call, filterAttributes, fn, fnWithFormals, type Namespace, textList, getOr } from "./support.ts";
import { formalsOf, withFormals } from "./trivial.ts";

/** Hashes that nothing has: for builds that are to tell the right one. */
export const FAKE = {
  hash: "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
  sha256: "0".repeat(64),
  sha512: "0".repeat(128),
} as const;

const PROXY_VARIABLES = ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"];

function normalize(types: readonly string[], required: boolean, args: Attrs): Attrs {
  if (args.has("outputHash")) return args;
  const names = ["hash", ...types];
  const given = names.filter((name) => args.has(name)).sort();
  if (given.length > 1)
    throw new ThrownError(`fetcher called with mutually-incompatible arguments: ${given.join(", ")}`);
  const rest = filterAttributes(args, (name) => !names.includes(name));
  const [name] = given;
  if (name === undefined) {
    if (required) throw new ThrownError("fetcher called without `hash`");
    return rest;
  }
  const hash = lazy(() => {
    const value = force(attribute(args, name));
    if (value !== "") return value;
    const fake = (FAKE as Readonly<Record<string, string>>)[name];
    if (fake === undefined) throw new ThrownError(`no “fake hash” defined for ${name}`);
    return fake;
  });
  return updateAttrs(
    rest,
    Attrs.from([
      ["outputHashAlgo", name === "hash" ? null : name],
      ["outputHash", hash],
    ]),
  );
}

export function fetchersNamespace(): Namespace {
  const types = (args: Attrs): string[] => textList(getOr(args, "hashTypes", ["sha256"]));
  return {
    proxyImpureEnvVars: [...PROXY_VARIABLES, ...PROXY_VARIABLES.map((name) => name.toUpperCase()), "NIX_SSL_CERT_FILE"],
    normalizeHash: fnWithFormals("normalizeHash", { hashTypes: true, required: true }, (settings) =>
      fn("normalizeHash", 1, (args) =>
        normalize(types(settings), forceBool(getOr(settings, "required", true)), forceAttrs(args)),
      ),
    ),
    withNormalizedHash: fnWithFormals("withNormalizedHash", { hashTypes: true }, (settings) =>
      fn("withNormalizedHash", 1, (fetcher: Lazy) => {
        const formals = formalsOf(fetcher);
        const optional = formals.get("outputHash");
        if (optional === undefined || !formals.has("outputHashAlgo"))
          throw new AssertionError(
            "assertion failed: withNormalizedHash needs a fetcher that takes outputHash and outputHashAlgo",
          );
        const own = filterAttributes(formals, (name) => name !== "outputHash" && name !== "outputHashAlgo");
        return withFormals(
          fn("fetcher", 1, (args) => call(fetcher, normalize(types(settings), !forceBool(optional), forceAttrs(args)))),
          updateAttrs(own, Attrs.from([["hash", optional]])),
        );
      }),
    ),
  };
}
