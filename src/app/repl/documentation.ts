/** What `:doc` says of a value (libexpr/eval.cc, `getDoc`). */
import {
  addTrace,
  Attrs,
  builtinDocumentation,
  type Evaluator,
  force,
  functionComment,
  docComments,
  Lambda,
  type Position,
  positionOf,
  PrimOp,
  Source,
  SourcePosition,
  symbol,
  utf8,
  type Value,
} from "../../lang/index.ts";

/** Where a value was selected from, if it was. */
export interface Selected {
  readonly from: Value;
  readonly name: string;
}

/** A byte string, or undefined where there is nothing to say. */
export function describeValue(ev: Evaluator, value: Value, selected: Selected | undefined): string | undefined {
  return describeFunction(ev, value) ?? (selected === undefined ? undefined : describeAttribute(selected));
}

function describeFunction(ev: Evaluator, value: Value): string | undefined {
  if (value instanceof PrimOp && value.args.length === 0) {
    const known = builtinDocumentation(value.name);
    if (known === undefined) return undefined;
    return `Synopsis: builtins.${value.name}${known.args.map((arg) => ` ${arg}`).join("")}\n\n${known.text}`;
  }
  if (value instanceof Lambda) return describeLambda(value);
  if (value instanceof Attrs && value.has("__functor")) {
    try {
      return describeFunction(ev, ev.call(value.get("__functor")!, value));
    } catch (error) {
      throw addTrace(error, "while partially calling '__functor' to retrieve documentation");
    }
  }
  return undefined;
}

function describeLambda({ info }: Lambda): string {
  const { name, source, offset } = info;
  const place = source instanceof Source && offset !== undefined ? source.position(offset) : undefined;
  const comment = source instanceof Source && offset !== undefined ? functionComment(source, offset) : undefined;
  const head = name === undefined ? "Function" : `Function ${name}`;
  const where = place === undefined ? "" : `${name === undefined ? " " : "\n\xe2\x80\xa6 "}defined at ${shown(place)}`;
  return `${head}${where}${comment === undefined ? "" : `\n\n${comment}`}`;
}

/** The comment of a definition whose value says nothing about itself. */
function describeAttribute({ from, name }: Selected): string | undefined {
  const attrs = force(from);
  if (!(attrs instanceof Attrs)) return undefined;
  const slot = attrs.keys.find(symbol(name));
  const position = slot < 0 ? undefined : positionOf(attrs.positionAt(slot));
  if (position === undefined) return undefined;
  const comment = position instanceof SourcePosition ? docComments(position.source).get(position.offset) : undefined;
  return `Attribute ${name}\n\n\xe2\x80\xa6 defined at ${shown(position)}\n\n${comment ?? "No documentation found."}`;
}

function shown({ file, line, column }: Position): string {
  // Names of what is no file are text, not bytes.
  return `${file.startsWith("«") ? utf8(file) : file}:${line}:${column}`;
}
