/**
 * A matcher that behaves as C++'s does where JavaScript's differs: of alternatives, all are tried and the longest match wins;
 * a group in a loop keeps what it held before; a loop may go round on nothing twice.
 */
import { type ParsedRegex, RegexError, type RegexNode } from "./syntax.ts";

type State =
  | { kind: "accept" }
  | { kind: "bytes"; readonly set: Uint8Array; next: State }
  | { kind: "begin" | "end" | "jump"; next: State }
  | { kind: "open" | "close"; readonly group: number; next: State }
  | { kind: "repeat"; readonly id: number; body: State; next: State }
  | { kind: "choice"; readonly first: State; readonly second: State };

export interface Match {
  readonly begin: number;
  readonly end: number;
  /** Begin and end of each group, -1 where it took no part. */
  readonly groups: Int32Array;
}

/** Steps of a walk after which it is worth while to find out whether there is a match at all. */
const MANY = 10_000;
/** Steps after which a walk is given up: some 2 seconds. */
const TOO_MANY = 100_000_000;

class TooManySteps extends Error {}

export class Automaton {
  readonly #start: State;
  readonly #groups: number;
  #repeats = 0;

  constructor({ root, groups }: ParsedRegex) {
    this.#groups = groups;
    this.#start = this.#compile(root, { kind: "accept" });
  }

  /**
   * A match that begins at an offset; `whole` wants it to end where the text ends.
   * @throws RegexError if there are too many ways to match
   */
  matchAt(text: string, begin: number, whole: boolean): Match | undefined {
    try {
      return this.#walk(text, begin, whole, MANY);
    } catch (error) {
      if (!(error instanceof TooManySteps)) throw error;
    }
    if (!this.#matches(text, begin, whole)) return undefined;
    try {
      return this.#walk(text, begin, whole, TOO_MANY);
    } catch (error) {
      throw error instanceof TooManySteps ? new RegexError(true) : error;
    }
  }

  #walk(text: string, begin: number, whole: boolean, steps: number): Match | undefined {
    const run = new Run(text, whole, this.#groups, this.#repeats, steps);
    run.visit(this.#start, begin);
    return run.best === undefined ? undefined : { begin, end: run.bestEnd, groups: run.best };
  }

  /** Whether there is a match, whatever it is: all ways at the same time, so that it takes no longer than the text is long. */
  #matches(text: string, begin: number, whole: boolean): boolean {
    let open: State[] = [this.#start];
    for (let at = begin; open.length > 0; at++) {
      const next: State[] = [];
      const seen = new Set<State>();
      for (let state = open.pop(); state !== undefined; state = open.pop()) {
        if (seen.has(state)) continue;
        seen.add(state);
        switch (state.kind) {
          case "accept":
            if (!whole || at === text.length) return true;
            break;
          case "bytes":
            if (at < text.length && state.set[text.charCodeAt(at)] === 1) next.push(state.next);
            break;
          case "begin":
            if (at === 0) open.push(state.next);
            break;
          case "end":
            if (at === text.length) open.push(state.next);
            break;
          case "repeat":
            open.push(state.next, state.body);
            break;
          case "choice":
            open.push(state.second, state.first);
            break;
          default:
            open.push(state.next);
        }
      }
      open = next;
    }
    return false;
  }

  /** States for a part, followed by `next`. Built from the end, so that each state knows its successor. */
  #compile(node: RegexNode, next: State): State {
    switch (node.kind) {
      case "empty":
        return next;
      case "begin":
      case "end":
        return { kind: node.kind, next };
      case "bytes":
        return { kind: "bytes", set: node.set, next };
      case "group": {
        const close: State = { kind: "close", group: node.index, next };
        return { kind: "open", group: node.index, next: this.#compile(node.body, close) };
      }
      case "sequence":
        return node.parts.reduceRight((after, part) => this.#compile(part, after), next);
      case "choice":
        return node.options
          .map((option) => this.#compile(option, next))
          .reduceRight((second, first) => ({ kind: "choice", first, second }));
      case "repeat":
        return this.#compileRepeat(node, next);
    }
  }

  #compileRepeat({ body, min, max, how }: RegexNode & { kind: "repeat" }, next: State): State {
    let state = next;
    if (max !== undefined) {
      for (let i = min; i < max; i++) {
        const optional = this.#repeat(next);
        optional.body = this.#compile(body, state);
        state = optional;
      }
      for (let i = 0; i < min; i++) state = this.#compile(body, state);
      return state;
    }
    const loop = this.#repeat(next);
    loop.body = this.#compile(body, loop);
    // `x+` enters the loop's body, others have copies of it in front.
    if (how === "+") return loop.body;
    state = loop;
    if (how === "{}") for (let i = 0; i < min; i++) state = this.#compile(body, state);
    return state;
  }

  #repeat(next: State): State & { kind: "repeat" } {
    return { kind: "repeat", id: this.#repeats++, body: next, next };
  }
}

/** One attempt: a depth-first walk that keeps the best of the ends it reached. */
class Run {
  readonly #text: string;
  readonly #whole: boolean;
  readonly #groups: Int32Array;
  readonly #opened: Int32Array;
  /** Where each loop was last entered, and how often at that place. */
  readonly #entered: Int32Array;
  readonly #times: Uint8Array;
  #found = false;
  #steps: number;
  best: Int32Array | undefined;
  bestEnd = -1;

  constructor(text: string, whole: boolean, groups: number, repeats: number, steps: number) {
    this.#steps = steps;
    this.#text = text;
    this.#whole = whole;
    this.#groups = new Int32Array(groups * 2).fill(-1);
    this.#opened = new Int32Array(groups).fill(-1);
    this.#entered = new Int32Array(repeats).fill(-1);
    this.#times = new Uint8Array(repeats);
  }

  visit(from: State, begin: number): void {
    let state = from;
    let at = begin;
    for (;;) {
      if (--this.#steps < 0) throw new TooManySteps();
      switch (state.kind) {
        case "accept":
          if (this.#whole && at !== this.#text.length) return;
          this.#found = true;
          if (at > this.bestEnd) {
            this.bestEnd = at;
            this.best = this.#groups.slice();
          }
          return;
        case "bytes":
          if (at >= this.#text.length || state.set[this.#text.charCodeAt(at)] !== 1) return;
          at++;
          break;
        case "begin":
          if (at !== 0) return;
          break;
        case "end":
          if (at !== this.#text.length) return;
          break;
        case "jump":
          break;
        case "open": {
          const before = this.#opened[state.group]!;
          this.#opened[state.group] = at;
          this.visit(state.next, at);
          this.#opened[state.group] = before;
          return;
        }
        case "close": {
          const slot = state.group * 2;
          const begun = this.#groups[slot]!;
          const ended = this.#groups[slot + 1]!;
          this.#groups[slot] = this.#opened[state.group]!;
          this.#groups[slot + 1] = at;
          this.visit(state.next, at);
          this.#groups[slot] = begun;
          this.#groups[slot + 1] = ended;
          return;
        }
        case "repeat":
          this.#again(state, at);
          if (this.#found) return;
          break;
        case "choice": {
          this.visit(state.first, at);
          const found = this.#found;
          // Nothing is longer than all of the text.
          if (found && this.bestEnd === this.#text.length) return;
          this.#found = false;
          this.visit(state.second, at);
          this.#found ||= found;
          return;
        }
      }
      state = state.next;
    }
  }

  #again({ id, body }: State & { kind: "repeat" }, at: number): void {
    const entered = this.#entered[id]!;
    const times = this.#times[id]!;
    if (times > 0 && entered === at && times >= 2) return;
    this.#entered[id] = at;
    this.#times[id] = times > 0 && entered === at ? times + 1 : 1;
    this.visit(body, at);
    this.#entered[id] = entered;
    this.#times[id] = times;
  }
}
