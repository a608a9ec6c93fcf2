/** The names of a REPL session and what its commands do with them (Nix: libcmd/repl.cc). */
import { D2nError } from "../../base/index.ts";
import { parseAttributePath } from "../../flake/index.ts";
import {
  addTrace,
  attributeName,
  Attrs,
  ContextString,
  EvalError,
  type Evaluator,
  force,
  forceAttrs,
  fromUtf8,
  isDerivation,
  isString,
  Lambda,
  type Lazy,
  NixPath,
  ParseError,
  printValue,
  showType,
  Source,
  textOf,
  utf8,
  type Value,
} from "../../lang/index.ts";
import { findAlongPath } from "../classic/attribute-path.ts";
import { automaticArguments, callWithArguments } from "../classic/automatic-arguments.ts";
import { complete } from "./completion.ts";
import { describeValue } from "./documentation.ts";
import type { ReplRequest, ReplResult, ReplSettings, ReplSource } from "./protocol.ts";
import type { LoadedWorld } from "./world.ts";

/** Names shown when a set comes into scope. */
const SHOWN = 20;

export class ReplScope {
  readonly #world: LoadedWorld;
  readonly #settings: ReplSettings;
  readonly #write: (bytes: string) => void;
  readonly #basePath: string;
  readonly #arguments: Attrs;
  /** Replaced when it changes: functions that were defined before keep what they saw. */
  #names: ReadonlyMap<string, Lazy> = new Map();
  #lastLoaded: Attrs | undefined;

  /** @param write takes what is printed before an error */
  constructor(world: LoadedWorld, settings: ReplSettings, write: (bytes: string) => void) {
    this.#write = write;
    this.#world = world;
    this.#settings = settings;
    this.#basePath = utf8(settings.cwd);
    this.#arguments = automaticArguments(world.ev, settings.arguments, this.#basePath);
  }

  /** @throws what evaluation throws */
  run(request: ReplRequest): ReplResult {
    try {
      return this.#ev.within(() => this.#run(request));
    } finally {
      this.#world.flush();
    }
  }

  get #ev(): Evaluator {
    return this.#world.ev;
  }

  #run(request: ReplRequest): ReplResult {
    switch (request.kind) {
      case "line":
        return this.#line(request.text);
      case "print":
        return this.#value(request.text, (value) => text(isString(value) ? textOf(value) : this.#show(value)));
      case "type":
        return this.#value(request.text, (value) => text(showType(value)));
      case "add":
        return this.#value(request.text, (value) => this.#add(value));
      case "derivation":
        return this.#value(request.text, (value) =>
          this.#derivation(
            request.through === undefined ? value : this.#ev.call(this.#evaluate(request.through), value),
          ),
        );
      case "edit":
        return this.#value(request.text, (value) => placeOf(value, request.text));
      case "document":
        return this.#document(request.text);
      case "load":
        return this.#add(this.#load(request.source));
      case "reset":
        this.#names = new Map();
        this.#ev.forgetFiles();
        return { type: "nothing" };
      case "last-loaded":
        if (this.#lastLoaded === undefined) throw new EvalError("nothing has been loaded yet");
        return text(this.#lastLoaded.names().join("\n"));
      case "complete":
        return {
          type: "completions",
          completions: complete(request.text, {
            names: [...this.#names.keys(), ...this.#ev.globalNames()],
            attributes: (expression) => {
              const value = this.#evaluate(expression);
              return value instanceof Attrs ? value.names() : [];
            },
            directory: (path) => [...this.#ev.host.readDirectory(this.#absolute(path)).keys()],
          }),
        };
    }
  }

  #evaluate(expression: string): Value {
    return this.#ev.evaluate(expression, { basePath: this.#basePath, scope: this.#names });
  }

  /** Does something with the value of an input, unless that isn't complete. */
  #value(expression: string, use: (value: Value) => ReplResult): ReplResult {
    let value: Value;
    try {
      value = this.#evaluate(expression);
    } catch (error) {
      if (endsTooEarly(error)) return { type: "incomplete" };
      throw error;
    }
    return use(value);
  }

  #line(line: string): ReplResult {
    const bindings = this.#bindings(line);
    if (bindings === "incomplete") return { type: "incomplete" };
    if (bindings === undefined) return this.#value(line, (value) => text(this.#show(value, 1)));
    this.#names = new Map([...this.#names, ...bindings.entries()]);
    return { type: "bound" };
  }

  /** The definitions that a line is; undefined if it is none. */
  #bindings(line: string): Attrs | "incomplete" | undefined {
    const options = { basePath: this.#basePath, scope: this.#names };
    for (const completed of [false, true]) {
      try {
        return this.#ev.evaluateBindings(line, { ...options, completed }) as Attrs;
      } catch (error) {
        if (!(error instanceof ParseError)) throw error;
        if (completed && endsTooEarly(error)) return "incomplete";
      }
    }
    return undefined;
  }

  #show(value: Value, maxDepth = Number.POSITIVE_INFINITY): string {
    return printValue(value, {
      force: true,
      derivationPaths: true,
      maxDepth,
      prettyIndent: 2,
      errors: "throw-top-level",
      colors: this.#settings.colors,
      begun: this.#write,
    });
  }

  #add(value: Value): ReplResult {
    const attrs = mergeable(value);
    this.#names = new Map([...this.#names, ...attrs.entries()]);
    this.#lastLoaded = attrs;
    return { type: "added", count: attrs.size, names: attrs.names().slice(0, SHOWN).map(attributeName) };
  }

  #load(source: ReplSource): Value {
    const ev = this.#ev;
    switch (source.kind) {
      case "file":
        ev.forgetFiles();
        return callWithArguments(ev, this.#arguments, this.#importFile(source.file));
      case "file-attribute": {
        const found = findAlongPath(ev, source.attributePath, this.#arguments, this.#importFile(source.file));
        return callWithArguments(ev, this.#arguments, found);
      }
      case "expression":
        return force(
          findAlongPath(
            ev,
            source.attributePath,
            this.#arguments,
            ev.evaluate(source.text, { basePath: this.#basePath }),
          ),
        );
      case "flake": {
        let value = force(this.#world.openFlake(source.reference));
        for (const name of parseAttributePath(source.fragment)) {
          const next = value instanceof Attrs ? value.get(utf8(name)) : undefined;
          if (next === undefined)
            throw new D2nError(
              "installable",
              `flake \`${source.reference}\` does not provide attribute \`${source.fragment}\``,
            );
          value = force(next);
        }
        return value;
      }
    }
  }

  #importFile(file: string): Value {
    const named = /^<(.+)>$/s.exec(file)?.[1];
    const ev = this.#ev;
    const path =
      named === undefined
        ? this.#absolute(file)
        : (ev.call(ev.builtins.get("findFile")!, ev.builtins.get("nixPath")!, named) as NixPath).path;
    return ev.importFile(path);
  }

  #absolute(path: string): string {
    if (path.startsWith("/")) return path;
    if (path === "~" || path.startsWith("~/")) return `${this.#ev.host.environment("HOME")}${path.slice(1)}`;
    return `${this.#basePath}/${path}`;
  }

  #derivation(value: Value): ReplResult {
    if (!isDerivation(value)) throw new EvalError("expression does not evaluate to a derivation, so I can't build it");
    const drvPath = value.get("drvPath");
    if (drvPath === undefined)
      throw new EvalError("expression did not evaluate to a valid derivation (no 'drvPath' attribute)");
    return { type: "derivation", drvPath: textOf(this.#ev.coerceToString(drvPath, { copyToStore: false })) };
  }

  #document(expression: string): ReplResult {
    const options = { basePath: this.#basePath, scope: this.#names };
    let selected: ReturnType<Evaluator["evaluateSelected"]>;
    try {
      selected = this.#ev.evaluateSelected(expression, options);
    } catch (error) {
      if (endsTooEarly(error)) return { type: "incomplete" };
      throw error;
    }
    if (selected !== undefined)
      forceAttrs(selected.from, "while evaluating an attribute set to look for documentation");
    const description = describeValue(this.#ev, this.#evaluate(expression), selected);
    if (description === undefined) throw new EvalError("value does not have documentation");
    return text(description);
  }
}

function mergeable(value: Value): Attrs {
  try {
    return forceAttrs(value);
  } catch (error) {
    const { source, offset } = value instanceof Lambda ? value.info : {};
    const place = source instanceof Source && offset !== undefined ? source.location(offset) : undefined;
    throw addTrace(error, "while evaluating an attribute set to be merged in the global scope", place);
  }
}

function text(shown: string): ReplResult {
  return { type: "text", text: shown };
}

function endsTooEarly(error: unknown): boolean {
  return error instanceof ParseError && error.message.includes("unexpected end of file");
}

/** Where a path, a function or a package is to be edited. */
function placeOf(value: Value, expression: string): ReplResult {
  if (value instanceof NixPath) return { type: "place", file: value.path, line: 0 };
  if (typeof value === "string" || value instanceof ContextString)
    return { type: "place", file: textOf(value), line: 0 };
  if (value instanceof Lambda) {
    const { source, offset } = value.info;
    if (source instanceof Source && offset !== undefined) {
      const { file, line, column } = source.position(offset);
      if (source.isFile) return { type: "place", file, line };
      throw new EvalError(`'${file}:${line}:${column}' cannot be shown in an editor`);
    }
  }
  try {
    const meta = value instanceof Attrs ? value.get("meta") : undefined;
    const position = meta === undefined ? undefined : forceAttrs(meta).get("position");
    const where = position === undefined ? undefined : force(position);
    const found = where !== undefined && isString(where) ? /^(.*):(\d+)$/s.exec(textOf(where)) : null;
    if (found !== null) return { type: "place", file: found[1]!, line: Number(found[2]) };
  } catch (error) {
    throw addTrace(error, `while looking for the place of '${expression}'`);
  }
  throw new EvalError(`package '${fromUtf8(expression)}' has no source location information`);
}
