/** Reading files and folders (manual, "baseNameOf" … "readFileType", "hashFile", "import"). */
import { EvalError, RestrictedPathError, ThrownError } from "../errors.ts";
import { hashHex, isInStore, isStorePath, splitStorePath, storePathHashPart } from "../../formats/index.ts";
import type { FileType, Host } from "../host.ts";
import {
  canonicalPath,
  coerceToString,
  contextOf,
  forceAttrs,
  forceList,
  forceStringNoContext,
  isString,
  makeString,
  textOf,
} from "../operations/index.ts";
import { Attrs } from "../values/attrs.ts";
import { force, type Lazy, lazy as delayed } from "../values/thunk.ts";
import { NixPath, type NixString, type Value } from "../values/value.ts";
import { requireAttr } from "./attrsets.ts";
import { importedDerivation } from "./derivation.ts";
import { legacyBaseName } from "./base-name.ts";
import { hashAlgorithm } from "./hashes.ts";
import { importInternalFile, INTERNAL_FILES, isInternalFile } from "./internal-files.ts";
import type { Family, Interpreter } from "./interpreter.ts";
import { coerceToPath, followLinks, reading, realise, realisePath } from "./path-arguments.ts";

/** `derivation`: the function of that name, for what `<nix/fetchurl.nix>` makes. */
export function files(interpreter: Interpreter, derivation: Value): Family {
  const { host, world } = interpreter;
  const search = searcher(host);
  const importPath = (path: Lazy, load: (path: string) => Value): Value => {
    const wanted = realisePath(host, world, path);
    if (isInternalFile(wanted)) return importInternalFile(wanted, world, derivation);
    const isDerivationFile = wanted.endsWith(".drv") && isStorePath(host.storeDir, wanted) && host.isValidPath(wanted);
    return isDerivationFile ? importedDerivation(wanted, host.readDerivation(wanted)) : load(wanted);
  };
  return {
    /** What follows the last slash, one at the end aside. */
    baseNameOf(value: Lazy): NixString {
      return legacyBaseName(
        coerceToString(
          world,
          value,
          { copyToStore: false },
          "while evaluating the first argument passed to builtins.baseNameOf",
        ),
      );
    },

    /** What comes before the last slash; of a path a path, else a string. */
    dirOf(value: Lazy): Value {
      const forced = force(value);
      if (forced instanceof NixPath) return new NixPath(canonicalPath(`${forced.path}/..`));
      const string = coerceToString(
        world,
        forced,
        { copyToStore: false },
        "while evaluating the first argument passed to 'builtins.dirOf'",
      );
      const text = textOf(string);
      const slash = text.lastIndexOf("/");
      return makeString(slash < 0 ? "." : slash === 0 ? "/" : text.slice(0, slash), contextOf(string));
    },

    /** An absolute path as a canonical string. Obsolete. */
    toPath(value: Lazy): NixString {
      const { path, context } = coerceToPath(
        world,
        value,
        "while evaluating the first argument passed to builtins.toPath",
      );
      return makeString(path, context);
    },

    /** Whether a file, folder or symlink (wherever it leads) exists; with a slash at the end, whether it is a folder. */
    pathExists(value: Lazy): boolean {
      const forced = force(value);
      const text = isString(forced) ? textOf(forced) : "";
      const wantsFolder = text.endsWith("/") || text.endsWith("/.");
      const path = realisePath(host, world, forced);
      try {
        const status = host.status(wantsFolder ? followLinks(host, path) : path);
        return status !== undefined && (!wantsFolder || status.type === "directory");
      } catch (error) {
        // What may not be looked at is not there.
        if (error instanceof RestrictedPathError) return false;
        throw error;
      }
    },

    /** The content of a file; it depends on those references of its store path that occur in it. */
    readFile(value: Lazy): NixString {
      const path = realisePath(host, world, value);
      const content = byteString(reading(host, path, () => host.readFile(path)));
      if (content.includes("\0"))
        throw new EvalError(`the contents of the file '${path}' cannot be represented as a Nix string`);
      return makeString(content, referencesIn(host, path, content));
    },

    /** The entries of a folder with their types: "regular", "directory", "symlink" or "unknown". */
    readDir(value: Lazy): Attrs {
      const path = realisePath(host, world, value);
      return Attrs.from(
        [...readDirectory(host, path)].map(([name, type]): [string, Lazy] => [
          name,
          type === "unknown" ? delayed(() => fileType(host, canonicalPath(`${path}/${name}`))) : type,
        ]),
      );
    },

    /** The type of a file, itself if it is a symlink. */
    readFileType: (value: Lazy): FileType => fileType(host, realisePath(host, world, value)),

    /** The hash of a file's content, in base 16. */
    hashFile(algorithm: Lazy, value: Lazy): string {
      const name = forceStringNoContext(algorithm, "while evaluating the first argument passed to builtins.hashFile");
      const known = hashAlgorithm(name);
      const path = realisePath(host, world, value);
      return hashHex(
        known,
        reading(host, path, () => host.readFile(path)),
      );
    },

    /** The value of the expression in a file, or in a folder's `default.nix`; of a .drv file in the store, its derivation. */
    import: (path: Lazy): Value => importPath(path, (wanted) => interpreter.importFile(wanted)),

    /** Like `import`, with the attributes of a set as additional variables; evaluated anew each time. */
    scopedImport: (scope: Lazy, path: Lazy): Value =>
      importPath(path, (wanted) => {
        const attrs = forceAttrs(scope, "while evaluating the first argument passed to builtins.scopedImport");
        return interpreter.importFileScoped(wanted, new Map(attrs.entries()));
      }),

    /** The file that a list of `{ prefix, path }` finds for `<name>`. */
    findFile(entries: Lazy, name: Lazy): NixPath {
      const path: SearchEntry[] = [];
      for (const element of forceList(entries, "while evaluating the first argument passed to builtins.findFile")) {
        const attrs = forceAttrs(element, "while evaluating an element of the list passed to builtins.findFile");
        const prefix = attrs.get("prefix");
        const where = coerceToString(
          world,
          requireAttr(attrs, "path", "in an element of the __nixPath"),
          { copyToStore: false },
          "while evaluating the `path` attribute of an element of the list passed to builtins.findFile",
        );
        realise(host, textOf(where), contextOf(where));
        path.push({
          prefix:
            prefix === undefined
              ? ""
              : forceStringNoContext(
                  prefix,
                  "while evaluating the `prefix` attribute of an element of the list passed to builtins.findFile",
                ),
          path: textOf(where),
        });
      }
      return search(
        path,
        forceStringNoContext(name, "while evaluating the second argument passed to builtins.findFile"),
      );
    },
  };
}

function readDirectory(host: Host, path: string): ReadonlyMap<string, FileType> {
  return reading(host, path, () => {
    try {
      return host.readDirectory(path);
    } catch (error) {
      const target = followLinks(host, path);
      const type = host.status(target)?.type;
      if (type === undefined || type === "directory") throw error;
      throw new EvalError(`cannot read directory "${target}": Not a directory`);
    }
  });
}

function byteString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function fileType(host: Host, path: string): FileType {
  const status = host.status(path);
  if (status === undefined) throw new EvalError(`path '${path}' does not exist`);
  return status.type;
}

function referencesIn(host: Host, path: string, content: string): ReadonlySet<string> | undefined {
  if (host.references === undefined || !isInStore(host.storeDir, path)) return undefined;
  const { storePath } = splitStorePath(host.storeDir, path);
  return new Set(host.references(storePath).filter((reference) => content.includes(storePathHashPart(reference))));
}

export interface SearchEntry {
  readonly prefix: string;
  readonly path: string;
}

/** `prefix=path`, or a path that is searched as it is. */
export function parseSearchEntry(entry: string): SearchEntry {
  const at = entry.indexOf("=");
  return at < 0 ? { prefix: "", path: entry } : { prefix: entry.slice(0, at), path: entry.slice(at + 1) };
}

/** What is left of a name after a search prefix; undefined if the prefix isn't its beginning. */
function suffixAfter(prefix: string, name: string): string | undefined {
  if (prefix === "") return name;
  if (name === prefix) return "";
  return name.startsWith(`${prefix}/`) ? name.slice(prefix.length + 1) : undefined;
}

/** Looks files up in search paths, and remembers where entries lead: each may be a download. */
function searcher(host: Host): (entries: readonly SearchEntry[], name: string) => NixPath {
  const resolved = new Map<string, string | undefined>();
  const resolve = (entry: string): string | undefined => {
    if (!resolved.has(entry)) resolved.set(entry, resolveEntry(host, entry));
    return resolved.get(entry);
  };
  return (entries, name) => {
    for (const { prefix, path } of entries) {
      const suffix = suffixAfter(prefix, name);
      if (suffix === undefined) continue;
      const root = resolve(path);
      if (root === undefined) continue;
      const found = followLinks(host, canonicalPath(`${root}/${suffix}`));
      if (host.status(found) !== undefined) return new NixPath(found);
    }
    if (name.startsWith("nix/")) return new NixPath(`${INTERNAL_FILES}${name.slice(3)}`);
    throw new ThrownError(
      host.pure
        ? `cannot look up '<${name}>' in pure evaluation mode (use '--impure' to override)`
        : `file '${name}' was not found in the Nix search path (add it using $NIX_PATH or -I)`,
    );
  };
}

function resolveEntry(host: Host, entry: string): string | undefined {
  const url = downloadUrl(entry);
  if (url !== undefined) {
    try {
      return host.fetchUrl({ url, name: "source", unpack: true });
    } catch {
      host.message("warning", `Nix search path entry '${entry}' cannot be downloaded, ignoring`);
      return undefined;
    }
  }
  if (entry.startsWith("flake:")) {
    if (host.parseFlakeReference === undefined)
      throw new EvalError(`the search path entry '${entry}' is a flake reference, which this host does not support`);
    return host.fetchTree(host.parseFlakeReference(entry.slice("flake:".length))).outPath;
  }
  const path = canonicalPath(entry.startsWith("/") ? entry : `${host.workingFolder ?? ""}/${entry}`);
  if (host.status(followLinks(host, path)) !== undefined) return path;
  host.message("warning", `Nix search path entry '${entry}' does not exist, ignoring`);
  return undefined;
}

/** The address of an entry that is downloaded: a URL, or `channel:name` for a channel of NixOS. */
function downloadUrl(entry: string): string | undefined {
  if (entry.startsWith("channel:"))
    return `https://channels.nixos.org/${entry.slice("channel:".length)}/nixexprs.tar.xz`;
  const scheme = entry.indexOf("://");
  return scheme > 0 && ["http", "https", "file", "channel", "git", "s3", "ssh"].includes(entry.slice(0, scheme))
    ? entry
    : undefined;
}
