/** `lib.kernel`: answers to the questions of Linux's configuration. */
import { Attrs, type Evaluator, forceAttrs, type Lazy, lazy, updateAttrs } from "../lang/index.ts";
import { call, fn, type Namespace } from "./support.ts";

const answer = (tristate: string | null): Attrs =>
  Attrs.from([
    ["tristate", tristate],
    ["optional", false],
  ]);

/** What `mkIf` makes: the module system's own property, which is nothing but a set. */
const onlyIf = (condition: Lazy, content: Lazy): Attrs =>
  Attrs.from([
    ["_type", "if"],
    ["condition", condition],
    ["content", content],
  ]);

export function kernelNamespace(ev: Evaluator): Namespace {
  const compare = (a: Lazy, b: Lazy): number => Number(call(ev.builtins.get("compareVersions")!, a, b));
  return {
    yes: answer("y"),
    no: answer("n"),
    module: answer("m"),
    unset: answer(null),
    option: fn("option", 1, (value) => updateAttrs(forceAttrs(value), Attrs.from([["optional", true]]))),
    freeform: fn("freeform", 1, (value) =>
      Attrs.from([
        ["freeform", value],
        ["optional", false],
      ]),
    ),
    whenHelpers: fn("whenHelpers", 1, (version) => {
      const atLeast = (wanted: Lazy): boolean => compare(version, wanted) >= 0;
      return Attrs.from([
        [
          "whenAtLeast",
          fn("whenAtLeast", 2, (wanted, value) =>
            onlyIf(
              lazy(() => atLeast(wanted)),
              value,
            ),
          ),
        ],
        [
          "whenOlder",
          fn("whenOlder", 2, (wanted, value) =>
            onlyIf(
              lazy(() => !atLeast(wanted)),
              value,
            ),
          ),
        ],
        [
          "whenBetween",
          fn("whenBetween", 3, (low, high, value) =>
            onlyIf(
              lazy(() => atLeast(low) && !atLeast(high)),
              value,
            ),
          ),
        ],
      ]);
    }),
  };
}
