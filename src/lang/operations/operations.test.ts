import { describe, expect, test } from "vitest";
import { D2nError } from "../../base/index.ts";
import { Attrs } from "../values/attrs.ts";
import { lazy, type Lazy } from "../values/thunk.ts";
import { ContextString, NixFloat, NixPath, PrimOp, type Value } from "../values/value.ts";
import {
  add,
  addIntegers,
  addTrace,
  callFunction,
  canonicalPath,
  coerceToString,
  compare,
  concatLists,
  divide,
  equal,
  extendPath,
  forceAttrs,
  forceStringNoContext,
  formatFixed,
  formatGeneral,
  interpolate,
  joinContexts,
  lessThan,
  multiply,
  parseInteger,
  shape,
  showType,
  type StringWorld,
  subtract,
  typeName,
  updateAttrs,
} from "./index.ts";
import { EvalError } from "../errors.ts";

const world: StringWorld = { copyPathToStore: ({ path }) => `/nix/store/hash-${path.slice(1)}` };

function failure(run: () => unknown): D2nError {
  try {
    run();
  } catch (error) {
    if (error instanceof D2nError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("integers", () => {
  test("are numbers while that is exact, then bigints", () => {
    expect(addIntegers(2 ** 53 - 1, 1)).toBe(2n ** 53n);
    expect(addIntegers(2n ** 53n, -1)).toBe(2 ** 53 - 1);
    expect(multiply(3037000499, 3037000499)).toBe(9223372030926249001n);
    expect(Object.is(multiply(0, -1), 0)).toBe(true);
    expect(Object.is(divide(-1, 2), 0)).toBe(true);
    expect(divide(-(2n ** 63n), 2)).toBe(-(2n ** 62n));
    expect(parseInteger("9223372036854775807")).toBe(2n ** 63n - 1n);
    expect(parseInteger("9223372036854775808")).toBeUndefined();
    expect(parseInteger("-0")).toBe(0);
  });

  test("overflow is an error", () => {
    expect(failure(() => addIntegers(2n ** 63n - 1n, 1)).message).toBe(
      "integer overflow in adding 9223372036854775807 + 1",
    );
    expect(() => subtract(-(2n ** 63n), 1)).toThrow("integer overflow in subtracting -9223372036854775808 - 1");
    expect(() => multiply(2n ** 62n, 2)).toThrow("integer overflow in multiplying 4611686018427387904 * 2");
    expect(() => divide(-(2n ** 63n), -1)).toThrow("integer overflow in dividing -9223372036854775808 / -1");
    expect(() => divide(1, 0)).toThrow("division by zero");
    expect(() => divide(1, new NixFloat(0))).toThrow("division by zero");
  });
});

describe("floats as text", () => {
  test("fixed, as C prints %f", () => {
    expect(formatFixed(0.1)).toBe("0.100000");
    expect(formatFixed(0.0078125)).toBe("0.007812");
    expect(formatFixed(0.0234375)).toBe("0.023438");
    expect(formatFixed(-2.5)).toBe("-2.500000");
    expect(formatFixed(1e22)).toBe("10000000000000000000000.000000");
    expect(formatFixed(Number.NaN)).toBe("nan");
    expect(formatFixed(-Infinity)).toBe("-inf");
  });

  test("general, as C prints %g", () => {
    const cases: [number, string][] = [
      [0, "0"],
      [-0, "-0"],
      [1, "1"],
      [0.1, "0.1"],
      [123456.5, "123456"],
      [1000005, "1e+06"],
      [1000015, "1.00002e+06"],
      [1e100, "1e+100"],
      [0.0001, "0.0001"],
      [0.00001, "1e-05"],
      [1 / 3, "0.333333"],
      [999999.5, "1e+06"],
    ];
    for (const [value, text] of cases) expect(formatGeneral(value), String(value)).toBe(text);
  });
});

describe("types", () => {
  test("have names", () => {
    expect(typeName([])).toBe("a list");
    expect(typeName(true)).toBe("a Boolean");
    expect(showType(new ContextString("x", new Set(["/nix/store/x"])))).toBe("a string with context");
    const add2 = new PrimOp("add", 2, () => 0);
    expect(showType(add2)).toBe("the built-in function 'add'");
    expect(showType(callFunction(add2, 1))).toBe("the partially applied built-in function 'add'");
  });

  test("are demanded with Nix's words, and the reason becomes a step of the trace", () => {
    const error = failure(() => forceAttrs("x", "while looking"));
    expect(error.message).toBe('expected a set but found a string: "x"');
    expect(error.trace.map(({ message }) => message)).toEqual(["while looking"]);
    expect(
      failure(() => forceStringNoContext(new ContextString("a", new Set(["!out!/nix/store/x.drv"])))).message,
    ).toBe("the string 'a' is not allowed to refer to a store path (such as '/nix/store/x.drv^out')");
  });

  test("long traces stay cheap", () => {
    const error = new EvalError("x");
    for (let i = 0; i < 100_000; i++) addTrace(error, "step");
    expect(error.trace.length).toBe(100_000);
    expect(addTrace(new TypeError("bug"), "step")).toBeInstanceOf(TypeError);
  });
});

describe("calls", () => {
  const sum = new PrimOp("sum", 3, (a, b, c) => (a as number) + (b as number) + (c as number));

  test("partial application, surplus arguments, functors", () => {
    expect(callFunction(callFunction(sum, 1), 2, 3)).toBe(6);
    expect(callFunction(callFunction(callFunction(sum, 1), 2), 3)).toBe(6);
    const adder = new PrimOp("adder", 1, (a) => new PrimOp("add", 1, (b) => (a as number) + (b as number)));
    expect(callFunction(adder, 1, 2)).toBe(3);
    const functor = Attrs.from([
      ["n", 10],
      ["__functor", new PrimOp("f", 2, (self, x) => ((self as Attrs).get("n") as number) + (x as number))],
    ]);
    expect(callFunction(functor, 5)).toBe(15);
  });

  test("of what is no function", () => {
    expect(failure(() => callFunction(1, 2)).message).toBe(
      "attempt to call something which is not a function but an integer: 1",
    );
    const error = failure(() => callFunction(new PrimOp("bad", 1, () => forceAttrs(1)), 1));
    expect(error.trace.map(({ message }) => message)).toEqual(["while calling the 'bad' builtin"]);
  });
});

describe("equality", () => {
  const f = new PrimOp("f", 1, () => 0);

  test("of functions only inside the same value", () => {
    expect(equal(f, f)).toBe(false);
    expect(equal([f], [f])).toBe(true);
    expect(equal([lazy(() => f)], [lazy(() => f)])).toBe(false);
  });

  test("of numbers across kinds, of strings across contexts", () => {
    expect(equal(1, new NixFloat(1))).toBe(true);
    expect(equal(2n ** 53n, new NixFloat(2 ** 53))).toBe(true);
    expect(equal("a", new ContextString("a", new Set(["x"])))).toBe(true);
    expect(equal("/a", new NixPath("/a"))).toBe(false);
    expect(equal(new NixFloat(Number.NaN), new NixFloat(Number.NaN))).toBe(false);
  });

  test("evaluates even what is one and the same", () => {
    const broken = lazy(() => {
      throw new EvalError("evaluated");
    });
    expect(() => equal([broken], [broken])).toThrow("evaluated");
  });
});

describe("order", () => {
  test("of numbers, strings, paths and lists", () => {
    expect(lessThan(1, new NixFloat(1.5))).toBe(true);
    expect(lessThan(2n ** 60n, 1)).toBe(false);
    expect(lessThan(new NixPath("/a"), new NixPath("/b"))).toBe(true);
    expect(lessThan([1, 2], [1, 3])).toBe(true);
    expect(lessThan([], [1])).toBe(true);
    expect(compare("b", "a")).toBe(1);
    expect(compare([1], [1])).toBe(0);
  });

  test("of anything else is an error", () => {
    expect(failure(() => lessThan(1, "a")).message).toBe(
      'cannot compare an integer with a string; values are 1 and "a"',
    );
    expect(failure(() => lessThan(null, null)).message).toBe(
      "cannot compare null with null; values of that type are incomparable (values are null and null)",
    );
  });
});

describe("sets and lists", () => {
  const set = (entries: Readonly<Record<string, Lazy>>): Attrs => Attrs.from(Object.entries(entries));
  const plain = (attrs: Attrs): Record<string, Lazy> => Object.fromEntries(attrs.entries());

  test("update, with and without a plan", () => {
    const a = set({ x: 1, y: 2 });
    const b = set({ y: 3, z: 4 });
    expect(plain(updateAttrs(a, b))).toEqual({ x: 1, y: 3, z: 4 });
    expect(updateAttrs(a, b).keys).toBe(updateAttrs(a, b).keys);
    expect(updateAttrs(a, Attrs.empty)).toBe(a);
    expect(updateAttrs(Attrs.empty, b)).toBe(b);
    const big = set(Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`k${i}`, i])));
    expect(updateAttrs(big, set({ k7: "seven" })).get("k7")).toBe("seven");
    expect(updateAttrs(big, set({ k7: "seven" })).size).toBe(200);
    expect(updateAttrs(big, set({ other: 1 })).size).toBe(201);
    expect(updateAttrs(set({ other: 1 }), big).get("k199")).toBe(199);
  });

  test("positions follow the attributes", () => {
    const at = (line: number) => ({ file: "/f.nix", line, column: 1 });
    const a = Attrs.from([
      ["x", 1, at(1)],
      ["y", 2, at(2)],
    ]);
    const merged = updateAttrs(a, Attrs.from([["y", 3, at(3)]]));
    expect(merged.position("x")?.line).toBe(1);
    expect(merged.position("y")?.line).toBe(3);
  });

  test.each([
    ["as big", 150, 250],
    ["small, new in part", 195, 205],
    ["small, not new", 7, 9],
    ["with all of the left one", 0, 250],
  ])("big sets meet again and again: the right one %s", (_, from, to) => {
    const place = (line: number) => ({ file: "/f.nix", line, column: 1 });
    const numbered = (start: number, end: number, add: number) =>
      Attrs.from(
        Array.from({ length: end - start }, (__, i) => [`k${start + i}`, start + i + add, place(start + i + add)]),
      );
    const left = numbered(0, 200, 0);
    const right = numbered(from, to, 1000);
    for (let time = 0; time < 4; time++) {
      const merged = updateAttrs(left, right);
      expect(merged.size).toBe(Math.max(200, to));
      for (let i = 0; i < merged.size; i++) {
        const expected = i >= from && i < to ? i + 1000 : i;
        expect(merged.get(`k${i}`)).toBe(expected);
        expect(merged.position(`k${i}`)?.line).toBe(expected);
      }
    }
  });

  test("shapes share their table", () => {
    const pair = shape("b", "a");
    expect(plain(pair(1, 2))).toEqual({ a: 2, b: 1 });
    expect(pair(1, 2).keys).toBe(pair(3, 4).keys);
  });

  test("concatenation keeps a lone list", () => {
    const list = [1, 2];
    expect(concatLists([[], list, []])).toBe(list);
    expect(concatLists([[1], [2, 3]])).toEqual([1, 2, 3]);
  });
});

describe("strings", () => {
  test("what coerces, and what not", () => {
    const more = { coerceMore: true, copyToStore: false };
    const nested: Value = [1, [2, []], null, true, false, new NixFloat(1.5), new NixPath("/p")];
    expect(coerceToString(world, nested, more)).toBe("1 2   1  1.500000 /p");
    expect(failure(() => coerceToString(world, 1)).message).toBe("cannot coerce an integer to a string: 1");
    expect(failure(() => coerceToString(world, Attrs.from([["x", 1]]), more)).message).toBe(
      "cannot coerce a set to a string: { x = 1; }",
    );
  });

  test("paths are copied and bring their context", () => {
    const string = interpolate(world, ["<", new NixPath("/file"), ">"]);
    expect(string).toEqual(new ContextString("</nix/store/hash-file>", new Set(["/nix/store/hash-file"])));
  });

  test("contexts are joined, and kept where one contains the other", () => {
    const small = new Set(["a"]);
    const big = new Set(["a", "b"]);
    expect(joinContexts(small, big)).toBe(big);
    expect(joinContexts(undefined, small)).toBe(small);
    expect(joinContexts(small, new Set(["c"]))).toEqual(new Set(["a", "c"]));
  });

  test("addition goes by the left operand", () => {
    expect(add(world, new NixPath("/a"), "/../b")).toEqual(new NixPath("/b"));
    expect(add(world, "x", new NixPath("/a"))).toEqual(
      new ContextString("x/nix/store/hash-a", new Set(["/nix/store/hash-a"])),
    );
    expect(() => add(world, 1, "a")).toThrow("cannot add a string to an integer");
    expect(() => add(world, new NixFloat(1), null)).toThrow("cannot add null to a float");
    expect(() => extendPath(world, [new NixPath("/a"), new ContextString("b", new Set(["x"]))])).toThrow(
      "a string that refers to a store path cannot be appended to a path",
    );
  });

  test("canonical paths", () => {
    expect(canonicalPath("//a/./b/../c/")).toBe("/a/c");
    expect(canonicalPath("/../..")).toBe("/");
  });
});
