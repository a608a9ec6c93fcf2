/** The files under `<nix/…>`, which come with the language and lie on no disk. */
import { EvalError } from "../errors.ts";
import { nativeFormals } from "../native.ts";
import { callFunction1, coerceToString, forceBool, forceText, type StringWorld } from "../operations/index.ts";
import { Attrs } from "../values/attrs.ts";
import { type Lazy, lazy } from "../values/thunk.ts";
import type { Value } from "../values/value.ts";
import { legacyBaseName } from "./base-name.ts";

/** Where they seem to lie. */
export const INTERNAL_FILES = "/__corepkgs__";

export function isInternalFile(path: string): boolean {
  return path.startsWith(`${INTERNAL_FILES}/`);
}

/** What `import` of such a file gives. */
export function importInternalFile(path: string, world: StringWorld, derivation: Value): Value {
  if (path !== `${INTERNAL_FILES}/fetchurl.nix`) throw new EvalError(`path '${path}' does not exist`);
  return nativeFormals("anonymous lambda", fetchurlFormals, (args) => fetchurl(args, world, derivation));
}

const fetchurlFormals = {
  system: true,
  url: false,
  hash: true,
  md5: true,
  sha1: true,
  sha256: true,
  sha512: true,
  outputHash: true,
  outputHashAlgo: true,
  executable: true,
  unpack: true,
  name: true,
  impure: true,
} as const;

/** `<nix/fetchurl.nix>`: a fixed-output derivation that Nix fetches itself, without any builder (`builtin:fetchurl`). */
function fetchurl(args: Attrs, world: StringWorld, derivation: Value): Value {
  const given = (name: keyof typeof fetchurlFormals, fallback: Lazy): Lazy => args.get(name) ?? fallback;
  const isGiven = (name: keyof typeof fetchurlFormals): boolean => forceText(given(name, "")) !== "";
  const url = args.get("url")!;
  const executable = given("executable", false);
  const unpack = given("unpack", false);
  const recursive = lazy(() => (forceBool(unpack) || forceBool(executable) ? "recursive" : "flat"));
  const legacy = (): "sha512" | "sha1" | "md5" | "sha256" =>
    isGiven("sha512") ? "sha512" : isGiven("sha1") ? "sha1" : isGiven("md5") ? "md5" : "sha256";
  const attributes: [string, Lazy][] = [
    ["builder", "builtin:fetchurl"],
    ["outputHashMode", recursive],
    [
      "name",
      given(
        "name",
        lazy(() => legacyBaseName(coerceToString(world, url, { coerceMore: true, copyToStore: false }))),
      ),
    ],
    ["url", url],
    ["executable", executable],
    ["unpack", unpack],
    ["system", "builtin"],
    ["preferLocalBuild", true],
    // Of no effect for this builder, but the derivation's path depends on it.
    ["impureEnvVars", ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"]],
    ["urls", [url]],
  ];
  if (forceBool(given("impure", false))) attributes.push(["__impure", true]);
  else
    attributes.push(
      [
        "outputHashAlgo",
        given(
          "outputHashAlgo",
          lazy(() => (isGiven("hash") ? "" : legacy())),
        ),
      ],
      [
        "outputHash",
        given(
          "outputHash",
          lazy(() => (isGiven("hash") ? args.get("hash")! : given(legacy(), ""))),
        ),
      ],
    );
  return callFunction1(derivation, Attrs.from(attributes));
}
