/** What the builtins do, in a sentence or two: `:doc` of the REPL. Not part of the language's face, since nothing else needs it. */

export interface BuiltinDocumentation {
  readonly args: readonly string[];
  readonly text: string;
}

export function builtinDocumentation(name: string): BuiltinDocumentation | undefined {
  if (!Object.hasOwn(documentation, name)) return undefined;
  const [args, text] = documentation[name]!;
  return { args: args === "" ? [] : args.split(" "), text };
}

/** By name: the arguments, and the text. */
const documentation: Readonly<Record<string, readonly [args: string, text: string]>> = {
  abort: ["message", "Ends the evaluation with a message. Unlike `throw`, `tryEval` does not catch it."],
  add: ["a b", "The sum of two numbers: `a + b`. Integers that overflow are an error."],
  addDrvOutputDependencies: [
    "string",
    "Turns the constant path of a .drv in the string's context into a dependency on the derivation with everything it\nbuilds from. The context must have exactly one element.",
  ],
  addErrorContext: ["message value", "The value; if evaluating it fails, the message is added to the error's trace."],
  all: ["predicate list", "Whether the predicate holds for every element. Stops at the first for which it does not."],
  any: ["predicate list", "Whether the predicate holds for an element. Stops at the first for which it does."],
  appendContext: [
    "string context",
    "The string with more context, given in the form that `getContext` returns. Paths in it must be store paths.",
  ],
  attrNames: ["set", "The names of a set's attributes, sorted by their bytes."],
  attrValues: ["set", "The values of a set's attributes, in the order of `attrNames`."],
  baseNameOf: ["path", "What follows the last slash of a path or string; one slash at the end does not count."],
  bitAnd: ["a b", "The bitwise AND of two integers."],
  bitOr: ["a b", "The bitwise OR of two integers."],
  bitXor: ["a b", "The bitwise exclusive OR of two integers."],
  break: ["value", "The value. In a debugger, evaluation would stop here; d2n has none, so it goes on."],
  catAttrs: ["name list", "The values of the attribute `name` of all sets in the list that have it."],
  ceil: ["number", "The smallest integer that is not less than the number."],
  compareVersions: [
    "a b",
    "-1 if version `a` is older than `b`, 0 if they are equal, 1 if it is newer. Compared part by part, as `splitVersion` splits\nthem: numbers as numbers, `pre` before everything, the rest as text.",
  ],
  concatLists: ["lists", "The elements of all lists in the list, one list after the other."],
  concatMap: ["function list", "Calls the function, which returns lists, with every element, and joins the results."],
  concatStringsSep: ["separator list", "The strings of the list with the separator between them."],
  convertHash: [
    "args",
    "A hash in another form. `args` is a set of `hash`, `toHashFormat` (`base16`, `nix32`, `base64` or `sri`) and, unless the hash\nnames it, `hashAlgo` (`md5`, `sha1`, `sha256`, `sha512`, `blake3`).",
  ],
  deepSeq: ["a b", "Evaluates `a` as a whole, with everything inside lists and sets, and returns `b`."],
  derivation: [
    "attrs",
    'Describes something to build: a set with `drvPath`, `outPath`, `type = "derivation"` and an attribute for each output.\nNeeded are `name`, `system` and `builder`; `args` is its command line, all other attributes are its environment.',
  ],
  derivationStrict: [
    "attrs",
    "What `derivation` calls: writes the .drv at once and returns its path and those of its outputs.",
  ],
  dirOf: ["path", "What precedes the last slash of a path or string: the folder that the file is in."],
  div: ["a b", "The quotient of two numbers. That of integers is an integer, rounded towards zero."],
  elem: ["value list", "Whether the list has an element that equals the value."],
  elemAt: ["list index", "The element at an index, counted from 0. An index that the list does not have is an error."],
  fetchClosure: ["args", "Copies a store path and what it needs from a binary cache. An experimental feature of Nix."],
  fetchGit: [
    "args",
    "Checks out a git repository and returns the store path of the tree with `rev`, `shortRev`, `revCount`, `lastModified`, `narHash`.\n`args` is an address, or a set of `url`, `name`, `rev`, `ref`, `submodules`, `shallow`, `allRefs`, `lfs`, `exportIgnore`.",
  ],
  fetchMercurial: ["args", "Checks out a Mercurial repository, which needs the program `hg`."],
  fetchTarball: [
    "args",
    "Downloads an archive, unpacks it and returns its store path; a single folder at its top is left out. `args` is an address, or\na set of `url` and `sha256`, the hash of the unpacked tree.",
  ],
  fetchTree: [
    "input",
    "Fetches a source tree by the attributes of a flake reference (`type`, `url`, `owner`, `repo`, `rev`, `narHash`, …) or its URL.",
  ],
  fetchurl: [
    "args",
    "Downloads a file and returns its store path. `args` is an address, or a set of `url`, `name` and `sha256`.",
  ],
  filter: ["predicate list", "The elements for which the predicate holds."],
  filterSource: [
    "predicate path",
    'Copies a folder to the store without what the predicate refuses. It is called with the path and the kind of each file:\n"regular", "directory", "symlink" or "unknown". `builtins.path` does more.',
  ],
  findFile: [
    "searchPath name",
    "Looks for a file in a list of sets of `prefix` and `path`, as `<name>` does with `builtins.nixPath`.",
  ],
  flakeRefToString: ["attrs", "The URL-like form of a flake reference given as a set of attributes."],
  floor: ["number", "The largest integer that is not greater than the number."],
  "foldl'": [
    "function start list",
    "Goes through a list from the left: `function (function start x0) x1` and so on. Each step is evaluated before the next.",
  ],
  fromJSON: ["string", "The value that a JSON text describes."],
  fromTOML: [
    "string",
    "The set that a TOML text describes. Dates and times are an error unless the experimental feature is on.",
  ],
  functionArgs: [
    "function",
    "For a function with named arguments, a set with their names; each is true if the argument has a default. Empty for others.",
  ],
  genList: ["function length", "The list of `function 0`, `function 1`, … with that length."],
  genericClosure: [
    "args",
    "All that can be reached: starts with the list `startSet` and calls `operator` with each element for a list of more. Elements\nare sets; those with a `key` that was there before are left out.",
  ],
  getAttr: ["name set", "The attribute with that name; an error if there is none. `set.${name}` does the same."],
  getContext: [
    "string",
    "The context of a string: a set of store paths that says of each whether it is needed as it is (`path`), with all that it is\nbuilt from (`allOutputs`), or which `outputs` of it are.",
  ],
  getEnv: ["name", "An environment variable, or an empty string. In pure evaluation always empty."],
  getFlake: [
    "reference",
    "A flake by reference: its outputs, `inputs` and source information. In pure evaluation it must be pinned.",
  ],
  groupBy: [
    "function list",
    "Calls the function, which returns a string, with every element. Returns a set with the list of elements for each string.",
  ],
  hasAttr: ["name set", "Whether the set has an attribute with that name, as `set ? ${name}` says."],
  hasContext: ["string", "Whether the string refers to anything in the store."],
  hashFile: [
    "type path",
    "The hash of a file's content in base 16. The type is `md5`, `sha1`, `sha256`, `sha512` or `blake3`.",
  ],
  hashString: [
    "type string",
    "The hash of a string in base 16. The type is `md5`, `sha1`, `sha256`, `sha512` or `blake3`.",
  ],
  head: ["list", "The first element; an error if the list is empty."],
  import: [
    "path",
    "The value of the expression in a file, or in the `default.nix` of a folder. A file is evaluated once. Importing something that\nhas to be built builds it first.",
  ],
  intersectAttrs: ["a b", "The attributes of `b` whose names `a` has too."],
  isAttrs: ["value", "Whether the value is a set."],
  isBool: ["value", "Whether the value is true or false."],
  isFloat: ["value", "Whether the value is a floating-point number."],
  isFunction: ["value", "Whether the value is a function. A set with `__functor` is none."],
  isInt: ["value", "Whether the value is an integer."],
  isList: ["value", "Whether the value is a list."],
  isNull: ["value", "Whether the value is null. `value == null` says the same."],
  isPath: ["value", "Whether the value is a path. A string that looks like one is none."],
  isString: ["value", "Whether the value is a string."],
  length: ["list", "The number of elements. They are not evaluated."],
  lessThan: ["a b", "Whether `a < b`: of numbers, strings, paths, or lists of these."],
  listToAttrs: ["list", "The set of sets with `name` and `value`. Of equal names the first counts."],
  map: ["function list", "The list of what the function makes of each element."],
  mapAttrs: ["function set", "The set with what the function makes of each name and value."],
  match: [
    "regex string",
    "If an extended POSIX regular expression matches the whole string, the list of what its groups matched (null for those that\ntook no part); otherwise null.",
  ],
  mul: ["a b", "The product of two numbers: `a * b`."],
  outputOf: [
    "derivation output",
    "The path of an output of a derivation that is yet to be computed. An experimental feature of Nix.",
  ],
  parseDrvName: [
    "string",
    "Splits `hello-2.12` into a set of `name` and `version`, at the first dash that no letter follows.",
  ],
  parseFlakeRef: ["reference", "The attributes of a flake reference in its URL-like form."],
  partition: ["predicate list", "A set of two lists: `right`, for which the predicate holds, and `wrong`."],
  path: [
    "args",
    "Copies a file or folder to the store. `args` is a set of `path`, `name`, `filter`, `recursive` (true unless given; false hashes\none file as it is) and `sha256`, which makes the result known in advance.",
  ],
  pathExists: ["path", "Whether there is a file or folder; with a slash at the end, whether there is a folder."],
  placeholder: ["output", "A string that is replaced by the path of that output when the derivation is built."],
  readDir: ["path", 'The entries of a folder: a set of names with "regular", "directory", "symlink" or "unknown".'],
  readFile: ["path", "The content of a file as a string. Files with NUL bytes are an error."],
  readFileType: ["path", 'What a file is: "regular", "directory", "symlink" or "unknown". Links are not followed.'],
  removeAttrs: [
    "set names",
    "The set without the attributes that the list names. Names that it does not have are no error.",
  ],
  replaceStrings: [
    "from to string",
    "Replaces every occurrence of the strings in the list `from` by those in `to`. The first that fits at a place counts; what has\nbeen replaced is not looked at again.",
  ],
  scopedImport: ["scope path", "Like `import`, with the attributes of a set in scope. Evaluated each time."],
  seq: ["a b", "Evaluates `a`, though not what is inside it, and returns `b`."],
  sort: [
    "comparator list",
    "The list sorted by a function that says whether its first argument comes before its second. Equal elements keep their order.",
  ],
  split: [
    "regex string",
    "Splits a string where an extended POSIX regular expression matches. The result alternates between strings and lists of what\nthe groups matched.",
  ],
  splitVersion: ["string", "The parts of a version as `compareVersions` compares them."],
  storePath: [
    "path",
    "A path that is in the store already, as a string with itself as context. Not in pure evaluation.",
  ],
  stringLength: ["string", "The number of bytes of a string."],
  sub: ["a b", "The difference of two numbers: `a - b`."],
  substring: [
    "start length string",
    "The bytes of a string from `start`, counted from 0, at most `length` of them; a negative length means all. What lies beyond\nthe end is empty, a negative start an error.",
  ],
  tail: ["list", "The list without its first element; an error if it is empty."],
  throw: ["message", "Fails with a message. `tryEval` catches it."],
  toFile: [
    "name string",
    "Writes a string to a file in the store and returns its path. The string may refer to files, but not to derivations.",
  ],
  toJSON: [
    "value",
    "The value as JSON. Derivations become their output path, paths are copied to the store, functions are an error.",
  ],
  toPath: ["string", "A string that is an absolute path, in canonical form. Old: `/. + string` makes a real path."],
  toString: [
    "value",
    "The value as a string: numbers, paths, lists (their elements with spaces between them), sets with `__toString` or `outPath`;\nfalse and null are empty, true is `1`.",
  ] as const,
  toXML: ["value", "The value as XML, all of it evaluated."],
  trace: ["message value", "Prints a message to standard error when it is evaluated, and returns the value."],
  traceVerbose: ["message value", "Like `trace` if the setting `trace-verbose` is on, otherwise just the value."],
  tryEval: [
    "value",
    "A set of `success` and `value`. If evaluating (not deeply) runs into `throw` or a failed `assert`, success is false. Other\nerrors are not caught.",
  ],
  typeOf: ["value", '"int", "bool", "string", "path", "null", "set", "list", "lambda" or "float".'],
  unsafeDiscardOutputDependency: [
    "string",
    "The string with derivations in its context replaced by their .drv files: what they are built from is no dependency any more.",
  ],
  unsafeDiscardStringContext: [
    "string",
    "The string without context. Whatever it refers to may be missing when it is used.",
  ],
  unsafeGetAttrPos: ["name set", "Where an attribute was defined: a set of `file`, `line` and `column`, or null."],
  warn: ["message value", "Prints a warning to standard error when it is evaluated, and returns the value."],
  zipAttrsWith: [
    "function sets",
    "Joins a list of sets: the function is called with each name and the list of values that the sets have for it.",
  ],
};
