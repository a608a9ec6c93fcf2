import { it } from "vitest";
import { createEvaluator } from "../lang/evaluator.ts";
import { MemoryHost } from "../lang/testing.ts";
import { createLib } from "./index.ts";
import { showPretty } from "../lib/index.ts";
import { D2nError } from "../base/index.ts";
import { Attrs, force, equal, callFunction } from "../lang/index.ts";

it("upstream misc", () => {
  const host = new MemoryHost();
  const ev = createEvaluator({ host });
  const lib = createLib(ev);
  const tests = callFunction(ev.importFile("/tmp/f/ut/misc2.nix"), lib) as Attrs;
  let ok = 0;
  for (const [name, t] of tests.entries()) {
    try {
      const a = force(t) as Attrs;
      const expr = a.get("expr")!, expected = a.get("expected")!;
      if (equal(expr, expected)) ok++;
      else console.log("DIFF", name, showPretty(expr, {multiline:false,unevaluated:"?"}).slice(0, 600), "\n   EXPECTED", showPretty(expected, {multiline:false, unevaluated:"?"}).slice(0, 600));
    } catch (e) {
      console.log("FAIL", name, e instanceof D2nError ? e.message.slice(0,300) + " | " + JSON.stringify(e.location?.line) + e.trace.slice(0,3).map((t) => t.message).join(" ; ") : String((e as Error).stack).slice(0, 600));
    }
  }
  console.log("ok", ok, "of", tests.size);
}, 60000);
