/** Flake references as text: the URL-like form (Nix manual, "nix3-flake", "Flake references"). */
import { D2nError } from "../base/index.ts";
import { formatHash, parseHash } from "../formats/index.ts";
import { type FlakeReference, type RefAttributes, referenceFromAttributes, sortedAttributes } from "./reference.ts";
import { BadUrl, formatUrl, parseUrl, type Url } from "./url.ts";

/** The URL-like form, which `parseReference` reads back, with what Nix shows in it: parameters sorted, flags that are off left out. */
export function formatReference(reference: FlakeReference): string {
  const { type, dir, attributes } = reference;
  const text = (name: string): string => String(attributes.get(name) ?? "");
  const parts = (...names: string[]): string[] => names.map(text).filter((part) => part !== "");
  let url: Url;
  let shown: string[];
  switch (type) {
    case "path":
      url = opaque("path", text("path").split("/"));
      shown = ["lastModified", "narHash", "rev", "revCount"];
      break;
    case "git":
      url = address(text("url"));
      if (url.scheme !== "git") url = { ...url, scheme: `git+${url.scheme}` };
      shown = "ref rev shallow lfs submodules exportIgnore verifyCommit keytype publicKey publicKeys".split(" ");
      break;
    case "hg":
      url = address(text("url"));
      url = { ...url, scheme: `hg+${url.scheme}` };
      shown = ["ref", "rev"];
      break;
    case "github":
    case "gitlab":
    case "sourcehut":
      url = opaque(
        type,
        [...parts("owner", "repo"), text("rev") || text("ref")].filter((part) => part !== ""),
      );
      shown = ["host", "narHash"];
      break;
    case "indirect":
      url = opaque("flake", parts("id", "ref", "rev"));
      shown = [];
      break;
    case "d2n":
      url = opaque("d2n", parts("id"));
      shown = [];
      break;
    case "tarball":
    case "file":
      if (!attributes.has("url")) throw new D2nError("flake-reference", "input attribute 'url' is missing");
      url = address(text("url"));
      shown = ["narHash"];
      break;
    default:
      throw new D2nError(
        "flake-reference",
        `cannot show unsupported input '${JSON.stringify(sortedAttributes(attributes))}'`,
      );
  }
  const query = new Map(url.query);
  for (const name of shown) {
    const value = attributes.get(name);
    if (value !== undefined && value !== false) query.set(name, value === true ? "1" : String(value));
  }
  if (query.has("publicKey") && type === "git" && !query.has("keytype")) query.set("keytype", "ssh-ed25519");
  if (dir !== "" && !query.has("dir")) query.set("dir", dir);
  return formatUrl({ ...url, query });
}

/**
 * `builtins.flakeRefToString`: the URL-like form of attributes, if their hashes are hashes.
 * @throws D2nError `flake-reference`, FormatError
 */
export function showAttributes(attributes: RefAttributes): string {
  const reference = referenceFromAttributes(attributes);
  const checked = new Map(reference.attributes);
  const { type } = reference;
  const rev = checked.get("rev");
  if (typeof rev === "string" && !["path", "tarball", "file", "d2n"].includes(type))
    checked.set("rev", formatHash(parseHash(rev, "sha1"), "base16"));
  const hash = checked.get("narHash");
  if (typeof hash === "string" && ["github", "gitlab", "sourcehut", "tarball", "file"].includes(type)) {
    if (!hash.includes("-")) throw new D2nError("flake-reference", `hash '${hash}' is not SRI`);
    checked.set("narHash", formatHash(parseHash(hash), "sri"));
  }
  return formatReference({ ...reference, attributes: checked });
}

/** The URL-like form without the hash and the dates of what was found there: short enough for messages. */
export function formatLocation(reference: FlakeReference): string {
  const attributes = new Map(reference.attributes);
  for (const name of ["narHash", "lastModified", "revCount"]) attributes.delete(name);
  return formatReference({ ...reference, attributes });
}

function opaque(scheme: string, path: readonly string[]): Url {
  return { scheme, authority: undefined, path, query: new Map(), fragment: "" };
}

/** @throws D2nError `flake-reference` */
function address(text: string): Url {
  try {
    return parseUrl(text);
  } catch (error) {
    if (error instanceof BadUrl) throw new D2nError("flake-reference", error.message);
    throw error;
  }
}
