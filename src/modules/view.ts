/**
 * How native modules read Nix values: `m.config.at("pip", "requirementsList").strings()`.
 *
 * A view forces nothing until one of its methods says so, keeps string contexts (plain JavaScript text is only given out
 * for strings without one), and is itself a Nix value wherever a native definition wants one.
 */
import {
  Attrs,
  ContextString,
  type Evaluator,
  EvalError,
  force,
  type Lazy,
  lazy,
  type Native,
  NixFloat,
  type NixString,
  nixValue,
  toNix,
  type Value,
} from "../lang/index.ts";
import { didYouMean } from "../base/index.ts";
import { typeName } from "./show.ts";

export class View {
  readonly #ev: Evaluator;
  readonly #name: string;
  /** The value, not forced. */
  readonly [nixValue]: Lazy;

  constructor(ev: Evaluator, value: Lazy, name: string) {
    this.#ev = ev;
    this.#name = name;
    this[nixValue] = value;
  }

  /** What lies at an attribute path, without looking. Reading it fails if there is no such attribute. */
  at(...path: readonly string[]): View {
    if (path.length === 0) return this;
    const name = [this.#name, ...path].join(".");
    return new View(
      this.#ev,
      lazy(() => this.#select(path)),
      name,
    );
  }

  #select(path: readonly string[]): Lazy {
    let value: Lazy = this[nixValue];
    let name = this.#name;
    for (const step of path) {
      const attrs = force(value);
      if (!(attrs instanceof Attrs))
        throw new EvalError(`\`${name}\` is ${typeName(attrs)}, not a set, so it has no attribute \`${step}\``);
      const found = attrs.get(step);
      if (found === undefined)
        throw new EvalError(`attribute \`${step}\` missing in \`${name}\``, { hint: didYouMean(step, attrs.names()) });
      value = found;
      name = `${name}.${step}`;
    }
    return value;
  }

  /** Whether there is an attribute at the path, as Nix's `?`: forces the sets on the way, not the value. */
  has(...path: readonly string[]): boolean {
    let value: Lazy = this[nixValue];
    for (const step of path) {
      const attrs = force(value);
      if (!(attrs instanceof Attrs)) return false;
      const found = attrs.get(step);
      if (found === undefined) return false;
      value = found;
    }
    return true;
  }

  /** The view at a path, or of another value where there is no such attribute. Forces the sets on the way, not the value. */
  or(path: readonly string[], otherwise: Native): View {
    return this.has(...path) ? this.at(...path) : new View(this.#ev, toNix(otherwise), [this.#name, ...path].join("."));
  }

  /** The value in weak head normal form. */
  get(): Value {
    return force(this[nixValue]);
  }

  #fail(wanted: string, value: Value): never {
    throw new EvalError(`\`${this.#name}\` is ${typeName(value)}, but ${wanted} is needed`);
  }

  bool(): boolean {
    const value = this.get();
    return typeof value === "boolean" ? value : this.#fail("a boolean", value);
  }

  isNull(): boolean {
    return this.get() === null;
  }

  number(): number {
    const value = this.get();
    if (typeof value === "number") return value;
    if (value instanceof NixFloat) return value.value;
    return this.#fail("a number", value);
  }

  /** A string with its context; other values are an error (see `coerced`). */
  string(): NixString {
    const value = this.get();
    return typeof value === "string" || value instanceof ContextString ? value : this.#fail("a string", value);
  }

  /** The bytes of a string that has no context: names, versions, flags. A context is an error, never lost. */
  text(): string {
    const value = this.string();
    if (typeof value === "string") return value;
    throw new EvalError(`\`${this.#name}\` refers to store paths where plain text is needed: "${value.text}"`);
  }

  /** The bytes of a string, its context dropped on purpose: for messages and for parsing what is not put into a build. */
  textWithoutContext(): string {
    const value = this.string();
    return typeof value === "string" ? value : value.text;
  }

  /** What `"${…}"` makes of the value: paths are copied to the store, derivations give their output path. */
  coerced(): NixString {
    return this.#ev.coerceToString(this[nixValue]);
  }

  /** What `toString` makes of it: paths stay as they are. */
  toText(): NixString {
    return this.#ev.coerceToString(this[nixValue], { coerceMore: true, copyToStore: false });
  }

  attrs(): Attrs {
    const value = this.get();
    return value instanceof Attrs ? value : this.#fail("a set", value);
  }

  /** Attribute names in byte order. */
  names(): string[] {
    return this.attrs().names();
  }

  /** Names and values of a set, in byte order of the names; the values are not forced. */
  entries(): [string, View][] {
    return [...this.attrs().entries()].map(([name, value]) => [
      name,
      new View(this.#ev, value, `${this.#name}.${name}`),
    ]);
  }

  /** The elements of a list, not forced. */
  list(): View[] {
    const value = this.get();
    if (!Array.isArray(value)) return this.#fail("a list", value);
    return (value as readonly Lazy[]).map((element, index) => new View(this.#ev, element, `${this.#name}[${index}]`));
  }

  /** A list of strings without contexts. */
  texts(): string[] {
    return this.list().map((element) => element.text());
  }

  /** The result of calling the function that is viewed, when it is looked at. */
  call(...args: readonly Native[]): View {
    return new View(
      this.#ev,
      lazy(() => this.#ev.call(this[nixValue], ...args.map((argument) => toNix(argument)))),
      `${this.#name} (called)`,
    );
  }
}
