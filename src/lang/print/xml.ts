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
    writer.element("expr", {}, () => writer.value(value));
  } catch (error) {
    callDepth.current = depth;
    throw asEvalError(error);
  }
  return makeString(writer.parts.join(""), writer.context);
}

type XmlAttributes = Readonly<Record<string, string | undefined>>;

class XmlWriter {
  readonly parts: string[] = ["<?xml version='1.0' encoding='utf-8'?>\n"];
  context: Context | undefined;
  readonly #options: XmlOptions;
  readonly #seen = new Set<string>();
  #depth = 0;

  constructor(options: XmlOptions) {
    this.#options = options;
  }

  element(name: string, attributes: XmlAttributes, content: () => void): void {
    this.#line(`<${name}${showAttributes(attributes)}>`);
    this.#depth++;
    content();
    this.#depth--;
    this.#line(`</${name}>`);
  }

  #empty(name: string, attributes: XmlAttributes = {}): void {
    this.#line(`<${name}${showAttributes(attributes)} />`);
  }

  #line(text: string): void {
    this.parts.push("  ".repeat(this.#depth), text, "\n");
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
    else if (typeof value === "boolean") this.#empty("bool", { value: String(value) });
    else if (typeof value === "number" || typeof value === "bigint") this.#empty("int", { value: String(value) });
    else if (typeof value === "string") this.#empty("string", { value });
    else if (value instanceof ContextString) {
      this.context = joinContexts(this.context, contextOf(value));
      this.#empty("string", { value: value.text });
    } else if (value instanceof NixPath) this.#empty("path", { value: value.path });
    else if (value instanceof NixFloat) this.#empty("float", { value: formatGeneral(value.value) });
    else if (value instanceof Lambda) this.#function(value);
    else if (value instanceof PrimOp) this.#empty("unevaluated");
    else if (!(value instanceof Attrs))
      this.element("list", {}, () => {
        for (const element of value) this.value(element);
      });
    else if (isDerivation(value)) this.#derivation(value);
    else this.element("attrs", {}, () => this.#attrs(value));
  }

  #attrs(attrs: Attrs): void {
    const { ids } = attrs.keys;
    for (const slot of attrs.keys.byName()) {
      const where = this.#location(() => positionOf(attrs.positionAt(slot)));
      this.element("attr", { name: symbolName(ids[slot]!), ...where }, () => this.value(attrs.values[slot]!));
    }
  }

  /** The attributes of a derivation are written where it is met first. */
  #derivation(attrs: Attrs): void {
    const drvPath = this.#text(attrs.get("drvPath"));
    this.element("derivation", { drvPath, outPath: this.#text(attrs.get("outPath")) }, () => {
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
    this.element(
      "function",
      this.#location(() => placeOfFunction(info)),
      () => {
        const { formals } = info;
        if (formals === undefined) {
          this.#empty("varpat", { name: info.argument ?? "" });
          return;
        }
        this.element("attrspat", { name: info.argument, ellipsis: formals.ellipsis ? "1" : undefined }, () => {
          for (const name of [...formals.names.keys()].sort()) this.#empty("attr", { name });
        });
      },
    );
  }

  #location(find: () => Position | undefined): XmlAttributes {
    const position = this.#options.locations === true ? find() : undefined;
    if (position === undefined) return {};
    // Only files have a path; what came from the command line has a line and column in it.
    const path = position.file.startsWith("/") ? position.file : undefined;
    return { path, line: String(position.line), column: String(position.column) };
  }
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

/** In the order of the names, as Nix writes them. */
function showAttributes(attributes: XmlAttributes): string {
  let text = "";
  for (const name of Object.keys(attributes).sort()) {
    const value = attributes[name];
    if (value !== undefined) text += ` ${name}="${value.replace(/["<>&\n]/g, (found) => escapes[found]!)}"`;
  }
  return text;
}
