import { it } from "vitest";
import { createEvaluator } from "../lang/evaluator.ts";
import { MemoryHost } from "../lang/testing.ts";
import { createLib } from "./index.ts";
import { D2nError } from "../base/index.ts";
import { force, textOf, type Value } from "../lang/index.ts";
import { readFileSync } from "node:fs";

it("upstream modules", () => {
  let ok = 0, all = 0;
  for (const line of readFileSync("/tmp/f/ut/recorded.tsv", "utf8").trimEnd().split("\n")) {
    const [kind, , no, pattern, attr, modules] = line.split("\t");
    all++;
    const host = new MemoryHost();
    const ev = createEvaluator({ host });
    const lib = createLib(ev);
    const regex = new RegExp(pattern!.replaceAll("[:alnum:]", "a-zA-Z0-9").replace(/\\</g,"<"), "m");
    let out = "", err = "";
    try {
      const source = kind === "expr" ? `import ${modules} { inherit lib; }` : `(import ./default.nix lib { modules = [ ${modules} ];}).${attr}`.replace(/^(.*?)((?:\.[A-Za-z_"<>*'-][^.]*|\.[A-Za-z0-9_-]*[A-Za-z_-][A-Za-z0-9_-]*)*)\.(\d+)(\..*)?$/s, "(__elemAt ($1$2) $3)$4");
      const v: Value = ev.evaluate(source, { basePath: "/tmp/f/ut/modules", scope: new Map([["LIB", lib], ["lib", lib]]) });
      out = textOf(force(ev.call(ev.builtins.get("toJSON")!, v)) as string);
    } catch (e) {
      err = e instanceof D2nError ? [e.message, e.details, e.hint, ...e.trace.map((t) => t.message)].join("\n") : String((e as Error).stack);
    }
    if (kind === "output" ? regex.test(out) && err === "" : kind === "error" ? err !== "" : err === "") { ok++; if (kind === "error" && !regex.test(err) && !process.env.QUIET) console.log(`MSG ${no} ${pattern}\n    GOT ${err.slice(0,300)}`); continue; }
    console.log(`${kind} ${no} ${attr} ${modules} want ${pattern}\n   GOT out=${out.slice(0, 300)} err=${err.slice(0, 500)}`);
  }
  console.log("ok", ok, "of", all);
}, 120000);
