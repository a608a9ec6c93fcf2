/** Writes a resolved syntax tree down: see `tree-format.ts`. */
import { type Symbol, symbolName } from "../values/attrs.ts";
import type { AttrsNode, Expression, FormalsNode, LambdaNode, VariableNode } from "./ast.ts";
import { BINDING, FLAG, LAMBDA, NODE, OPERATORS } from "./tree-format.ts";

/** Smaller parts are read with what they stand in: that is as fast as remembering where they are. */
const SMALLEST_PART = 8;

/** What an environment at run time is to whoever reads the tree. */
interface Scope {
  readonly up: Scope | undefined;
  /** Of a `rec`: its names in the order of the source. */
  readonly names: ReadonlyMap<Symbol, number> | undefined;
}

/** Bytes that grow. */
class Bytes {
  buffer = new Uint8Array(256);
  length = 0;

  byte(value: number): void {
    if (this.length === this.buffer.length) this.#grow(1);
    this.buffer[this.length++] = value;
  }

  unsigned(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.byte((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  append(other: Bytes): void {
    if (this.length + other.length > this.buffer.length) this.#grow(other.length);
    this.buffer.set(other.buffer.subarray(0, other.length), this.length);
    this.length += other.length;
  }

  #grow(by: number): void {
    const bigger = new Uint8Array(Math.max(this.length + by, this.buffer.length * 2));
    bigger.set(this.buffer);
    this.buffer = bigger;
  }
}

/** The tree of a text, resolved, as bytes; undefined if it cannot be written. */
export function writeTree(tree: Expression, text: string): Uint8Array | undefined {
  try {
    return new TreeWriter(text).write(tree);
  } catch (error) {
    // Nested too deeply for this stack.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

class TreeWriter {
  readonly #text: string;
  /** Parts that are complete. */
  readonly #done = new Bytes();
  #out = new Bytes();
  readonly #spare: Bytes[] = [];
  /** The last offset. */
  #last = 0;
  readonly #symbols = new Map<Symbol, number>();
  /** Places of the names in the source. */
  readonly #names = new Bytes();
  /** What the source does not have. */
  #extra = "";

  constructor(text: string) {
    this.#text = text;
  }

  write(tree: Expression): Uint8Array {
    this.#node(tree, undefined);
    const root = this.#done.length;
    this.#done.append(this.#out);
    const head = new Bytes();
    for (const number of [root, this.#done.length, this.#symbols.size, this.#names.length]) head.unsigned(number);
    return Buffer.concat([
      head.buffer.subarray(0, head.length),
      this.#names.buffer.subarray(0, this.#names.length),
      this.#done.buffer.subarray(0, this.#done.length),
      Buffer.from(this.#extra, "latin1"),
    ]);
  }

  #offset(offset: number): void {
    const difference = offset - this.#last;
    this.#out.unsigned(difference < 0 ? -2 * difference - 1 : 2 * difference);
    this.#last = offset;
  }

  #head(kind: number, offset: number): void {
    this.#out.byte(kind);
    this.#offset(offset);
  }

  /** A text: where in the source, if it stands at `offset`, or where in the extra text. Returns what tells the two apart. */
  #inSource(text: string, offset: number): boolean {
    return offset >= 0 && this.#text.startsWith(text, offset);
  }

  #place(text: string, inSource: boolean): void {
    if (!inSource) {
      this.#out.unsigned(this.#extra.length);
      this.#extra += text;
    }
    this.#out.unsigned(text.length);
  }

  #symbol(id: Symbol, near: number): void {
    let number = this.#symbols.get(id);
    if (number === undefined) {
      number = this.#symbols.size;
      this.#symbols.set(id, number);
      const name = symbolName(id);
      const quoted = this.#text.charCodeAt(near) === 0x22 ? near + 1 : near;
      let start = this.#inSource(name, quoted) ? quoted : -1;
      if (start < 0) {
        start = this.#text.length + this.#extra.length;
        this.#extra += name;
      }
      this.#names.unsigned(start);
      this.#names.unsigned(name.length);
    }
    this.#out.unsigned(number);
  }

  /** A part that may be read later. */
  #part(node: Expression, scope: Scope | undefined): void {
    const before = this.#last;
    const around = this.#out;
    const own = this.#spare.pop() ?? new Bytes();
    this.#out = own;
    this.#node(node, scope);
    this.#out = around;
    if (own.length < SMALLEST_PART) around.append(own);
    else {
      const place = this.#done.length;
      this.#done.append(own);
      this.#last = before;
      around.byte(NODE.deferred);
      this.#offset(node.offset);
      around.unsigned(place);
      this.#last = before;
    }
    own.length = 0;
    this.#spare.push(own);
  }

  /** What is bound to a name, or passed: a part of its own if a thunk is made of it in any case. */
  #value(node: Expression, scope: Scope | undefined): void {
    if (becomesThunk(node)) this.#part(node, scope);
    else this.#node(node, scope);
  }

  #node(node: Expression, scope: Scope | undefined): void {
    switch (node.kind) {
      case "integer":
        return this.#integer(node.value, node.offset);
      case "float": {
        this.#head(NODE.float, node.offset);
        for (const byte of new Uint8Array(Float64Array.of(node.value).buffer)) this.#out.byte(byte);
        return;
      }
      case "string": {
        const inSource = this.#inSource(node.value, node.offset);
        this.#head(inSource ? NODE.string : NODE.string | FLAG, node.offset);
        return this.#place(node.value, inSource);
      }
      case "interpolation":
        this.#head(node.path ? NODE.interpolation | FLAG : NODE.interpolation, node.offset);
        this.#out.unsigned(node.parts.length);
        node.parts.forEach((part, i) => {
          this.#offset(node.starts[i]!);
          this.#node(part, scope);
        });
        return;
      case "path": {
        const inSource = this.#inSource(node.text, node.offset);
        this.#head(NODE.path | (inSource ? 0 : FLAG) | (node.home ? 2 * FLAG : 0), node.offset);
        return this.#place(node.text, inSource);
      }
      case "variable":
        return this.#variable(node, scope);
      case "list":
        this.#head(NODE.list, node.offset);
        this.#out.unsigned(node.elements.length);
        for (const element of node.elements) this.#value(element, scope);
        return;
      case "attrs":
        this.#attrs(NODE.attrs, node, scope, node.recursive ? recursive(node, scope) : scope);
        return;
      case "let": {
        this.#head(NODE.let, node.offset);
        const inner: Scope = { up: scope, names: undefined };
        this.#attrs(NODE.attrs, node.bindings, scope, inner);
        return this.#part(node.body, inner);
      }
      case "lambda":
        return this.#lambda(node, scope);
      case "call":
        this.#head(NODE.call, node.offset);
        this.#out.unsigned(node.args.length);
        this.#node(node.fn, scope);
        for (const argument of node.args) this.#value(argument, scope);
        return;
      case "select":
        this.#head(node.fallback === undefined ? NODE.select : NODE.select | FLAG, node.offset);
        this.#node(node.of, scope);
        this.#path(node.path, scope);
        if (node.fallback !== undefined) this.#node(node.fallback, scope);
        return;
      case "has":
        this.#head(NODE.has, node.offset);
        this.#node(node.of, scope);
        return this.#path(node.path, scope);
      case "with":
        this.#head(NODE.with, node.offset);
        this.#node(node.scope, scope);
        return this.#node(node.body, { up: scope, names: undefined });
      case "if":
        this.#head(NODE.if, node.offset);
        this.#node(node.condition, scope);
        this.#part(node.yes, scope);
        return this.#part(node.no, scope);
      case "assert":
        this.#head(NODE.assert, node.offset);
        this.#node(node.condition, scope);
        return this.#node(node.body, scope);
      case "not":
        this.#head(NODE.not, node.offset);
        return this.#node(node.operand, scope);
      case "negate":
        this.#head(node.overridden === undefined ? NODE.negate : NODE.negate | FLAG, node.offset);
        this.#node(node.operand, scope);
        if (node.overridden !== undefined) this.#variable(node.overridden, scope);
        return;
      case "binary":
        this.#out.byte(node.overridden === undefined ? NODE.binary : NODE.binary | FLAG);
        this.#out.byte(OPERATORS.indexOf(node.operator));
        this.#offset(node.leftStart);
        this.#node(node.left, scope);
        this.#offset(node.offset);
        this.#offset(node.rightStart);
        this.#node(node.right, scope);
        if (node.overridden !== undefined) this.#variable(node.overridden, scope);
        return;
      case "position":
        return this.#head(NODE.position, node.offset);
      case "deferred":
        throw new Error("internal error: a tree is written before any part of it is read");
    }
  }

  #integer(value: number | bigint, offset: number): void {
    if (typeof value === "number") {
      this.#head(NODE.integer, offset);
      this.#out.unsigned(value);
      return;
    }
    this.#head(NODE.bigInteger, offset);
    this.#place(String(value), false);
  }

  #variable(node: VariableNode, scope: Scope | undefined): void {
    if (node.level < 0) {
      this.#head(NODE.free, node.offset);
      this.#symbol(node.name, node.offset);
      this.#out.unsigned(node.withs.length);
      for (const { level } of node.withs) this.#out.unsigned(level);
      return;
    }
    let at = scope;
    for (let i = node.level; i > 0; i--) at = at?.up;
    const slot = at?.names?.get(node.name);
    const kind =
      slot !== undefined
        ? NODE.variableRec
        : node.shape === 1
          ? NODE.variable1
          : node.shape === 4
            ? NODE.variable4
            : NODE.variableN;
    // Most are near: level and slot in three bits, where they fit.
    this.#head(kind | (Math.min(node.level, 7) << 5), node.offset);
    if (node.level >= 7) this.#out.unsigned(node.level);
    this.#symbol(node.name, node.offset);
    if (kind !== NODE.variable1) this.#out.unsigned(slot ?? node.slot);
  }

  #path(path: readonly (Symbol | Expression)[], scope: Scope | undefined): void {
    this.#out.unsigned(path.length);
    for (const name of path) {
      if (typeof name === "number") {
        this.#out.byte(1);
        this.#symbol(name, -1);
      } else {
        this.#out.byte(0);
        this.#node(name, scope);
      }
    }
  }

  #attrs(kind: number, node: AttrsNode, outer: Scope | undefined, inner: Scope | undefined): void {
    const plain = node.dynamics.length === 0 && node.sources.length === 0;
    this.#head(kind | (node.recursive ? FLAG : 0) | (plain ? 2 * FLAG : 0), node.offset);
    this.#out.unsigned(node.statics.size);
    if (!plain) {
      this.#out.unsigned(node.sources.length);
      this.#out.unsigned(node.dynamics.length);
    }
    // Whoever reads needs them all before the first value.
    if (node.recursive) for (const [id, { offset }] of node.statics) this.#symbol(id, offset);
    for (const source of node.sources) this.#value(source, inner);
    for (const [id, { offset, value, inherited, source }] of node.statics) {
      this.#out.byte((inherited ? BINDING.inherited : 0) | (value === undefined ? 0 : BINDING.value));
      this.#offset(offset);
      if (!node.recursive) this.#symbol(id, offset);
      if (value === undefined) this.#out.unsigned(source);
      else this.#value(value, inherited ? outer : inner);
    }
    for (const { offset, name, value } of node.dynamics) {
      this.#offset(offset);
      this.#node(name, inner);
      this.#value(value, inner);
    }
  }

  #lambda(node: LambdaNode, up: Scope | undefined): void {
    const { argument, formals, name } = node;
    this.#head(NODE.lambda, node.offset);
    this.#out.byte(
      (argument === undefined ? 0 : LAMBDA.argument) |
        (formals === undefined ? 0 : LAMBDA.formals) |
        (formals?.ellipsis === true ? LAMBDA.ellipsis : 0) |
        (name === undefined ? 0 : LAMBDA.name),
    );
    if (argument !== undefined) this.#symbol(argument, node.offset);
    if (name !== undefined) this.#symbol(name, -1);
    const inner: Scope = { up, names: undefined };
    if (formals !== undefined) this.#formals(formals, inner);
    // A function that returns a function takes both arguments at once: whoever compiles it looks.
    if (node.body.kind === "lambda") this.#node(node.body, inner);
    else this.#part(node.body, inner);
  }

  #formals({ formals }: FormalsNode, inner: Scope): void {
    this.#out.unsigned(formals.length);
    for (const { offset, name, fallback } of formals) {
      this.#out.byte(fallback === undefined ? 0 : 1);
      this.#offset(offset);
      this.#symbol(name, offset);
      if (fallback !== undefined) this.#value(fallback, inner);
    }
  }
}

function recursive(node: AttrsNode, up: Scope | undefined): Scope {
  const names = new Map<Symbol, number>();
  for (const id of node.statics.keys()) names.set(id, names.size);
  return { up, names };
}

/** Whether the compiler makes a thunk of it whatever its parts are. */
function becomesThunk(value: Expression): boolean {
  switch (value.kind) {
    case "call":
    case "with":
    case "let":
    case "if":
    case "assert":
      return true;
    case "attrs":
      return value.statics.size > 0 || value.dynamics.length > 0;
    case "list":
      return value.elements.length > 0;
    default:
      return false;
  }
}
