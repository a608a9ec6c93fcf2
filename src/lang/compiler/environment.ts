/**
 * Where variables live while code runs: one environment for each function call, `let`, `rec` and `with`. Small ones keep
 * their values in fields, which costs half of what an array does. The resolver knows which kind stands at which level.
 */
import type { Lazy } from "../values/thunk.ts";

/** A slot is undefined until its environment has been filled in. */
export type Slot = Lazy | undefined;

export class Environment1 {
  readonly up: Environment;
  v0: Slot;

  constructor(up: Environment, v0: Slot) {
    this.up = up;
    this.v0 = v0;
  }
}

export class Environment4 {
  readonly up: Environment;
  v0: Slot;
  v1: Slot;
  v2: Slot;
  v3: Slot;

  constructor(up: Environment, v0: Slot, v1: Slot, v2: Slot, v3: Slot) {
    this.up = up;
    this.v0 = v0;
    this.v1 = v1;
    this.v2 = v2;
    this.v3 = v3;
  }
}

export class EnvironmentN {
  readonly up: Environment;
  readonly slots: Slot[];

  constructor(up: Environment, slots: Slot[]) {
    this.up = up;
    this.slots = slots;
  }
}

/** The outermost has nothing above: what the compiled code never reads. */
export type Environment = Environment1 | Environment4 | EnvironmentN;

export const outermost: Environment = new EnvironmentN(null as unknown as Environment, []);
