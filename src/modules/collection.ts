/** Finding all modules of an evaluation: loading, imports, `disabledModules`, each module once. */
import {
  addTrace,
  Attrs,
  callFunction,
  ContextString,
  type Evaluator,
  force,
  forceList,
  forceText,
  fromUtf8,
  type Lazy,
  lazy,
  NixPath,
  textOf,
  ThrownError,
  typeOf,
  updateAttrs,
  type Value,
} from "../lang/index.ts";
import { escapeNixString, functionFormals, isFunctionLike, tagOf, getOr } from "../lib/index.ts";
import { moduleInvalid } from "./errors.ts";
import { makeMerge } from "./properties.ts";
import { showOption, typeName, UNKNOWN_FILE } from "./show.ts";
import type { OptionPath } from "./types.ts";

/** A module in its one complete form. */
interface Module {
  readonly file: string;
  readonly class: string | null;
  /** Identity: of several modules with one key the first counts. */
  readonly key: string;
  readonly disabledModules: readonly Lazy[];
  readonly imports: readonly Lazy[];
  readonly options: Lazy;
  readonly config: Lazy;
}

interface Node {
  readonly module: Module;
  children: readonly Node[];
}

export interface CollectArguments {
  readonly ev: Evaluator;
  /** What every module function is given; `config` lets other arguments be found in `_module.args`. */
  readonly args: Attrs;
  readonly config: Lazy;
  readonly class: string | null;
  readonly prefix: OptionPath;
  /** Where relative names in `disabledModules` start. */
  readonly modulesPath: Lazy | undefined;
}

/** Attributes of a module that has `config` or `options`. */
const FULL = new Set([
  "_class",
  "_file",
  "key",
  "disabledModules",
  "imports",
  "options",
  "config",
  "meta",
  "freeformType",
]);
/** Attributes that are no configuration in a module that has neither. */
const SHORT = new Set(["_class", "_file", "key", "disabledModules", "require", "imports", "freeformType"]);

export interface Collected {
  /** Breadth first from the start, each key once. */
  readonly modules: readonly Module[];
  readonly graph: () => Lazy;
}

export function collectModules(context: CollectArguments, initial: readonly Lazy[]): Collected {
  const loaded = new Map<Value, Node>();
  const roots = load(initial, UNKNOWN_FILE, "");

  function load(modules: readonly Lazy[], parentFile: string, parentKey: string): Node[] {
    return modules.map((value, index) => loadOne(value, parentFile, `${parentKey}:anon-${index + 1}`));
  }

  function loadOne(lazyModule: Lazy, parentFile: string, fallbackKey: string): Node {
    const value = force(lazyModule);
    // A file, or a value with a key of its own, is the same module wherever it is imported: it is looked at once, which also
    // ends circular imports.
    const path =
      value instanceof NixPath || typeof value === "string" || value instanceof ContextString
        ? pathText(context.ev, value)
        : undefined;
    const identity = path ?? value;
    const known = loaded.get(identity);
    if (known !== undefined) return known;
    const module = loadModule(context, value, parentFile, fallbackKey);
    checkClass(context, module);
    const node: Node = { module, children: [] };
    if (path !== undefined || module.key !== fallbackKey) loaded.set(identity, node);
    node.children = load(module.imports, module.file, module.key);
    return node;
  }

  const disabled = disabledKeys(context, roots);
  const modules: Module[] = [];
  const seen = new Set<string>();
  const queue: Node[] = [...roots];
  for (let at = 0; at < queue.length; at++) {
    const { module, children } = queue[at]!;
    if (disabled.has(module.key) || seen.has(module.key)) continue;
    seen.add(module.key);
    modules.push(module);
    queue.push(...children);
  }

  return { modules, graph: () => graph(roots, disabled, new Set()) };
}

function graph(nodes: readonly Node[], disabled: ReadonlySet<string>, above: ReadonlySet<Node>): Lazy {
  return nodes
    .filter((node) => !above.has(node))
    .map((node) =>
      Attrs.from([
        ["disabled", disabled.has(node.module.key)],
        ["key", node.module.key],
        ["file", node.module.file],
        ["imports", lazy(() => graph(node.children, disabled, new Set([...above, node])))],
      ]),
    );
}

function pathText(ev: Evaluator, value: Value): string {
  return textOf(ev.coerceToString(value, { copyToStore: false, coerceMore: true }));
}

function loadModule(context: CollectArguments, value: Value, file: string, key: string): Module {
  if (isFunctionLike(value)) return unify(context, file, key, applyArguments(context, key, value));
  if (value instanceof Attrs) {
    const tag = tagOf(value) ?? "module";
    if (tag === "module") return unify(context, file, key, value);
    if (tag === "if" || tag === "override") return unify(context, file, key, Attrs.from([["config", value]]));
    throw notAModule(context, value, tag, file);
  }
  if (Array.isArray(value))
    throw moduleInvalid(
      context.ev,
      `Expected a module, but found a list${importedBy(context, file)}`,
      "Imports can't be nested lists; perhaps you meant to remove one level of lists, or to join lists with `++`.",
    );
  if (!(value instanceof NixPath || typeof value === "string" || value instanceof ContextString))
    throw moduleInvalid(
      context.ev,
      `Expected a module, but found ${typeName(value)}${importedBy(context, file)}`,
      "A module is a path, a function, or an attribute set.",
    );
  const path = pathText(context.ev, value);
  const imported = context.ev.call(context.ev.builtins.get("import")!, value);
  return unify(context, path, path, isFunctionLike(imported) ? applyArguments(context, path, imported) : imported);
}

function importedBy(context: CollectArguments, file: string): string {
  const into =
    context.prefix.length === 0
      ? ""
      : `, while trying to load a module into \`${fromUtf8(showOption(context.prefix))}'`;
  return `${file === UNKNOWN_FILE ? "" : `, imported by \`${fromUtf8(file)}'`}${into}`;
}

function notAModule(context: CollectArguments, value: Attrs, tag: string, file: string): ThrownError {
  const hints: Readonly<Record<string, string>> = {
    configuration: "This is the outcome of `evalModules`; import the modules that it was made of instead.",
    flake:
      "This is a whole flake; perhaps you forgot to select a module of it, for instance `.modules.<class>.default`.",
    option: "This is an option; a module declares it under `options`.",
    "option-type": "This is an option type, not a module.",
    merge: "`mkMerge` merges configurations; import the modules one by one, or put the merge under `config`.",
  };
  const first = value.names().find((name) => value.position(name) !== undefined);
  return moduleInvalid(
    context.ev,
    `Expected a module, but found a value of type ${escapeNixString(tag)}${importedBy(context, file)}`,
    hints[tag] ?? "Each element of `imports` and `modules` is a path, a function, or an attribute set without `_type`.",
    first === undefined ? undefined : () => value.position(first),
  );
}

/** Calls a module function with what it asks for; each argument is looked up when it is used. */
function applyArguments(context: CollectArguments, key: string, module: Value): Value {
  const asked = [...functionFormals(module).keys()].map((name): [string, Lazy] => [
    name,
    lazy(() => {
      try {
        const given = context.args.get(name);
        return given === undefined ? force(moduleArgument(context, name)) : force(given);
      } catch (error) {
        throw addTrace(error, `while evaluating the module argument \`${name}' in "${key}":`);
      }
    }),
  ]);
  return callFunction(module, updateAttrs(context.args, Attrs.from(asked)));
}

function moduleArgument(context: CollectArguments, name: string): Lazy {
  try {
    const config = force(context.config) as Attrs;
    const args = force((force(config.get("_module")!) as Attrs).get("args")!) as Attrs;
    const found = args.get(name);
    if (found !== undefined) return found;
  } catch (error) {
    throw addTrace(
      error,
      `noting that argument \`${name}\` is not externally provided, so querying \`_module.args\` instead, requiring \`config\``,
    );
  }
  throw moduleInvalid(
    context.ev,
    `The module argument \`${fromUtf8(name)}' is not given by anybody`,
    `Pass it with \`specialArgs\`, or define \`_module.args.${fromUtf8(name)}\`.`,
  );
}

/** A module's attributes in their complete form. */
function unify(context: CollectArguments, fallbackFile: string, fallbackKey: string, lazyModule: Lazy): Module {
  const value = force(lazyModule);
  if (!(value instanceof Attrs))
    throw moduleInvalid(
      context.ev,
      `The module \`${fromUtf8(fallbackFile)}' (${fromUtf8(fallbackKey)}) does not look like a module: it is ${typeName(value)}`,
    );
  const text = (name: string, fallback: string): string => {
    const found = value.get(name);
    return found === undefined ? fallback : pathText(context.ev, force(found));
  };
  const list = (name: string): readonly Lazy[] => {
    const found = value.get(name);
    return found === undefined
      ? []
      : forceList(found, `while evaluating \`${name}\` of the module ${text("_file", fallbackFile)}`);
  };
  const file = text("_file", fallbackFile);
  const key = text("key", fallbackKey);
  const classValue = value.get("_class");
  const moduleClass = classValue === undefined ? null : force(classValue);
  const full = value.has("config") || value.has("options");
  let config: Lazy;
  if (full) {
    const unknown = value.names().filter((name) => !FULL.has(name));
    if (unknown.length > 0)
      throw moduleInvalid(
        context.ev,
        `Module \`${fromUtf8(file)}' has an unsupported attribute \`${fromUtf8(unknown[0]!)}'`,
        `This is caused by introducing a top-level \`config' or \`options' attribute. Add configuration attributes immediately on the top level instead, or move all of them (namely: ${fromUtf8(unknown.join(" "))}) into the explicit \`config' attribute.`,
        () => value.position(unknown[0]!),
      );
    config = getOr(value, "config", Attrs.empty);
    const meta = value.get("meta");
    if (meta !== undefined) config = makeMerge([config, Attrs.from([["meta", meta]])]);
  } else config = withoutNames(value, SHORT);
  const freeform = value.get("freeformType");
  if (freeform !== undefined)
    config = makeMerge([config, Attrs.from([["_module", Attrs.from([["freeformType", freeform]])]])]);
  return {
    file,
    key,
    class: moduleClass === null ? null : forceText(moduleClass),
    disabledModules: list("disabledModules"),
    imports: full ? list("imports") : [...list("require"), ...list("imports")],
    options: full ? getOr(value, "options", Attrs.empty) : Attrs.empty,
    config,
  };
}

function withoutNames(attrs: Attrs, names: ReadonlySet<string>): Attrs {
  if (![...names].some((name) => attrs.has(name))) return attrs;
  const byName = attrs.keys.byName();
  const all = attrs.names();
  return Attrs.from(
    all.flatMap((name, index) => {
      const slot = byName[index]!;
      return names.has(name) ? [] : [[name, attrs.values[slot]!, attrs.positionAt(slot)] as const];
    }),
  );
}

function checkClass(context: CollectArguments, module: Module): void {
  if (context.class === null || module.class === null || module.class === context.class) return;
  throw new ThrownError(
    `The module \`${fromUtf8(module.file)}' (class: ${escapeNixString(module.class)}) cannot be imported into a module evaluation that expects class ${escapeNixString(context.class)}`,
    {
      code: "module-class",
      hint: "Make sure that you import the right module, and that its `_class` is the one it is made for.",
    },
  );
}

function disabledKeys(context: CollectArguments, roots: readonly Node[]): ReadonlySet<string> {
  const keys = new Set<string>();
  const visited = new Set<Node>();
  const visit = (node: Node): void => {
    if (visited.has(node)) return;
    visited.add(node);
    for (const entry of node.module.disabledModules) keys.add(disabledKey(context, node.module.file, force(entry)));
    node.children.forEach(visit);
  };
  roots.forEach(visit);
  return keys;
}

function disabledKey(context: CollectArguments, file: string, value: Value): string {
  if (typeof value === "string" || value instanceof ContextString) {
    const text = textOf(value);
    const base = context.modulesPath === undefined ? "" : pathText(context.ev, force(context.modulesPath));
    return text.startsWith("/") ? text : `${base}/${text}`;
  }
  if (value instanceof Attrs) {
    const key = value.get("key");
    if (key !== undefined) return pathText(context.ev, force(key));
    if (value.has("outPath") || value.has("__toString")) return pathText(context.ev, value);
    throw moduleInvalid(
      context.ev,
      `Module \`${fromUtf8(file)}' disables a module that has no \`key\` attribute, so that nothing tells which one is meant`,
      "Put a path, a string relative to `modulesPath`, or an attribute set with a `key` into `disabledModules`.",
    );
  }
  if (!isFunctionLike(value)) return pathText(context.ev, value);
  throw moduleInvalid(
    context.ev,
    `Each item of \`disabledModules\` must be a path, a string or an attribute set with a \`key\`, but one in \`${fromUtf8(file)}' is of type ${typeOf(value)}`,
  );
}
