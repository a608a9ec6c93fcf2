/**
 * `lib.fileset`: sets of files, which become a source. A set is a base directory and a tree below it, of which only as much
 * is read from the disk as is asked for.
 */
import {
  Attrs,
  type Evaluator,
  force,
  forceAttrs,
  forceBool,
  forceList,
  forceText,
  isDerivation,
  type Lazy,
  lazy,
  NixPath,
  textOf,
  ThrownError,
  typeOf,
  type Value,
} from "../lang/index.ts";
import { attribute, call, fn, fnWithFormals, functions, getOr, isFunctionLike, type Namespace } from "./support.ts";

/** All of a directory or file, nothing of it, or some of a directory. */
type Tree = "all" | "none" | (() => ReadonlyMap<string, Tree>);

interface FileSet {
  /** Absent: the empty set, which has no place. */
  readonly base: string | undefined;
  readonly tree: Tree;
}

const EMPTY: FileSet = { base: undefined, tree: "none" };

function parts(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

function within(base: string, path: string): boolean {
  return base === "/" || path === base || path.startsWith(`${base}/`);
}

function once<T>(compute: () => T): () => T {
  let result: { readonly value: T } | undefined;
  return () => (result ??= { value: compute() }).value;
}

/** The same set seen from a directory above its base. */
function rebase(set: FileSet, base: string): Tree {
  if (set.base === undefined) return "none";
  const steps = parts(set.base).slice(parts(base).length);
  return steps.reduceRight<Tree>((tree, name) => () => new Map([[name, tree]]), set.tree);
}

function commonBase(bases: readonly string[]): string {
  const [first, ...others] = bases.map(parts);
  const common = first!.filter((part, index) =>
    others.every((other) => first!.slice(0, index + 1).every((own, at) => other[at] === own) && part !== ""),
  );
  return `/${common.join("/")}`;
}

function unite(a: Tree, b: Tree): Tree {
  if (a === "all" || b === "none") return a;
  if (b === "all" || a === "none") return b;
  return once(() => {
    const names = new Map(a());
    for (const [name, tree] of b()) names.set(name, unite(names.get(name) ?? "none", tree));
    return names;
  });
}

function intersect(a: Tree, b: Tree): Tree {
  if (a === "none" || b === "none") return "none";
  if (a === "all") return b;
  if (b === "all") return a;
  return once(() => new Map([...a()].map(([name, tree]) => [name, intersect(tree, b().get(name) ?? "none")])));
}

export function filesetNamespace(ev: Evaluator, cleanSourceWith: Lazy): Namespace {
  const builtin = (name: string): Lazy => ev.builtins.get(name)!;
  const known = new WeakMap<Attrs, FileSet>();
  const exists = (path: string): boolean => force(call(builtin("pathExists"), new NixPath(path))) === true;
  const kindOf = (path: string): string => forceText(call(builtin("readFileType"), new NixPath(path)));
  const list = (path: string): [string, string][] =>
    [...forceAttrs(call(builtin("readDir"), new NixPath(path))).entries()].map(([name, kind]) => [
      name,
      forceText(kind),
    ]);

  const noEval = lazy(() => {
    throw new ThrownError(
      "lib.fileset: Directly evaluating a file set is not supported.\n  To turn it into a usable source, use `lib.fileset.toSource`.",
    );
  });
  const valueOf = (set: FileSet): Attrs => {
    const value = Attrs.from([
      ["_type", "fileset"],
      ["_noEval", noEval],
    ]);
    known.set(value, set);
    return value;
  };
  const singleton = (path: string): FileSet => {
    if (kindOf(path) === "directory") return { base: path, tree: "all" };
    const at = path.lastIndexOf("/");
    return { base: path.slice(0, at) || "/", tree: () => new Map([[path.slice(at + 1), "all"]]) };
  };
  const coerce = (what: string, lazyValue: Lazy): FileSet => {
    const value = force(lazyValue);
    const set = value instanceof Attrs ? known.get(value) : undefined;
    if (set !== undefined) return set;
    if (value instanceof NixPath) {
      if (!exists(value.path))
        throw new ThrownError(`${what} (${value.path}) is a path that does not exist.`, {
          hint: "To create a file set from a path that may not exist, use `lib.fileset.maybeMissing`.",
        });
      return singleton(value.path);
    }
    if (value instanceof Attrs && value.has("_isLibCleanSourceWith"))
      throw new ThrownError(
        `${what} is a \`lib.sources\`-based value, but it should be a file set or a path instead.`,
        {
          hint: "Convert it to a file set using `lib.fileset.fromSource`.",
        },
      );
    throw new ThrownError(`${what} is of type ${typeOf(value)}, but it should be a file set or a path instead.`, {
      hint:
        typeof value === "string" || isDerivation(value)
          ? "Paths represented as strings are not supported by `lib.fileset`."
          : undefined,
    });
  };
  const pathOf = (what: string, lazyValue: Lazy): string => {
    const value = force(lazyValue);
    if (!(value instanceof NixPath))
      throw new ThrownError(`${what} is of type ${typeOf(value)}, but it should be a path instead.`);
    return value.path;
  };
  const existing = (what: string, value: Lazy): string => {
    const path = pathOf(what, value);
    if (!exists(path)) throw new ThrownError(`${what} (${path}) is a path that does not exist.`);
    return path;
  };

  /** A tree in which "all" of a directory is spelled out by what is in it. */
  const spelled = (path: string): ReadonlyMap<string, Tree> => new Map(list(path).map(([name]) => [name, "all"]));
  const subtract = (path: string, a: Tree, b: Tree): Tree => {
    if (a === "none" || b === "all") return "none";
    if (b === "none") return a;
    return once(() => {
      const from = a === "all" ? spelled(path) : a();
      return new Map(
        [...from].map(([name, tree]) => [
          name,
          subtract(`${path === "/" ? "" : path}/${name}`, tree, b().get(name) ?? "none"),
        ]),
      );
    });
  };
  const filterFiles = (
    path: string,
    keep: (path: string, kind: string) => boolean,
    keepDirectory?: (path: string) => boolean,
  ): Tree =>
    once(
      () =>
        new Map(
          list(path).map(([name, kind]): [string, Tree] => {
            const inner = `${path === "/" ? "" : path}/${name}`;
            if (kind === "directory")
              return [name, keepDirectory?.(inner) === false ? "none" : filterFiles(inner, keep, keepDirectory)];
            return [name, keep(inner, kind) ? "all" : "none"];
          }),
        ),
    );
  const hasFiles = (tree: Tree): boolean =>
    typeof tree === "function" ? [...tree().values()].some(hasFiles) : tree === "all";
  const union = (sets: readonly FileSet[]): FileSet => {
    const placed = sets.filter((set) => set.base !== undefined);
    if (placed.length === 0) return EMPTY;
    const base = commonBase(placed.map((set) => set.base!));
    return { base, tree: placed.map((set) => rebase(set, base)).reduce(unite) };
  };
  const both = (a: FileSet, b: FileSet, join: (base: string, a: Tree, b: Tree) => Tree): FileSet => {
    if (a.base === undefined || b.base === undefined)
      return a.base === undefined ? EMPTY : { base: a.base, tree: join(a.base, a.tree, "none") };
    const base = commonBase([a.base, b.base]);
    return { base, tree: join(base, rebase(a, base), rebase(b, base)) };
  };
  const files = (set: FileSet): string[] => {
    const walk = (path: string, tree: Tree): string[] => {
      if (tree === "none") return [];
      if (tree === "all" && kindOf(path) !== "directory") return [path];
      const inner = tree === "all" ? spelled(path) : tree();
      return [...inner]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([name, below]) => walk(`${path === "/" ? "" : path}/${name}`, below));
    };
    return set.base === undefined ? [] : walk(set.base, set.tree);
  };
  const toSource = (args: Attrs): Lazy => {
    const set = coerce("lib.fileset.toSource: `fileset`", attribute(args, "fileset"));
    const root = existing("lib.fileset.toSource: `root`", attribute(args, "root"));
    if (kindOf(root) !== "directory")
      throw new ThrownError(
        `lib.fileset.toSource: \`root\` (${root}) is a file, but it should be a directory instead.`,
        {
          hint: "Set `root` to the directory that contains the file, and `fileset` to the file.",
        },
      );
    if (set.base !== undefined && !within(root, set.base))
      throw new ThrownError(
        `lib.fileset.toSource: \`fileset\` could contain files in ${set.base}, which is not under the \`root\` (${root}).`,
        {
          hint: `Set \`root\` to ${set.base} or any directory higher up.`,
        },
      );
    const tree = rebase(set, root);
    const filter = fn("filter", 2, (path) => {
      const steps = parts(forceText(path)).slice(parts(root).length);
      let at = tree;
      for (const step of steps) {
        if (typeof at !== "function") break;
        at = at().get(step) ?? "none";
      }
      return hasFiles(at);
    });
    return call(
      cleanSourceWith,
      Attrs.from([
        ["name", "source"],
        ["src", new NixPath(root)],
        ["filter", filter],
      ]),
    );
  };
  const fileFilter = (predicate: Lazy, lazyPath: Lazy): FileSet => {
    if (!isFunctionLike(force(predicate)))
      throw new ThrownError(
        `lib.fileset.fileFilter: First argument is of type ${typeOf(force(predicate))}, but it should be a function instead.`,
      );
    const path = existing("lib.fileset.fileFilter: Second argument", lazyPath);
    const keep = (file: string, kind: string): boolean => {
      const name = file.slice(file.lastIndexOf("/") + 1);
      return forceBool(
        call(
          predicate,
          Attrs.from([
            ["name", name],
            ["type", kind],
            ["hasExt", fn("hasExt", 1, (extension) => name.endsWith(`.${forceText(extension)}`))],
          ]),
        ),
      );
    };
    if (kindOf(path) === "directory") return { base: path, tree: filterFiles(path, keep) };
    return keep(path, kindOf(path)) ? singleton(path) : EMPTY;
  };
  const fromSource = (lazySource: Lazy): FileSet => {
    const source = force(lazySource);
    const filtered = source instanceof Attrs && source.has("_isLibCleanSourceWith") ? source : undefined;
    const origin = existing(
      "lib.fileset.fromSource: The source origin of the argument",
      filtered === undefined ? source : attribute(filtered, "origSrc"),
    );
    if (filtered === undefined) return singleton(origin);
    const keep = (path: string, kind: string): boolean => forceBool(call(attribute(filtered, "filter"), path, kind));
    if (kindOf(origin) !== "directory") return keep(origin, kindOf(origin)) ? singleton(origin) : EMPTY;
    return { base: origin, tree: filterFiles(origin, keep, (path) => keep(path, "directory")) };
  };
  /** What git tracks, as the tree that `fetchGit` brings. */
  const gitTracked = (what: string, lazyPath: Lazy, submodules: boolean): FileSet => {
    const path = existing(`lib.fileset.${what}: Argument`, lazyPath);
    if (!exists(`${path === "/" ? "" : path}/.git`))
      throw new ThrownError(
        `lib.fileset.${what}: Expected the argument (${path}) to point to a local working tree of a Git repository, but it's not.`,
      );
    const fetched = forceAttrs(
      call(
        builtin("fetchGit"),
        Attrs.from([
          ["url", path],
          ["shallow", true],
          ["submodules", submodules],
        ]),
      ),
    );
    const stored = textOf(ev.coerceToString(attribute(fetched, "outPath")));
    const mirror = (directory: string): Tree =>
      once(
        () =>
          new Map(
            list(directory).map(([name, kind]): [string, Tree] => [
              name,
              kind === "directory" ? mirror(`${directory}/${name}`) : "all",
            ]),
          ),
      );
    return { base: path, tree: mirror(stored) };
  };
  const show = (lazySet: Lazy, what: string): void => {
    const set = coerce(what, lazySet);
    const lines = files(set);
    ev.host.message(
      "trace",
      lines.length === 0
        ? "(empty)"
        : [set.base!, ...lines.map((file) => `- ${file.slice(set.base!.length + 1)}`)].join("\n"),
    );
  };
  return {
    empty: valueOf(EMPTY),
    toSource: fnWithFormals("toSource", { root: false, fileset: false }, toSource),
    gitTrackedWith: fnWithFormals("gitTrackedWith", { recurseSubmodules: true }, (args) =>
      fn("gitTrackedWith", 1, (path) =>
        valueOf(gitTracked("gitTrackedWith", path, forceBool(getOr(args, "recurseSubmodules", false)))),
      ),
    ),
    ...functions({
      union: (a, b) =>
        valueOf(
          union([coerce("lib.fileset.union: First argument", a), coerce("lib.fileset.union: Second argument", b)]),
        ),
      unions: (lazySets) => {
        const sets: Value = force(lazySets);
        if (!Array.isArray(sets))
          throw new ThrownError(
            `lib.fileset.unions: Argument is of type ${typeOf(sets)}, but it should be a list instead.`,
          );
        return valueOf(union(forceList(sets).map((set, index) => coerce(`lib.fileset.unions: Element ${index}`, set))));
      },
      intersection: (a, b) =>
        valueOf(
          both(
            coerce("lib.fileset.intersection: First argument", a),
            coerce("lib.fileset.intersection: Second argument", b),
            (_base, left, right) => intersect(left, right),
          ),
        ),
      difference: (a, b) =>
        valueOf(
          both(
            coerce("lib.fileset.difference: First argument (positive set)", a),
            coerce("lib.fileset.difference: Second argument (negative set)", b),
            subtract,
          ),
        ),
      fileFilter: (predicate, path) => valueOf(fileFilter(predicate, path)),
      fromSource: (source) => valueOf(fromSource(source)),
      maybeMissing: (path) => {
        const text = pathOf("lib.fileset.maybeMissing: Argument", path);
        return valueOf(exists(text) ? singleton(text) : EMPTY);
      },
      gitTracked: (path) => valueOf(gitTracked("gitTracked", path, false)),
      toList: (set) => files(coerce("lib.fileset.toList: Argument", set)).map((file) => new NixPath(file)),
      isFileset: (lazyValue) => {
        const value = force(lazyValue);
        return (value instanceof Attrs && known.has(value)) || (value instanceof NixPath && exists(value.path));
      },
      trace: (set, value) => {
        show(set, "lib.fileset.trace: Argument");
        return value;
      },
      traceVal: (set) => {
        show(set, "lib.fileset.traceVal: Argument");
        return set;
      },
    }),
  };
}
