import { it } from "vitest";
import { createEvaluator } from "../lang/evaluator.ts";
import { MemoryHost } from "../lang/testing.ts";
import { createLib } from "./index.ts";
import { showPretty } from "../lib/index.ts";
import { D2nError } from "../base/index.ts";
import { readFileSync } from "node:fs";

it("plays", () => {
  const host = new MemoryHost();
  const ev = createEvaluator({ host });
  const lib = createLib(ev);
  for (const source of readFileSync("/tmp/f/exprs.txt", "utf8").split("\n---\n")) {
    try {
      const v = ev.evaluate(source, { basePath: "/tmp/f", scope: new Map([["lib", lib]]) });
      console.log(showPretty(v));
    } catch (e) {
      if (e instanceof D2nError) console.log(e.name, e.code, e.message, "\nHINT", e.hint, "\nLOC", JSON.stringify(e.location), "\nDETAILS", e.details, "\nTRACE", e.trace.map((t) => t.message).join("\n  "));
      else console.log(e);
    }
  }
  console.log(host.messages);
});
