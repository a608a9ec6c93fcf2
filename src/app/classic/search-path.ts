/** The entries of the search path for `<name>`. */
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";

const SCHEMES = ["http", "https", "file", "channel", "git", "s3", "ssh"];

/** What is downloaded where it stands for a path: `https://…`, `channel:…`. */
export function isPseudoUrl(text: string): boolean {
  if (text.startsWith("channel:")) return true;
  const scheme = text.indexOf("://");
  return scheme > 0 && SCHEMES.includes(text.slice(0, scheme));
}

/** The entries of `NIX_PATH`: separated by colons, but for those of URLs. */
export function parseNixPath(text: string): string[] {
  const entries: string[] = [];
  let at = 0;
  while (at < text.length) {
    const start = at;
    let value = at;
    while (at < text.length && text[at] !== ":") {
      if (text[at] === "=") value = at + 1;
      at++;
    }
    const rest = text.slice(value);
    if (at < text.length && (isPseudoUrl(rest) || rest.startsWith("flake:"))) {
      at++;
      while (at < text.length && text[at] !== ":") at++;
    }
    if (at > start) entries.push(text.slice(start, at));
    at++;
  }
  return entries;
}

/** An entry whose path, if it is one, does not depend on the working folder. */
export function absoluteEntry(entry: string, cwd: string): string {
  const equals = entry.indexOf("=");
  const path = entry.slice(equals + 1);
  if (isAbsolute(path) || isPseudoUrl(path) || path.startsWith("flake:")) return entry;
  return `${entry.slice(0, equals + 1)}${join(cwd, path)}`;
}

/** Where the user's channels would lie, as far as they do. */
export function defaultEntries(environment: Readonly<Record<string, string | undefined>>): string[] {
  const state = environment["NIX_STATE_DIR"] || "/nix/var/nix";
  const channels = join(state, "profiles/per-user/root/channels");
  const home = environment["HOME"];
  const entries: [prefix: string, path: string][] = [];
  if (home !== undefined) entries.push(["", join(home, ".nix-defexpr/channels")]);
  entries.push(["nixpkgs=", join(channels, "nixpkgs")], ["", channels]);
  return entries.filter(([, path]) => existsSync(path)).map(([prefix, path]) => prefix + path);
}
