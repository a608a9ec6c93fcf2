/** Values as text for people: in messages, by `nix eval` and the REPL. */
import { D2nError } from "../../base/index.ts";
import { callDepth } from "../call-depth.ts";
import { asEvalError, EvalError, StackOverflowError } from "../errors.ts";
import { formatGeneral } from "../operations/floats.ts";
import { addTrace } from "../operations/trace.ts";
import { isDerivation, showType } from "../operations/types.ts";
import { Source } from "../syntax/source.ts";
import { Attrs } from "../values/attrs.ts";
import { blackhole, force, type Lazy, Thunk } from "../values/thunk.ts";
import { ContextString, Lambda, NixFloat, type NixList, NixPath, PrimOp, type Value } from "../values/value.ts";
import { attributeName, escapeString, marked, stringLiteral } from "./literals.ts";

export interface PrintOptions {
  /** Evaluate what is printed; otherwise what has not been evaluated shows as `«thunk»`. */
  readonly force?: boolean;
  /** Show derivations as `«derivation /nix/store/….drv»`; only when forcing. */
  readonly derivationPaths?: boolean;
  /** Show sets and lists that appeared before as `«repeated»`. Default true. */
  readonly trackRepeated?: boolean;
  readonly maxDepth?: number;
  readonly maxAttrs?: number;
  readonly maxListItems?: number;
  /** In bytes. */
  readonly maxStringLength?: number;
  /** Spaces per level; 0 prints on one line. */
  readonly prettyIndent?: number;
  /** What an error in a part does: shown in its place, thrown, or thrown only if it is the whole value. */
  readonly errors?: "print" | "throw" | "throw-top-level";
  /** Escape sequences around what is no punctuation, in Nix's colours. */
  readonly colors?: boolean;
  /** Told what there is before an error that is thrown. */
  readonly begun?: (text: string) => void;
  /** Depth at which a lazily infinite value is given up as "stack overflow". */
  readonly maxCallDepth?: number;
}

/** How values are shown in error messages: not evaluated any further, and not much of them. */
const forErrors: PrintOptions = { maxDepth: 10, maxAttrs: 10, maxListItems: 10, maxStringLength: 1024 };

export function showForError(value: Lazy): string {
  return printValue(value, forErrors);
}

/** Prints a value as `nix eval` does, given `{ force: true, derivationPaths: true }`. */
export function printValue(value: Lazy, options: PrintOptions = {}): string {
  return new Printer(options).print(value);
}

/** Of Nix: how a terminal is told. */
const colors = { cyan: "36;1", magenta: "35;1", green: "32;1", blue: "34;1", red: "31;1" } as const;
type Color = keyof typeof colors;

class Printer {
  readonly #options: PrintOptions;
  readonly #seen: Set<object> | undefined;
  readonly #out: string[] = [];
  readonly #step: string;
  #indent = "";
  #attrsPrinted = 0;
  #itemsPrinted = 0;

  constructor(options: PrintOptions) {
    this.#options = options;
    this.#seen = options.trackRepeated === false ? undefined : new Set();
    this.#step = " ".repeat(options.prettyIndent ?? 0);
  }

  print(value: Lazy): string {
    try {
      this.#print(value, 0);
    } catch (error) {
      this.#options.begun?.(this.#out.join(""));
      throw error;
    }
    return this.#out.join("");
  }

  #say(color: Color, text: string): void {
    this.#out.push(this.#options.colors === true ? `\x1b[${colors[color]}m${text}\x1b[0m` : text);
  }

  #print(lazy: Lazy, depth: number): void {
    if (depth > (this.#options.maxCallDepth ?? 10_000)) throw new StackOverflowError();
    const calls = callDepth.current;
    try {
      if (!this.#options.force && lazy instanceof Thunk && lazy.code !== null) {
        if (lazy.code === blackhole) this.#say("red", marked("potential infinite recursion"));
        else this.#say("magenta", marked("thunk"));
      } else if (!this.#options.force && depth > 0 && lazy instanceof Lambda) {
        // In Nix a function that nobody has called yet is no value either.
        this.#say("magenta", marked("thunk"));
      } else this.#printForced(force(lazy), depth, lazy);
    } catch (thrown) {
      const error = asEvalError(thrown);
      callDepth.current = calls;
      const behaviour = this.#options.errors ?? "print";
      const shown = error instanceof D2nError && !(error instanceof StackOverflowError);
      if (!shown || behaviour === "throw" || (behaviour === "throw-top-level" && depth === 0)) throw error;
      this.#say("red", marked(`error: ${Buffer.from(error.message).toString("latin1")}`));
    }
  }

  #printForced(value: Value, depth: number, cell: Lazy): void {
    if (typeof value === "string") this.#string(value);
    else if (value instanceof ContextString) this.#string(value.text);
    else if (value instanceof NixPath) this.#say("green", value.path);
    else if (value instanceof NixFloat) this.#say("cyan", formatGeneral(value.value));
    else if (value instanceof Attrs) this.#printAttrs(value, depth);
    else if (Array.isArray(value)) this.#printList(value as NixList, depth, cell instanceof Thunk ? cell : value);
    else if (value instanceof Lambda || value instanceof PrimOp) this.#say("blue", showFunction(value));
    else this.#say("cyan", String(value as number | bigint | boolean | null));
  }

  #string(text: string): void {
    const limit = this.#options.maxStringLength ?? Number.POSITIVE_INFINITY;
    if (text.length <= limit) return this.#say("magenta", stringLiteral(text));
    // A `$` that the limit separates from its `{` is still escaped, as Nix looks at the next byte.
    const cut = text.slice(0, limit);
    const shown = escapeString(cut);
    const dollar = cut.endsWith("$") && text[limit] === "{" ? `${shown.slice(0, -1)}\\$` : shown;
    this.#out.push(`"${dollar}" ${marked(`${count(text.length - limit, "byte")} elided`)}`);
  }

  #printAttrs(attrs: Attrs, depth: number): void {
    if (this.#seen !== undefined) {
      // All empty sets are one to Nix.
      const identity = attrs.size === 0 ? Attrs.empty : attrs;
      if (this.#seen.has(identity)) {
        this.#say("magenta", marked("repeated"));
        return;
      }
      this.#seen.add(identity);
    }
    if (this.#options.force && this.#options.derivationPaths && isDerivation(attrs)) {
      this.#say("green", showDerivation(attrs));
      return;
    }
    if (depth >= (this.#options.maxDepth ?? Number.POSITIVE_INFINITY)) {
      this.#out.push("{ ... }");
      return;
    }
    const maxAttrs = this.#options.maxAttrs ?? Number.POSITIVE_INFINITY;
    const entries = [...attrs.entries()];
    if (maxAttrs !== Number.POSITIVE_INFINITY) {
      const important = (name: string): boolean => name === "type" || name === "_type";
      entries.sort(([a], [b]) => Number(important(b)) - Number(important(a)) || (a < b ? -1 : 1));
    }
    const before = this.#indent;
    this.#indent += this.#step;
    this.#out.push("{");
    const pretty = this.#isPretty(entries.map((entry) => entry[1]));
    let printed = 0;
    for (const [name, value] of entries) {
      this.#space(pretty);
      if (this.#attrsPrinted >= maxAttrs) {
        this.#out.push(marked(`${count(entries.length - printed, "attribute")} elided`));
        break;
      }
      this.#out.push(`${attributeName(name)} = `);
      this.#print(value, depth + 1);
      this.#out.push(";");
      this.#attrsPrinted++;
      printed++;
    }
    this.#indent = before;
    this.#space(pretty);
    this.#out.push("}");
  }

  /** `cell`: what holds the list. Unlike sets, lists are told apart by that, as in Nix. */
  #printList(list: NixList, depth: number, cell: object): void {
    if (this.#seen !== undefined && list.length > 0) {
      if (this.#seen.has(cell)) {
        this.#say("magenta", marked("repeated"));
        return;
      }
      this.#seen.add(cell);
    }
    if (depth >= (this.#options.maxDepth ?? Number.POSITIVE_INFINITY)) {
      this.#out.push("[ ... ]");
      return;
    }
    const maxItems = this.#options.maxListItems ?? Number.POSITIVE_INFINITY;
    const before = this.#indent;
    this.#indent += this.#step;
    this.#out.push("[");
    const pretty = this.#isPretty(list);
    for (let i = 0; i < list.length; i++) {
      this.#space(pretty);
      if (this.#itemsPrinted >= maxItems) {
        this.#out.push(marked(`${count(list.length - i, "item")} elided`));
        break;
      }
      this.#print(list[i]!, depth + 1);
      this.#itemsPrinted++;
    }
    this.#indent = before;
    this.#space(pretty);
    this.#out.push("]");
  }

  /** Several parts, or one that is a set or list itself, are spread over lines. */
  #isPretty(parts: readonly Lazy[]): boolean {
    if (this.#step === "" || parts.length === 0) return false;
    if (parts.length > 1) return true;
    const only = force(parts[0]!);
    return only instanceof Attrs || Array.isArray(only);
  }

  #space(pretty: boolean): void {
    this.#out.push(pretty ? `\n${this.#indent}` : " ");
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function showDerivation(attrs: Attrs): string {
  const drvPath = attrs.get("drvPath");
  if (drvPath === undefined) return marked("derivation");
  const path = force(drvPath);
  if (typeof path === "string") return marked(`derivation ${path}`);
  if (path instanceof ContextString) return marked(`derivation ${path.text}`);
  if (path instanceof NixPath) return marked(`derivation ${path.path}`);
  throw addTrace(
    new EvalError(`cannot coerce ${showType(path)} to a string: ${showForError(path)}`),
    "while evaluating the drvPath of a derivation",
    attrs.place("drvPath"),
  );
}

function showFunction(fn: Lambda | PrimOp): string {
  if (fn instanceof PrimOp) return marked(`${fn.args.length === 0 ? "" : "partially applied "}primop ${fn.name}`);
  const { name, source, offset } = fn.info;
  const place = source instanceof Source && offset !== undefined ? source.position(offset) : undefined;
  const file =
    place === undefined ? marked("none") : place.file.startsWith("«") ? marked(place.file.slice(1, -1)) : place.file;
  const position = place === undefined ? `${file}:0` : `${file}:${place.line}:${place.column}`;
  return marked(`lambda${name === undefined ? "" : ` ${attributeName(name)}`} @ ${position}`);
}
