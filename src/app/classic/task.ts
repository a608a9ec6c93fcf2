/** What the worker of a classic command does. */
import {
  addTrace,
  Attrs,
  contextOf,
  EvalError,
  type Evaluator,
  force,
  forceDeep,
  fromUtf8,
  isString,
  Lambda,
  type Lazy,
  type NixPath,
  printClassic,
  printValue,
  textOf,
  toJson,
  toXml,
  utf8,
  type Value,
} from "../../lang/index.ts";
import { ParsedFiles } from "../evaluation/parsed-files.ts";
import { findAlongPath } from "./attribute-path.ts";
import { automaticArguments, callWithArguments } from "./automatic-arguments.ts";
import { findDerivations, outputsToInstall } from "./derivations.ts";
import { type ClassicEvaluator, createClassicEvaluator } from "./evaluator.ts";
import type { ClassicHost } from "./host.ts";
import type {
  ClassicJob,
  ClassicSettings,
  ClassicTask,
  ExpressionSource,
  FoundDerivation,
  ShellRules,
  ValueFormat,
} from "./protocol.ts";
import type { SyncClassicServices } from "./services.ts";

export interface TaskOutput {
  /** Bytes for standard output. */
  write(bytes: string): void;
  derivation(found: FoundDerivation): void;
  notice(level: "trace" | "warning", text: string): void;
}

export function runTask({ settings, task }: ClassicJob, services: SyncClassicServices, output: TaskOutput): void {
  const trees = settings.parsedFiles === undefined ? undefined : new ParsedFiles(settings.parsedFiles);
  const { host, ev } = createClassicEvaluator(settings, services, {
    notice: (level, text) => output.notice(level, text),
    trees,
  });
  try {
    ev.within(() => runWith(ev, host, settings, task, services, output, trees));
  } finally {
    trees?.save();
  }
}

function runWith(
  ev: Evaluator,
  host: ClassicHost,
  settings: ClassicSettings,
  task: ClassicTask,
  services: SyncClassicServices,
  output: TaskOutput,
  trees: ParsedFiles | undefined,
): void {
  let exactWorld: ClassicEvaluator | undefined;
  const cwd = utf8(settings.cwd);
  if (task.kind === "find-files") {
    for (const name of task.names) output.write(`${withoutTrace(() => findFile(ev, utf8(name))).path}\n`);
    return;
  }
  const shell = task.kind === "instantiate" && task.shell !== undefined ? task.shell : undefined;
  const folder = shell === undefined ? cwd : utf8(shell.folder);
  const args = automaticArguments(ev, task.arguments, folder);
  if (task.kind === "eval") {
    const root = evaluateSource(ev, host, task.source, cwd);
    const selected = force(findAlongPath(ev, task.attributePath, args, root));
    const value = task.apply === undefined ? selected : ev.call(ev.evaluate(task.apply, { basePath: cwd }), selected);
    output.write(
      show(ev, value, { ...task, strict: true, locations: false, copyToStore: false, command: "eval command" }),
    );
    host.flush();
    return;
  }
  for (const source of task.sources) {
    if (task.action === "parse") {
      const { text, basePath, name } = readSource(ev, host, source, cwd);
      output.write(`${ev.normalForm(text, { basePath, name })}\n`);
      continue;
    }
    const root = evaluateSource(ev, host, source, folder, (path) =>
      shell === undefined ? path : shellFile(host, path, shell, output),
    );
    for (const path of task.attributePaths) {
      const value = findAlongPath(ev, path, forShell(task, args, root), root);
      force(value);
      if (showsThunks(task, value)) {
        const exact = (exactWorld ??= createClassicEvaluator(settings, services, {
          notice: () => {},
          trees,
          exactThunks: true,
        }));
        const again = exact.ev.within(() => {
          const same = automaticArguments(exact.ev, task.arguments, cwd);
          const found = findAlongPath(exact.ev, path, same, evaluateSource(exact.ev, exact.host, source, cwd));
          force(found);
          return show(exact.ev, same.size === 0 ? found : callWithArguments(exact.ev, same, found), task);
        });
        output.write(again);
        continue;
      }
      const named = task.action === "instantiate" && task.install === true ? outputNamed(value) : undefined;
      if (named !== undefined) {
        host.flush();
        output.derivation(named);
      } else if (task.action === "instantiate")
        findDerivations(ev, value, forShell(task, args, value), (found, derivation) => {
          host.flush();
          output.derivation(task.install === true ? { ...found, install: outputsToInstall(derivation) } : found);
        });
      else output.write(show(ev, args.size === 0 ? value : callWithArguments(ev, args, value), task));
    }
  }
  host.flush();
}

/** The output of a derivation whose path a string is. */
function outputNamed(lazy: Lazy): FoundDerivation | undefined {
  const value = force(lazy);
  const [element, more] = isString(value) ? (contextOf(value) ?? []) : [];
  const [, output, drvPath] = (more === undefined && /^!([^!]*)!(.*)$/s.exec(element ?? "")) || [];
  return output === undefined || drvPath === undefined ? undefined : { drvPath, output, install: [output] };
}

/** Arguments with `inNixShell = true` for a function that names it. */
function forShell({ shell }: Extract<ClassicTask, { kind: "instantiate" }>, args: Attrs, called: Lazy): Attrs {
  const value = shell === undefined ? undefined : force(called);
  const wants = value instanceof Lambda && value.info.formals?.names.has("inNixShell") === true;
  return wants && !args.has("inNixShell") ? Attrs.from([...args.entries(), ["inNixShell", true]]) : args;
}

/**
 * Whether what is printed tells what has been evaluated. Then it is evaluated a second time, with thunks exactly where Nix makes
 * them: the first time makes fewer, being faster, and most values that are printed are no sets or lists.
 */
function showsThunks(task: Extract<ClassicTask, { kind: "instantiate" }>, value: Lazy): boolean {
  if (task.action !== "evaluate" || task.strict || task.format === "raw") return false;
  const shown = force(value);
  return shown instanceof Attrs || Array.isArray(shown);
}

/** The text of a source, its name in messages, and the folder that its relative paths start from. */
function readSource(
  ev: Evaluator,
  host: ClassicHost,
  source: ExpressionSource,
  cwd: string,
  meant: (path: string) => string = (path) => path,
): { text: string; basePath: string; name: string } {
  if (source.kind === "text") return { text: source.text, basePath: cwd, name: source.name };
  const named = /^<(.+)>$/s.exec(source.file)?.[1];
  const given = named === undefined ? absolute(utf8(source.file), cwd) : findFile(ev, utf8(named)).path;
  const file = ev.resolveFile(meant(given));
  const text = Buffer.from(host.readFile(file)).toString("latin1");
  return { text, basePath: file.slice(0, Math.max(1, file.lastIndexOf("/"))), name: file };
}

/** In a folder: `shell.nix`, else `default.nix`. */
function shellFile(host: ClassicHost, path: string, { looksForShellNix }: ShellRules, output: TaskOutput): string {
  if (host.status(path)?.type !== "directory" && host.status(`${path}/.`)?.type !== "directory") return path;
  const names = host.readDirectory(path);
  if (names.has("shell.nix")) {
    if (looksForShellNix) return `${path}/shell.nix`;
    const setting = "nix-shell-always-looks-for-shell-nix";
    output.notice(
      "warning",
      `Skipping '${fromUtf8(path)}/shell.nix', because the setting '${setting}' is disabled. This is a deprecated behavior. Consider enabling '${setting}'.`,
    );
  }
  if (names.has("default.nix")) return `${path}/default.nix`;
  throw new EvalError(`neither 'shell.nix' nor 'default.nix' found in '${path}'`);
}

function evaluateSource(
  ev: Evaluator,
  host: ClassicHost,
  source: ExpressionSource,
  cwd: string,
  meant?: (path: string) => string,
): Value {
  const { text, basePath, name } = readSource(ev, host, source, cwd, meant);
  return ev.evaluate(text, { basePath, name });
}

function absolute(path: string, cwd: string): string {
  return path.startsWith("/") ? path : `${cwd}/${path}`;
}

/** What `<name>` means. */
function findFile(ev: Evaluator, name: string): NixPath {
  return ev.call(ev.builtins.get("findFile")!, ev.builtins.get("nixPath")!, name) as NixPath;
}

/** Nobody's code has called anything: there is nothing to trace. */
function withoutTrace<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof EvalError ? new EvalError(error.message) : error;
  }
}

interface Shown {
  readonly format: ValueFormat;
  readonly strict: boolean;
  readonly locations: boolean;
  /** In JSON, paths become store paths. */
  readonly copyToStore?: boolean;
  /** Who prints it, for messages. */
  readonly command?: string;
}

function show(
  ev: Evaluator,
  value: Lazy,
  { format, strict, locations, copyToStore = true, command = "nix-instantiate" }: Shown,
): string {
  switch (format) {
    case "raw":
      try {
        return textOf(ev.coerceToString(value));
      } catch (error) {
        throw addTrace(error, `while generating the ${command} output`);
      }
    case "xml":
      return textOf(toXml(value, { strict, locations }));
    case "json":
      return `${textOf(toJson(ev.world, value, { copyToStore, strict }))}\n`;
    case "text":
      return `${printValue(value, { force: true, derivationPaths: true })}\n`;
    case "classic":
      if (strict) forceDeep(value);
      else force(value);
      return `${printClassic(value)}\n`;
  }
}
