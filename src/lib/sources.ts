/** `lib.sources`, `lib.filesystem`: which files become part of a source, and looking at directories. */
import {
  Attrs,
  canonicalPath,
  contextOf,
  type Evaluator,
  force,
  forceAttrs,
  forceBool,
  forceList,
  forceText,
  isString,
  joinStrings,
  type Lazy,
  lazy,
  NixPath,
  textOf,
  ThrownError,
  updateAttrs,
} from "../lang/index.ts";
import {
  attribute,
  builtinsNamed,
  call,
  fn,
  fnWithFormals,
  functions,
  type Namespace,
  textList,
  getOr,
} from "./support.ts";

interface Source {
  readonly origin: Lazy;
  readonly name: Lazy;
  /** None: everything. */
  readonly filter: ((path: Lazy, type: Lazy) => boolean) | undefined;
}

const VERSION_CONTROL = new Set([".svn", "CVS", ".hg", ".jj", ".pijul", "_darcs"]);

/** What no source should have: version control, editors' and compilers' leavings, `result` links, sockets. */
function isClean(path: string, type: string): boolean {
  const base = path.slice(path.lastIndexOf("/") + 1);
  if (base === ".git" || (type === "directory" && VERSION_CONTROL.has(base))) return false;
  if (base.endsWith("~") || /^\.sw[a-z]$/.test(base) || /^\..*\.sw[a-z]$/.test(base)) return false;
  if (base.endsWith(".o") || base.endsWith(".so")) return false;
  return !(type === "symlink" && base.startsWith("result")) && type !== "unknown";
}

export function sourcesNamespace(ev: Evaluator): Namespace {
  const builtin = (name: string): Lazy => ev.builtins.get(name)!;
  const toText = (value: Lazy): string => forceText(ev.coerceToString(value, { copyToStore: false, coerceMore: true }));

  const sourceOf = (value: Lazy): Source => {
    const forced = force(value);
    if (!(forced instanceof Attrs) || !forced.has("_isLibCleanSourceWith"))
      return { origin: value, name: "source", filter: undefined };
    const filter = attribute(forced, "filter");
    return {
      origin: attribute(forced, "origSrc"),
      name: attribute(forced, "name"),
      filter: (path, type) => forceBool(call(filter, path, type)),
    };
  };
  const sourceValue = (source: Source): Attrs => {
    const filter = fn("filter", 2, (path, type) => source.filter?.(path, type) ?? true);
    return Attrs.from([
      ["_isLibCleanSourceWith", true],
      ["origSrc", source.origin],
      ["filter", filter],
      ["name", source.name],
      [
        "outPath",
        lazy(() =>
          call(
            builtin("path"),
            Attrs.from([
              ["filter", filter],
              ["name", source.name],
              ["path", source.origin],
            ]),
          ),
        ),
      ],
    ]);
  };
  const filtered = (value: Lazy, keep: (path: Lazy, type: Lazy) => boolean, name?: Lazy): Attrs => {
    const source = sourceOf(value);
    const before = source.filter;
    return sourceValue({
      origin: source.origin,
      name: name ?? source.name,
      filter: before === undefined ? keep : (path, type) => keep(path, type) && before(path, type),
    });
  };
  const cleanFilter = (path: Lazy, type: Lazy): boolean => isClean(toText(path), forceText(type));
  const relative = (root: Lazy): ((path: Lazy) => string) => {
    const prefix = `${toText(root)}/`;
    return (path) => {
      const text = toText(path);
      return text.startsWith(prefix) ? text.slice(prefix.length) : text;
    };
  };
  const exists = (path: string): boolean => force(call(builtin("pathExists"), path)) === true;
  const isRegular = (path: string): boolean =>
    exists(path) && forceText(call(builtin("readFileType"), path)) === "regular";
  const read = (path: string): string => forceText(call(builtin("readFile"), path)).replace(/\n$/, "");

  /** The commit that a reference of a repository points to, or why it cannot be told. */
  const commitOf = (
    repository: string,
    reference = "HEAD",
  ): { readonly commit: string } | { readonly error: string } => {
    if (isRegular(repository)) {
      const link = /^gitdir: (.*)$/.exec(read(repository))?.[1];
      if (link === undefined) return { error: `File contains no gitdir reference: ${repository}` };
      const gitDir = resolve(repository.slice(0, repository.lastIndexOf("/")), link);
      const common = isRegular(`${gitDir}/commondir`)
        ? resolve(gitDir, read(`${gitDir}/commondir`).replace(/\/$/, ""))
        : gitDir;
      const file = `${gitDir}/${reference}`;
      return commitOf(common, file.startsWith(`${common}/`) ? file.slice(common.length + 1) : file);
    }
    if (isRegular(`${repository}/${reference}`)) {
      const content = read(`${repository}/${reference}`);
      const next = /^ref: (.*)$/.exec(content)?.[1];
      return next === undefined ? { commit: content } : commitOf(repository, next);
    }
    if (isRegular(`${repository}/packed-refs`)) {
      const line = read(`${repository}/packed-refs`)
        .split("\n")
        .find((packed) => /^[a-z0-9]+ /.test(packed) && packed.slice(packed.indexOf(" ") + 1) === reference);
      return line === undefined
        ? { error: `Could not find ${reference} in ${repository}/packed-refs` }
        : { commit: line.slice(0, line.indexOf(" ")) };
    }
    return { error: `Not a .git directory: ${repository}` };
  };

  return {
    ...builtinsNamed(ev.builtins, ["filterSource"]),
    cleanSourceFilter: fn("cleanSourceFilter", 2, cleanFilter),
    cleanSourceWith: fnWithFormals("cleanSourceWith", { src: false, filter: true, name: true }, (args) => {
      const filter = args.get("filter");
      const name = force(getOr(args, "name", null));
      return filtered(
        attribute(args, "src"),
        filter === undefined ? () => true : (path, type) => forceBool(call(filter, path, type)),
        name === null ? undefined : name,
      );
    }),
    ...functions({
      cleanSource: (src) => filtered(src, cleanFilter),
      trace: (src) => {
        const source = sourceOf(src);
        return sourceValue({
          ...source,
          filter: (path, type) => {
            const kept = source.filter?.(path, type) ?? true;
            ev.host.message("trace", `${forceText(source.name)}.filter ${toText(path)} = ${kept}`);
            return kept;
          },
        });
      },
      sourceByRegex: (src, regexes) => {
        const inside = relative(sourceOf(src).origin);
        return filtered(src, (path) =>
          forceList(regexes).some((regex) => call(builtin("match"), regex, inside(path)) !== null),
        );
      },
      sourceFilesBySuffices: (src, suffixes) =>
        filtered(
          src,
          (path, type) =>
            forceText(type) === "directory" || textList(suffixes).some((suffix) => toText(path).endsWith(suffix)),
        ),
      sourceByGlobs: (src, globs) => {
        const inside = relative(src);
        const patterns = textList(globs).map((glob) => glob.split("/"));
        return filtered(src, (path, type) =>
          patterns.some((glob) => matchesGlob(glob, inside(path).split("/"), forceText(type))),
        );
      },
      pathIsGitRepo: (path) => "commit" in commitOf(toText(path)),
      commitIdFromGitRepo: (path) => {
        const found = commitOf(toText(path));
        if ("error" in found) throw new ThrownError(found.error);
        return found.commit;
      },
      pathHasContext: (path) => contextOf(ev.coerceToString(path, { copyToStore: false })) !== undefined,
      canCleanSource: (src) => {
        const value = force(src);
        if (value instanceof Attrs && value.has("_isLibCleanSourceWith")) return true;
        return contextOf(ev.coerceToString(value, { copyToStore: false })) === undefined;
      },
      urlToName: (url) => urlToName(toText(url)),
      shortRev: (revision) => shortRevision(toText(revision)),
      revOrTag: (revision, tag) => (force(tag) !== null ? tag : force(revision) !== null ? revision : "HEAD"),
      repoRevToName: (kind, repository, revision, suffix) => {
        const how = forceText(kind);
        if (how === "source") return "source";
        if (how !== "versioned" && how !== "full") throw new ThrownError("repoRevToName: invalid kind");
        const version = force(revision) === null ? "" : `-${shortRevision(toText(revision))}`;
        const more = how === "versioned" || force(suffix) === null ? "" : `-${toText(suffix)}`;
        return `${urlToName(toText(repository))}${version}${more}-source`;
      },
    }),
  };
}

function resolve(base: string, path: string): string {
  if (path.startsWith("/")) return path;
  return base.startsWith("/") ? `${base}/${path}` : `/${base}/${path}`;
}

/** `*` within a name, `**` over any number of directories; of directories a beginning of the pattern is enough. */
function matchesGlob(glob: readonly string[], path: readonly string[], type: string): boolean {
  let at = 0;
  for (let index = 0; index < path.length;) {
    const part = glob[at];
    if (part === undefined) return false;
    if (part === "**") {
      const next = glob[at + 1];
      if (next === undefined) return true;
      if (globPart(next).test(path[index]!)) at++;
      else index++;
    } else if (globPart(part).test(path[index]!)) {
      at++;
      index++;
    } else return false;
  }
  return at >= glob.length || type === "directory" || type === "symlink";
}

function globPart(part: string): RegExp {
  return new RegExp(
    `^${part
      .split(/\*+/)
      .map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
      .join("[^/]*")}$`,
    "s",
  );
}

function urlToName(url: string): string {
  const last = url.split(":").at(-1)!.replace(/\/$/, "");
  let name = last.slice(last.lastIndexOf("/") + 1);
  for (;;) {
    const shorter = /^(.*)\.(git|tar|zip|gz|tgz|bz|tbz|bz2|tbz2|lzma|txz|xz|zstd)$/.exec(name)?.[1];
    if (shorter === undefined) return name;
    name = shorter;
  }
}

function shortRevision(revision: string): string {
  const base = revision.slice(revision.lastIndexOf("/") + 1);
  if (/^[a-f0-9]+$/.test(base)) return base.slice(0, 7);
  return /^(?:[A-Za-z]+[-_. ]?)*v?([0-9.]+.*)$/.exec(base)?.[1] ?? base;
}

export function filesystemNamespace(ev: Evaluator, lib: () => Attrs): Namespace {
  const builtin = (name: string): Lazy => ev.builtins.get(name)!;
  /** `path + "/name"`: of a path it is one again. */
  const add = (path: Lazy, name: string): Lazy => {
    const base = force(path);
    if (base instanceof NixPath) return new NixPath(canonicalPath(`${base.path}/${name}`));
    return joinStrings(ev.coerceToString(base, { copyToStore: false }), `/${name}`);
  };
  const kindOf = (path: Lazy): string => forceText(call(builtin("readFileType"), path));
  const isKind = (kind: string) => (path: Lazy) =>
    force(call(builtin("pathExists"), path)) === true && kindOf(path) === kind;
  const entries = (directory: Lazy): [string, Lazy][] => [...forceAttrs(call(builtin("readDir"), directory)).entries()];
  const listFiles = (directory: Lazy): Lazy[] =>
    entries(directory).flatMap(([name, type]) =>
      forceText(type) === "directory" ? listFiles(add(directory, name)) : [add(directory, name)],
    );
  const packages = (args: Attrs): Lazy => {
    const directory = attribute(args, "directory");
    const file = add(directory, "package.nix");
    if (force(call(builtin("pathExists"), file)) === true)
      return call(attribute(args, "callPackage"), file, Attrs.empty);
    const newScope = args.get("newScope");
    if (newScope === undefined) return packagesIn(args);
    const scope = call(
      attribute(lib(), "makeScope"),
      newScope,
      fn("packages", 1, (self) => {
        const own = (name: string): [string, Lazy] => [name, lazy(() => attribute(forceAttrs(self), name))];
        return packagesIn(updateAttrs(args, Attrs.from(["callPackage", "newScope"].map(own))));
      }),
    );
    return updateAttrs(forceAttrs(scope), Attrs.from([["recurseForDerivations", true]]));
  };
  const packagesIn = (args: Attrs): Attrs => {
    const directory = attribute(args, "directory");
    return Attrs.from(
      entries(directory).flatMap(([name, lazyType]): [string, Lazy][] => {
        const type = forceText(lazyType);
        const path = add(directory, name);
        if (type === "directory")
          return [[name, lazy(() => packages(updateAttrs(args, Attrs.from([["directory", path]]))))]];
        if (type !== "regular")
          throw new ThrownError(
            `lib.filesystem.packagesFromDirectoryRecursive: Unsupported file type ${type} at path ${name}`,
          );
        return name.endsWith(".nix")
          ? [[name.slice(0, -4), lazy(() => call(attribute(args, "callPackage"), path, Attrs.empty))]]
          : [];
      }),
    );
  };
  return {
    ...builtinsNamed(ev.builtins, ["baseNameOf", "dirOf", "isPath", "readDir", "readFileType", "hashFile"]),
    pathType: builtin("readFileType"),
    ...functions({
      pathIsDirectory: isKind("directory"),
      pathIsRegularFile: isKind("regular"),
      haskellPathsInDir: (root) =>
        Attrs.from(
          entries(root).flatMap(([name]): [string, Lazy][] => {
            const path = add(root, name);
            return force(call(builtin("pathExists"), add(path, `${name}.cabal`))) === true ? [[name, path]] : [];
          }),
        ),
      listFilesRecursive: (directory) => listFiles(directory),
      locateDominatingFile: (pattern, lazyFile) => {
        let path: Lazy = kindOf(lazyFile) === "directory" ? lazyFile : call(builtin("dirOf"), lazyFile);
        for (;;) {
          const found = entries(path)
            .map(([name]) => call(builtin("match"), pattern, name))
            .filter((match) => match !== null);
          if (found.length > 0)
            return Attrs.from([
              ["path", path],
              ["matches", found],
            ]);
          if (forceText(ev.coerceToString(path, { copyToStore: false })) === "/") return null;
          path = call(builtin("dirOf"), path);
        }
      },
      resolveDefaultNix: (path) => {
        if (isKind("directory")(path)) return add(path, "default.nix");
        const value = force(path);
        return isString(value) && textOf(value).endsWith("/") ? joinStrings(value, "default.nix") : path;
      },
    }),
    packagesFromDirectoryRecursive: fnWithFormals(
      "packagesFromDirectoryRecursive",
      { callPackage: false, newScope: true, directory: false },
      packages,
      true,
    ),
  };
}
