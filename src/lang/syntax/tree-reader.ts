/** Reads a syntax tree that was written down: see `tree-format.ts`. */
import { type Symbol, symbol } from "../values/attrs.ts";
import {
  type AttributeName,
  type AttrsNode,
  type Binding,
  type DeferredNode,
  type DynamicBinding,
  type Expression,
  type FormalNode,
  type FormalsNode,
  type LambdaNode,
  type PartReader,
  shapeFor,
  type VariableNode,
  type WithLevel,
  type WithNode,
} from "./ast.ts";
import { BINDING, FLAG, KIND_BITS, LAMBDA, NODE, OPERATORS } from "./tree-format.ts";

/** What an environment at run time is to the reader. */
interface Scope {
  readonly up: Scope | undefined;
  /** Of a `rec`: from the order of the source to slots. */
  readonly slots: Int32Array | undefined;
  /** Of a `with`; set once the node has been read. */
  with: WithNode | undefined;
}

/**
 * The root of a tree, whose parts are read when they are asked for. The bytes must be what `writeTree` made of the same text:
 * whoever keeps them checks that.
 */
export function readTree(bytes: Uint8Array, text: string): Expression {
  return new TreeReader(bytes, text).root();
}

class TreeReader implements PartReader {
  readonly #bytes: Uint8Array;
  readonly #text: string;
  readonly #ids: Int32Array;
  /** Start and length of each name. */
  readonly #names: Int32Array;
  readonly #tree: number;
  readonly #extra: number;
  readonly #root: number;
  #at = 0;
  #last = 0;

  constructor(bytes: Uint8Array, text: string) {
    this.#bytes = bytes;
    this.#text = text;
    const root = this.#unsigned();
    const size = this.#unsigned();
    const count = this.#unsigned();
    const names = this.#unsigned();
    this.#ids = new Int32Array(count).fill(-1);
    this.#names = new Int32Array(2 * count);
    this.#tree = this.#at + names;
    for (let i = 0; i < 2 * count; i++) this.#names[i] = this.#unsigned();
    this.#root = this.#tree + root;
    this.#extra = this.#tree + size;
  }

  root(): Expression {
    return this.#readAt(this.#root, 0, undefined);
  }

  /** A part of the tree, with the last offset before it and the scope that it stands in. */
  part({ place, last, scope }: DeferredNode): Expression {
    return this.#readAt(this.#tree + place, last, scope as Scope | undefined);
  }

  #readAt(at: number, last: number, scope: Scope | undefined): Expression {
    this.#at = at;
    this.#last = last;
    return this.#node(scope);
  }

  #unsigned(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++]!;
    if (byte < 128) return byte;
    let value = byte & 127;
    let unit = 128;
    do {
      byte = bytes[this.#at++]!;
      value += (byte & 127) * unit;
      unit *= 128;
    } while (byte > 127);
    return value;
  }

  #offset(): number {
    const number = this.#unsigned();
    this.#last += (number & 1) === 0 ? number / 2 : -(number + 1) / 2;
    return this.#last;
  }

  #extraText(start: number, length: number): string {
    const from = this.#extra + start;
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + from, length).toString("latin1");
  }

  #symbol(): Symbol {
    const number = this.#unsigned();
    const known = this.#ids[number]!;
    if (known >= 0) return known;
    const start = this.#names[2 * number]!;
    const length = this.#names[2 * number + 1]!;
    const { length: size } = this.#text;
    const name = start < size ? this.#text.slice(start, start + length) : this.#extraText(start - size, length);
    return (this.#ids[number] = symbol(name));
  }

  /** A text of the source, or of the extra text. */
  #place(flags: number, offset: number): string {
    if ((flags & FLAG) === 0) return this.#text.slice(offset, offset + this.#unsigned());
    const start = this.#unsigned();
    return this.#extraText(start, this.#unsigned());
  }

  #node(scope: Scope | undefined): Expression {
    const head = this.#bytes[this.#at++]!;
    switch (head & (FLAG - 1)) {
      case NODE.integer:
        return { kind: "integer", offset: this.#offset(), value: this.#unsigned() };
      case NODE.bigInteger:
        return { kind: "integer", offset: this.#offset(), value: BigInt(this.#place(FLAG, 0)) };
      case NODE.float:
        return { kind: "float", offset: this.#offset(), value: this.#float() };
      case NODE.string: {
        const offset = this.#offset();
        return { kind: "string", offset, value: this.#place(head, offset) };
      }
      case NODE.interpolation:
        return this.#interpolation(head, scope);
      case NODE.path: {
        const offset = this.#offset();
        return { kind: "path", offset, text: this.#place(head, offset), home: (head & (2 * FLAG)) !== 0 };
      }
      case NODE.variable1:
        return this.#variable(head, 1, undefined);
      case NODE.variable4:
        return this.#variable(head, 4, undefined);
      case NODE.variableN:
        return this.#variable(head, 0, undefined);
      case NODE.variableRec:
        return this.#variable(head, 0, scope);
      case NODE.free:
        return this.#free(scope);
      case NODE.list: {
        const offset = this.#offset();
        const elements = new Array<Expression>(this.#unsigned());
        for (let i = 0; i < elements.length; i++) elements[i] = this.#node(scope);
        return { kind: "list", offset, elements };
      }
      case NODE.attrs:
        return this.#attrs(head, scope, (head & FLAG) === 0 ? scope : undefined);
      case NODE.let: {
        const offset = this.#offset();
        const inner: Scope = { up: scope, slots: undefined, with: undefined };
        const bindings = this.#attrs(this.#bytes[this.#at++]!, scope, inner, true);
        return { kind: "let", offset, bindings, body: this.#node(inner), shape: shapeFor(bindings.statics.size) };
      }
      case NODE.lambda:
        return this.#lambda(scope);
      case NODE.call: {
        const offset = this.#offset();
        const args = new Array<Expression>(this.#unsigned());
        const fn = this.#node(scope);
        for (let i = 0; i < args.length; i++) args[i] = this.#node(scope);
        return { kind: "call", offset, fn, args };
      }
      case NODE.select: {
        const offset = this.#offset();
        const of = this.#node(scope);
        const path = this.#path(scope);
        return { kind: "select", offset, of, path, fallback: (head & FLAG) === 0 ? undefined : this.#node(scope) };
      }
      case NODE.has: {
        const offset = this.#offset();
        return { kind: "has", offset, of: this.#node(scope), path: this.#path(scope) };
      }
      case NODE.with: {
        const offset = this.#offset();
        const inner: Scope = { up: scope, slots: undefined, with: undefined };
        // Its variables refer to the node, which comes to be after them.
        const node: { -readonly [K in keyof WithNode]: WithNode[K] } = {
          kind: "with",
          offset,
          scope: this.#node(scope),
          body: undefined as unknown as Expression,
        };
        inner.with = node;
        node.body = this.#node(inner);
        return node;
      }
      case NODE.if:
        return {
          kind: "if",
          offset: this.#offset(),
          condition: this.#node(scope),
          yes: this.#node(scope),
          no: this.#node(scope),
        };
      case NODE.assert:
        return { kind: "assert", offset: this.#offset(), condition: this.#node(scope), body: this.#node(scope) };
      case NODE.not:
        return { kind: "not", offset: this.#offset(), operand: this.#node(scope) };
      case NODE.negate:
        return {
          kind: "negate",
          offset: this.#offset(),
          operand: this.#node(scope),
          overridden: (head & FLAG) === 0 ? undefined : (this.#node(scope) as VariableNode),
        };
      case NODE.binary: {
        const operator = OPERATORS[this.#bytes[this.#at++]!]!;
        const leftStart = this.#offset();
        const left = this.#node(scope);
        const offset = this.#offset();
        const rightStart = this.#offset();
        const right = this.#node(scope);
        const overridden = (head & FLAG) === 0 ? undefined : (this.#node(scope) as VariableNode);
        return { kind: "binary", operator, offset, left, right, leftStart, rightStart, overridden };
      }
      case NODE.position:
        return { kind: "position", offset: this.#offset() };
      case NODE.deferred: {
        const last = this.#last;
        const offset = this.#offset();
        this.#last = last;
        return { kind: "deferred", offset, place: this.#unsigned(), last, scope, tree: this, expanded: undefined };
      }
      default:
        throw new Error("internal error: a syntax tree that was kept cannot be read");
    }
  }

  #float(): number {
    const bytes = Uint8Array.from(this.#bytes.subarray(this.#at, this.#at + 8));
    this.#at += 8;
    return new Float64Array(bytes.buffer)[0]!;
  }

  #interpolation(head: number, scope: Scope | undefined): Expression {
    const offset = this.#offset();
    const count = this.#unsigned();
    const parts = new Array<Expression>(count);
    const starts = new Array<number>(count);
    for (let i = 0; i < count; i++) {
      starts[i] = this.#offset();
      parts[i] = this.#node(scope);
    }
    return { kind: "interpolation", offset, parts, starts, path: (head & FLAG) !== 0 };
  }

  /** A variable of the source; `rec` is the scope that it is used in if it is one of a `rec`. */
  #variable(head: number, shape: 0 | 1 | 4, rec: Scope | undefined): VariableNode {
    const offset = this.#offset();
    let level = head >> KIND_BITS;
    if (level === 7) level = this.#unsigned();
    const name = this.#symbol();
    let slot = shape === 1 ? 0 : this.#unsigned();
    if (rec !== undefined) {
      let at: Scope = rec;
      for (let i = level; i > 0; i--) at = at.up!;
      slot = at.slots![slot]!;
    }
    return { kind: "variable", offset, name, level, slot, shape, withs: none };
  }

  #free(scope: Scope | undefined): VariableNode {
    const offset = this.#offset();
    const name = this.#symbol();
    const count = this.#unsigned();
    let withs = none;
    if (count > 0) {
      const found = new Array<WithLevel>(count);
      let at = scope;
      let climbed = 0;
      for (let i = 0; i < count; i++) {
        const level = this.#unsigned();
        for (; climbed < level; climbed++) at = at!.up;
        found[i] = { level, node: at!.with! };
      }
      withs = found;
    }
    return { kind: "variable", offset, name, level: -1, slot: 0, shape: 1, withs };
  }

  #path(scope: Scope | undefined): AttributeName[] {
    const path = new Array<AttributeName>(this.#unsigned());
    for (let i = 0; i < path.length; i++) path[i] = this.#bytes[this.#at++] === 1 ? this.#symbol() : this.#node(scope);
    return path;
  }

  /** A set in a scope; `given` is the scope of its values, made here for a `rec`. With `slots`, bindings are numbered. */
  #attrs(head: number, outer: Scope | undefined, given: Scope | undefined, slots = false): AttrsNode {
    const offset = this.#offset();
    const recursive = (head & FLAG) !== 0;
    const size = this.#unsigned();
    let sourceCount = 0;
    let dynamicCount = 0;
    if ((head & (2 * FLAG)) === 0) {
      sourceCount = this.#unsigned();
      dynamicCount = this.#unsigned();
    }
    const names = recursive ? this.#symbols(size) : undefined;
    const numbers = names === undefined ? undefined : slotsOf(names);
    const inner = numbers === undefined ? given : { up: outer, slots: numbers, with: undefined };
    const sources = new Array<Expression>(sourceCount);
    for (let i = 0; i < sourceCount; i++) sources[i] = this.#node(inner);
    const statics = new Map<Symbol, Binding>();
    for (let i = 0; i < size; i++) {
      const flags = this.#bytes[this.#at++]!;
      const inherited = (flags & BINDING.inherited) !== 0;
      const at = this.#offset();
      const name = names === undefined ? this.#symbol() : names[i]!;
      let value: Expression | undefined;
      let source = -1;
      if ((flags & BINDING.value) === 0) source = this.#unsigned();
      else value = this.#node(inherited ? outer : inner);
      const slot = numbers !== undefined ? numbers[i]! : slots ? i : 0;
      statics.set(name, { offset: at, value, inherited, source, slot });
    }
    const dynamics = new Array<DynamicBinding>(dynamicCount);
    for (let i = 0; i < dynamicCount; i++)
      dynamics[i] = { offset: this.#offset(), name: this.#node(inner), value: this.#node(inner) };
    return { kind: "attrs", offset, recursive, statics, dynamics, sources };
  }

  #symbols(count: number): Int32Array {
    const symbols = new Int32Array(count);
    for (let i = 0; i < count; i++) symbols[i] = this.#symbol();
    return symbols;
  }

  #lambda(up: Scope | undefined): LambdaNode {
    const offset = this.#offset();
    const flags = this.#bytes[this.#at++]!;
    const argument = (flags & LAMBDA.argument) === 0 ? undefined : this.#symbol();
    const name = (flags & LAMBDA.name) === 0 ? undefined : this.#symbol();
    const inner: Scope = { up, slots: undefined, with: undefined };
    let formals: FormalsNode | undefined;
    let slots = 1;
    if ((flags & LAMBDA.formals) !== 0) {
      const list = new Array<FormalNode>(this.#unsigned());
      for (let i = 0; i < list.length; i++) {
        const hasFallback = this.#bytes[this.#at++] === 1;
        const at = this.#offset();
        const id = this.#symbol();
        list[i] = { offset: at, name: id, fallback: hasFallback ? this.#node(inner) : undefined };
      }
      formals = { formals: list, ellipsis: (flags & LAMBDA.ellipsis) !== 0 };
      slots = list.length + (argument === undefined ? 0 : 1);
    }
    return { kind: "lambda", offset, argument, formals, body: this.#node(inner), name, shape: shapeFor(slots) };
  }
}

const none: readonly WithLevel[] = [];

/** The slots of a `rec` are in the order of the set that it becomes: that of its symbols. */
function slotsOf(names: Int32Array): Int32Array {
  const slots = new Int32Array(names.length);
  const order = Array.from(names, (_, i) => i).sort((a, b) => names[a]! - names[b]!);
  order.forEach((at, slot) => (slots[at] = slot));
  return slots;
}
