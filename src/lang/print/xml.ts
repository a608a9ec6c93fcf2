/** Values as XML: `builtins.toXML`, `nix-instantiate --eval --xml`. */
import { callDepth, enterCall, leaveCall } from "../call-depth.ts";
import { asEvalError } from "../errors.ts";
import {
  contextOf,
  formatGeneral,
  isDerivation,
  isString,
  joinContexts,
  makeString,
  textOf,
} from "../operations/index.ts";
import { Source } from "../syntax/source.ts";
import { Attrs, positionOf, symbolName } from "../values/attrs.ts";
import { force, type Lazy, Thunk } from "../values/thunk.ts";
import {
  type Context,
  ContextString,
  Lambda,
  NixFloat,
  NixPath,
  type NixString,
  type Position,
  PrimOp,
  type Value,
} from "../values/value.ts";
import { Escaper } from "./escaper.ts";
import { TextBuilder } from "./text-builder.ts";

export interface XmlOptions {
  /** Evaluate everything; otherwise what has not been evaluated shows as `<unevaluated />`. */
  readonly strict: boolean;
  /** Tell where attributes and functions are defined. */
  readonly locations?: boolean;
}

export function toXml(value: Lazy, options: XmlOptions): NixString {
  const writer = new XmlWriter(options);
  const depth = callDepth.current;
  try {
    writer.element("expr", NONE, () => writer.value(value));
  } catch (error) {
    callDepth.current = depth;
    throw asEvalError(error);
  }
  return makeString(writer.parts.text(), writer.context);
}

/** In the order of their names, as Nix writes them; those without a value are left out. */
type XmlAttributes = readonly (readonly [name: string, value: string | undefined])[];

const NONE: XmlAttributes = [];

/** By depth. */
const indents: string[] = [];

class XmlWriter {
  readonly parts = new TextBuilder();
  context: Context | undefined;
  readonly #options: XmlOptions;
  readonly #seen = new Set<string>();
  #depth = 0;

  constructor(options: XmlOptions) {
    this.#options = options;
    this.parts.push("<?xml version='1.0' encoding='utf-8'?>\n");
  }

  element(name: string, attributes: XmlAttributes, content: () => void): void {
    this.#open(name, attributes);
    this.parts.push(">\n");
    this.#depth++;
    content();
    this.#depth--;
    this.parts.push(this.#indent(), "</", name, ">\n");
  }

  #empty(name: string, attributes: XmlAttributes = NONE): void {
    this.#open(name, attributes);
    this.parts.push(" />\n");
  }

  /** What has a value and nothing else: most of what there is. */
  #simple(name: string, value: string): void {
    this.parts.push(this.#indent(), "<", name, ' value="', escape(value), '" />\n');
  }

  #open(name: string, attributes: XmlAttributes): void {
    this.parts.push(this.#indent(), "<", name);
    for (const [attribute, value] of attributes)
      if (value !== undefined) this.parts.push(" ", attribute, '="', escape(value), '"');
  }

  #indent(): string {
    return (indents[this.#depth] ??= "  ".repeat(this.#depth));
  }

  value(lazy: Lazy): void {
    if (!this.#options.strict && lazy instanceof Thunk && lazy.code !== null) {
      this.#empty("unevaluated");
      return;
    }
    enterCall();
    this.#value(force(lazy));
    leaveCall();
  }

  #value(value: Value): void {
    if (value === null) this.#empty("null");
    else if (typeof value === "boolean") this.#simple("bool", String(value));
    else if (typeof value === "number" || typeof value === "bigint") this.#simple("int", String(value));
    else if (typeof value === "string") this.#simple("string", value);
    else if (value instanceof ContextString) {
      this.context = joinContexts(this.context, contextOf(value));
      this.#simple("string", value.text);
    } else if (value instanceof NixPath) this.#simple("path", value.path);
    else if (value instanceof NixFloat) this.#simple("float", formatGeneral(value.value));
    else if (value instanceof Lambda) this.#function(value);
    else if (value instanceof PrimOp) this.#empty("unevaluated");
    else if (!(value instanceof Attrs))
      this.element("list", NONE, () => {
        for (const element of value) this.value(element);
      });
    else if (isDerivation(value)) this.#derivation(value);
    else this.element("attrs", NONE, () => this.#attrs(value));
  }

  #attrs(attrs: Attrs): void {
    const { ids } = attrs.keys;
    for (const slot of attrs.keys.byName()) {
      const where = this.#located ? positionOf(attrs.positionAt(slot)) : undefined;
      this.element("attr", placed(where, symbolName(ids[slot]!)), () => this.value(attrs.values[slot]!));
    }
  }

  /** The attributes of a derivation are written where it is met first. */
  #derivation(attrs: Attrs): void {
    const drvPath = this.#text(attrs.get("drvPath"));
    const attributes: XmlAttributes = [
      ["drvPath", drvPath],
      ["outPath", this.#text(attrs.get("outPath"))],
    ];
    this.element("derivation", attributes, () => {
      if (drvPath === undefined || drvPath === "" || this.#seen.has(drvPath)) this.#empty("repeated");
      else {
        this.#seen.add(drvPath);
        this.#attrs(attrs);
      }
    });
  }

  #text(lazy: Lazy | undefined): string | undefined {
    if (lazy === undefined) return undefined;
    if (!this.#options.strict && lazy instanceof Thunk && lazy.code !== null) return undefined;
    const value = force(lazy);
    return isString(value) ? textOf(value) : undefined;
  }

  #function({ info }: Lambda): void {
    this.element("function", placed(this.#located ? placeOfFunction(info) : undefined), () => {
      const { formals } = info;
      if (formals === undefined) {
        this.#empty("varpat", [["name", info.argument ?? ""]]);
        return;
      }
      const attributes: XmlAttributes = [
        ["ellipsis", formals.ellipsis ? "1" : undefined],
        ["name", info.argument],
      ];
      this.element("attrspat", attributes, () => {
        for (const name of [...formals.names.keys()].sort()) this.#empty("attr", [["name", name]]);
      });
    });
  }

  get #located(): boolean {
    return this.#options.locations === true;
  }
}

/** What says where something is defined, and its name if it has one. */
function placed(position: Position | undefined, name?: string): XmlAttributes {
  if (position === undefined) return name === undefined ? NONE : [["name", name]];
  // Only files have a path; what came from the command line has a line and column in it.
  const path = position.file.startsWith("/") ? position.file : undefined;
  return [
    ["column", String(position.column)],
    ["line", String(position.line)],
    ["name", name],
    ["path", path],
  ];
}

/** Of functions that stand in no file, too. */
function placeOfFunction({ source, offset, position }: Lambda["info"]): Position | undefined {
  return source instanceof Source && offset !== undefined ? source.position(offset) : position();
}

const escapes: Readonly<Record<string, string>> = {
  '"': "&quot;",
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  "\n": "&#xA;",
};

const escaper = new Escaper(/["<>&\n]/g, (found) => escapes[found]!);

function escape(value: string): string {
  return escaper.escape(value);
}
