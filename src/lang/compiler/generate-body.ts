/** One generated function: what each kind of expression becomes. Operators stand in `generate-operators.ts`. */
import {
  type AssertNode,
  type AttrsNode,
  type BinaryNode,
  type Binding,
  type CallNode,
  type Expression,
  type HasAttributeNode,
  type IfNode,
  type InterpolationNode,
  type LetNode,
  type ListNode,
  type SelectNode,
  type VariableNode,
  type WithNode,
} from "../syntax/index.ts";
import { type Symbol, symbolName } from "../values/attrs.ts";
import { type Lazy, Thunk } from "../values/thunk.ts";
import { NixFloat } from "../values/value.ts";
import { tableOf } from "./attributes.ts";
import { isCheapCall } from "./calls.ts";
import { assertionFailure } from "./control.ts";
import { isValueToNix } from "./exact.ts";
import { outermost } from "./environment.ts";
import { lambdaInfo } from "./functions.ts";
import { Frame, type Scope } from "./generate-frame.ts";
import { generateBinary, isBoolean, MAX } from "./generate-operators.ts";
import { isConstant } from "./literals.ts";
import { nameReader, selectFrom, selectPathOf } from "./select.ts";
import { offsetInMessages } from "./trace.ts";

export class FunctionBody extends Frame {
  /** A value that is computed at once. */
  value(node: Expression): string {
    if (node.kind === "deferred" && node.expanded !== undefined) return this.value(node.expanded);
    if (!this.spend()) return this.#closure(node);
    switch (node.kind) {
      case "integer":
        return typeof node.value === "number" ? `(${node.value})` : this.unit.constant(node.value);
      case "string":
        return node.value.length < 100 ? JSON.stringify(node.value) : this.unit.constant(node.value);
      case "float":
        return this.unit.constant(new NixFloat(node.value));
      case "variable":
        return this.#read(node);
      case "lambda":
        return `new Lambda(${this.environment()}, ${this.unit.constant(lambdaInfo(this.unit.compiler, node))})`;
      case "call":
        return this.#call(node);
      case "select":
        return this.#select(node);
      case "has":
        return this.#has(node);
      case "if":
        return this.#if(node);
      case "not":
        return `!${this.condition(node.operand, offsetInMessages(node.operand), "in the argument of the not operator")}`;
      case "binary":
        return node.overridden === undefined ? generateBinary(this, node) : this.#closure(node);
      case "list":
        return this.#list(node);
      case "attrs":
        return this.#attrs(node);
      case "let":
        return this.#let(node);
      case "with":
        return this.#with(node);
      case "assert":
        return this.#assert(node);
      case "interpolation":
        return this.#interpolation(node);
      default:
        return this.#closure(node);
    }
  }

  /** What is not generated: its closure. */
  #closure(node: Expression): string {
    return this.failing(`${this.unit.constant(this.unit.compiler.later(node))}(${this.environment()})`);
  }

  /** A value for later: as `Compiler.delay` makes it. */
  #delay(node: Expression): string {
    const { exact } = this.unit.compiler.context;
    if (exact && !isValueToNix(node)) return this.#thunk(node);
    switch (node.kind) {
      case "path":
        return exact ? this.value(node) : this.#thunk(node);
      case "integer":
      case "string":
      case "float":
      case "lambda":
        return this.value(node);
      case "list":
        return isConstant(node) ? this.value(node) : this.#thunk(node);
      case "variable":
        return this.#delayVariable(node);
      case "select":
        return this.#delaySelect(node);
      case "binary":
        return this.#delayBinary(node);
      case "call":
        return this.#delayCall(node);
      default:
        return this.#thunk(node);
    }
  }

  #thunk(node: Expression): string {
    return `new Thunk(${this.unit.thunkCode(node)}, ${this.environment()})`;
  }

  /** The value of a name that no scope of the source has; undefined for others, and where a `with` may have it. */
  #global({ level, name }: VariableNode): Lazy | undefined {
    return level < 0 ? this.unit.compiler.context.global(symbolName(name)) : undefined;
  }

  #delayVariable(node: VariableNode): string {
    if (node.level < 0) {
      const found = this.#global(node);
      return found === undefined ? this.#thunk(node) : this.unit.constant(found);
    }
    const slot = this.slot(node);
    if (this.scopes[node.level]?.filling !== true) return slot;
    return `(${slot} === undefined ? ${this.#thunk(node)} : ${slot})`;
  }

  #delaySelect(node: SelectNode): string {
    const [id] = node.path;
    if (node.of.kind !== "variable" || node.of.level < 0 || node.path.length !== 1 || typeof id !== "number")
      return this.#thunk(node);
    const set = this.temporary();
    const value = this.temporary();
    const { keys, slot } = this.site();
    return `((${set} = ${this.evaluated(this.slot(node.of))}) instanceof Attrs && (${set}.keys !== ${keys} && (${slot} = ${set}.keys.find(${id}), ${keys} = ${set}.keys), ${slot} >= 0) && !((${value} = ${this.evaluated(`${set}.values[${slot}]`)}) instanceof Thunk) ? ${value} : ${this.#thunk(node)})`;
  }

  #delayCall(node: CallNode): string {
    if (!isCheapCall(node)) return this.#thunk(node);
    const {
      fn,
      args: [argument],
    } = node;
    const global = this.#global(fn);
    if (fn.level < 0 && global === undefined) return this.#thunk(node);
    const callee = global === undefined ? this.slot(fn) : this.unit.constant(global);
    const t = this.temporary();
    return `((${t} = immediateCall(${callee}, ${this.slot(argument)})) !== undefined ? ${t} : ${this.#thunk(node)})`;
  }

  #delayBinary(node: BinaryNode): string {
    const { operator, left, right } = node;
    if ((operator !== "+" && operator !== "-") || node.overridden !== undefined) return this.#thunk(node);
    if (left.kind === "integer" && right.kind === "integer") return this.#thunk(node);
    const a = this.#number(left);
    const b = this.#number(right);
    if (a === undefined || b === undefined) return this.#thunk(node);
    const x = this.temporary();
    const y = this.temporary();
    const result = this.temporary();
    return `(${x} = ${a}, ${y} = ${b}, typeof ${x} === "number" && typeof ${y} === "number" && (${result} = ${x} ${operator} ${y}) <= ${MAX} && ${result} >= ${-MAX} ? ${result} : ${this.#thunk(node)})`;
  }

  #number(node: Expression): string | undefined {
    if (node.kind === "integer" && typeof node.value === "number") return `(${node.value})`;
    return node.kind === "variable" && node.level >= 0 ? this.evaluated(this.slot(node)) : undefined;
  }

  #read(node: VariableNode): string {
    if (node.level < 0) {
      const found = this.#global(node);
      if (found === undefined) return this.#closure(node);
      const constant = this.unit.constant(found);
      return found instanceof Thunk ? this.failing(`force(${constant})`) : constant;
    }
    const t = this.temporary();
    return `((${t} = ${this.slot(node)}) instanceof Thunk ? ${t}.code === null ? ${t}.x : ${this.failing(`forceVariable(${t}, ${this.source}, ${node.offset})`)} : ${t})`;
  }

  #call(node: CallNode): string {
    const { args, offset } = node;
    const count = args.length;
    if (count > 3) return this.#closure(node);
    const callee = this.temporary();
    const result = this.temporary();
    const fn = this.value(node.fn);
    const given = args.map((argument) => {
      const name = this.temporary();
      return { name, value: this.#delay(argument) };
    });
    const names = given.map(({ name }) => name).join(", ");
    const suffix = count === 1 ? "" : String(count);
    const handler = this.handler(
      count === 1
        ? `leaving(error, ${callee}, ${this.source}, ${offset})`
        : `leavingInner(error, ${callee}.info.failed${suffix}, ${this.source}, ${offset})`,
    );
    const test =
      count === 1
        ? `${callee} instanceof Lambda`
        : `${callee} instanceof Lambda && ${callee}.info.apply${suffix} !== undefined`;
    return `(${callee} = ${fn}, ${given.map(({ name, value }) => `${name} = ${value}`).join(", ")}, s = ${this.around}, ${test}
? (d > depth.limit && overflow(${this.source}, ${offset}), s = ${handler}, depth.current = d + 1, ${result} = ${callee}.info.apply${suffix}(${callee}.environment, ${names}), depth.current = d, ${result} instanceof Thunk ? force(${result}) : ${result})
: call${count}(${callee}, ${names}, ${this.source}, ${offset}))`;
  }

  #select(node: SelectNode): string {
    const { path, fallback, offset } = node;
    const [id] = path;
    const set = this.temporary();
    const of = this.value(node.of);
    if (path.length !== 1 || typeof id !== "number") {
      // Only computed names and what stands for a missing attribute need an environment.
      const closed = fallback === undefined && path.every((name) => typeof name === "number");
      const select = this.unit.constant(selectPathOf(this.unit.compiler, node));
      return `(${set} = ${of}, ${this.failing(`${select}(${set}, ${closed ? "undefined" : this.environment()})`)})`;
    }
    const value = this.temporary();
    const { keys, slot } = this.site();
    const taken = `(${value} = ${set}.values[${slot}]) instanceof Thunk ? ${value}.code === null ? ${value}.x : ${this.failing(`forceAttribute(${value}, ${id}, ${set}, ${slot}, ${this.source}, ${offset})`)} : ${value}`;
    if (fallback === undefined)
      return `((${set} = ${of}) instanceof Attrs && ${set}.keys === ${keys} || ${this.failing(`(${slot} = slotOf(${set}, ${id}, ${this.source}, ${offset}), ${keys} = ${set}.keys)`)}, ${taken})`;
    return `((${set} = ${of}) instanceof Attrs && (${set}.keys !== ${keys} && (${slot} = ${set}.keys.find(${id}), ${keys} = ${set}.keys), ${slot} >= 0) ? ${taken} : ${this.value(fallback)})`;
  }

  #has({ of, path }: HasAttributeNode): string {
    let current = this.value(of);
    const tests: string[] = [];
    for (const name of path) {
      const set = this.temporary();
      const found = this.temporary();
      if (typeof name === "number") tests.push(`(${set} = ${current}) instanceof Attrs`);
      const id = typeof name === "number" ? String(name) : this.temporary();
      if (typeof name !== "number") {
        const reader = nameReader(this.unit.compiler, name) as (environment: never) => Symbol;
        const read = this.failing(`${this.unit.constant(reader)}(${this.environment()})`);
        tests.push(`(${set} = ${current}, ${id} = ${read}, ${set} instanceof Attrs)`);
      }
      tests.push(`(${found} = ${set}.getSymbol(${id})) !== undefined`);
      current = this.failing(`force(${found})`);
    }
    return `(${tests.join(" && ")})`;
  }

  /** A Boolean; `step` becomes a step of the trace when it is none, or fails. */
  condition(node: Expression, offset: number, step: string): string {
    const handler = this.handler(`addFrame(error, ${JSON.stringify(step)}, ${this.source}, ${offset})`);
    return this.within(handler, () => {
      const value = this.value(node);
      if (isBoolean(node)) return value;
      const t = this.temporary();
      return `((${t} = ${value}) === true || ${t} !== false && ${this.failing(`forceBool(${t})`)})`;
    });
  }

  #if({ condition, yes, no, offset }: IfNode): string {
    const test = this.condition(condition, offset, "while evaluating a branch condition");
    return `(${test} ? ${this.value(yes)} : ${this.value(no)})`;
  }

  #assert(node: AssertNode): string {
    const test = this.condition(node.condition, node.offset, "in the condition of the assert statement");
    const fail = this.unit.constant(assertionFailure(this.unit.compiler, node));
    const failed = this.failing(`${fail}(${this.environment()})`);
    return `(${test} ? ${this.value(node.body)} : ${failed})`;
  }

  #list(node: ListNode): string {
    const { elements } = node;
    if (isConstant(node)) return this.unit.constant(this.unit.compiler.compile(node)(outermost));
    return `[${elements.map((element) => this.#delay(element)).join(", ")}]`;
  }

  /** The sources of `inherit (…)`, in temporaries. */
  #sources(node: AttrsNode): { readonly names: readonly string[]; readonly code: string } {
    const names: string[] = [];
    let code = "";
    for (const source of node.sources) {
      const name = this.temporary();
      names.push(name);
      code += `${name} = ${this.#delay(source)}, `;
    }
    return { names, code };
  }

  #inherited(name: Symbol, { source, offset }: Binding, sources: readonly string[]): string {
    const select = this.unit.constant(selectFrom(name, this.unit.compiler.source, offset));
    return `new Thunk(${select}, ${sources[source]!})`;
  }

  #attrs(node: AttrsNode): string {
    if (node.recursive || node.dynamics.length > 0) return this.#closure(node);
    if (node.statics.size === 0) return "Attrs.empty";
    const { keys, bindings, positions } = tableOf(this.unit.compiler, node);
    const { names, code } = this.#sources(node);
    const values = bindings.map((binding, slot) =>
      binding.value === undefined ? this.#inherited(keys.ids[slot]!, binding, names) : this.#delay(binding.value),
    );
    const made = `new Attrs(${this.unit.constant(keys)}, [${values.join(", ")}], ${this.unit.constant(positions)})`;
    return code === "" ? made : `(${code}${made})`;
  }

  #let({ bindings, body, shape }: LetNode): string {
    const environment = this.variable("e");
    const scope: Scope = { environment, argument: undefined, filling: true };
    const outside = this.scopes;
    const definitions: (readonly [Symbol, Binding])[] = [];
    for (const [name, binding] of bindings.statics) definitions[binding.slot] = [name, binding];
    const size = definitions.length;
    const empty = (count: number): string => new Array<string>(count).fill("undefined").join(", ");
    const parent = this.environment();
    const made =
      shape === 1
        ? `new Environment1(${parent}, undefined)`
        : shape === 4
          ? `new Environment4(${parent}, ${empty(4)})`
          : `new EnvironmentN(${parent}, [${empty(size)}])`;
    return this.inScopes([scope, ...outside], () => {
      const { names, code } = this.#sources(bindings);
      const filled = definitions.map(([name, binding], slot) => {
        const { value, inherited } = binding;
        const place = shape === 0 ? `${environment}.slots[${slot}]` : `${environment}.v${slot}`;
        if (value === undefined) return `${place} = ${this.#inherited(name, binding, names)}, `;
        const delayed = inherited ? this.inScopes(outside, () => this.#delay(value)) : this.#delay(value);
        return `${place} = ${delayed}, `;
      });
      scope.filling = false;
      return `(${environment} = ${made}, ${code}${filled.join("")}${this.value(body)})`;
    });
  }

  #with({ scope, body }: WithNode): string {
    const environment = this.variable("e");
    const made = `${environment} = new Environment1(${this.environment()}, ${this.#delay(scope)})`;
    const inner: Scope = { environment, argument: undefined, filling: false };
    return this.inScopes([inner, ...this.scopes], () => `(${made}, ${this.value(body)})`);
  }

  #interpolation(node: InterpolationNode): string {
    if (node.path) return this.#closure(node);
    const world = this.unit.constant(this.unit.compiler.context.world);
    const steps: string[] = [];
    const texts: string[] = [];
    const pieces: string[] = [];
    node.parts.forEach((part, i) => {
      if (part.kind === "string") {
        pieces.push(this.value(part));
        return;
      }
      const t = this.temporary();
      const coerced = this.failing(`${t} = coerceAt(${world}, ${t}, ${this.source}, ${node.starts[i]!})`);
      steps.push(`typeof (${t} = ${this.value(part)}) === "string" || ${t} instanceof ContextString || ${coerced}`);
      texts.push(`typeof ${t} === "string"`);
      pieces.push(t);
    });
    if (texts.length === 0) return this.#closure(node);
    return `(${steps.join(", ")}, ${texts.join(" && ")} ? "" + ${pieces.join(" + ")} : joinParts([${pieces.join(", ")}]))`;
  }
}
