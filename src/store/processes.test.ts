/** Several processes on one store, killed at any moment. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LocalStore } from "./index.ts";

let root: string;
let script: string;

/** Node.js 20 runs no TypeScript: the layers that the children need are translated first. */
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "d2n-processes-"));
  const source = resolve(import.meta.dirname, "..");
  mkdirSync(join(root, "node_modules"));
  for (const name of ["libsql", "fs-native-extensions"])
    symlinkSync(resolve(source, "../node_modules", name), join(root, "node_modules", name));
  writeFileSync(join(root, "package.json"), '{ "type": "module" }');
  for (const layer of ["base", "formats", "store"]) {
    mkdirSync(join(root, layer));
    for (const file of readdirSync(join(source, layer)).filter((name) => /(?<!\.test)\.ts$/.test(name))) {
      const { outputText } = ts.transpileModule(readFileSync(join(source, layer, file), "utf8"), {
        compilerOptions: {
          target: ts.ScriptTarget.ES2022,
          module: ts.ModuleKind.ESNext,
          rewriteRelativeImportExtensions: true,
          verbatimModuleSyntax: true,
        },
      });
      writeFileSync(join(root, layer, file.replace(/\.ts$/, ".js")), outputText);
    }
  }
  script = join(root, "child.js");
  writeFileSync(
    script,
    `import { mkdirSync, writeFileSync, existsSync } from "node:fs";
     import { LocalStore } from "./store/index.js";
     const [, , dir, seed, rounds] = process.argv;
     const store = await LocalStore.open({ rootDir: dir });
     let state = Number(seed);
     const random = (n) => (state = (state * 1103515245 + 12345) % 2147483648) % n;
     const file = (text) => ({ type: "regular", executable: false, contents: Buffer.from(text) });
     console.log("ready");
     for (let i = 0; i < Number(rounds); i++) {
       const n = random(12);
       const text = store.addTextSync("text-" + n, "text " + n);
       const entries = new Map(Array.from({ length: 40 }, (_, k) => ["f" + k, file(n + " " + k)]));
       const tree = await store.addTree({ tree: { type: "directory", entries } }, { name: "tree-" + n });
       const path = store.storeDir + "/" + "0123456789ab"[n].repeat(32) + "-out-" + n;
       const lock = await store.lockPaths([path]);
       if (!store.isValidPathSync(path)) {
         await store.deleteLeftover(path);
         const place = store.toPhysical(path);
         mkdirSync(place);
         for (let k = 0; k < 20; k++) writeFileSync(place + "/" + k, tree.path + text);
         await store.registerOutputs([{ name: "out", path }], { candidates: [text, tree.path] });
         console.log("built " + n);
       }
       lock.release({ delete: true });
     }
     await store.close();`,
  );
});
afterAll(() => {
  execFileSync("chmod", ["-R", "u+rwX", root]);
  rmSync(root, { recursive: true, force: true });
});

function start(
  dir: string,
  seed: number,
  rounds: number,
): { readonly child: ChildProcess; readonly output: () => string } {
  const child = spawn(process.execPath, [script, dir, String(seed), String(rounds)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (text += bytes.toString()));
  return { child, output: () => text };
}

async function check(dir: string): Promise<void> {
  const store = await LocalStore.open({ rootDir: dir });
  const { problems } = await store.verify({ contents: true });
  expect(problems.filter(({ problem }) => problem !== "unregistered")).toEqual([]);
  await store.collectGarbage({ action: { type: "delete-dead" }, processRoots: false });
  expect((await store.verify({ contents: true })).problems).toEqual([]);
  expect(readdirSync(store.physicalStoreDir)).toEqual([".links"]);
  expect(readdirSync(join(store.stateDir, "temproots"))).toEqual([]);
  await store.close();
}

describe.each(["native locks", "locks by owner files"])("several processes with %s", (locks) => {
  beforeAll(() => {
    if (locks !== "native locks") rmSync(join(root, "node_modules/fs-native-extensions"));
  });

  it("make a store together, each path once", async () => {
    const dir = join(root, `together ${locks}`);
    const children = [1, 2, 3].map((seed) => start(dir, seed, 25));
    for (const { child, output } of children) {
      if (child.exitCode === null) await once(child, "exit");
      expect(output()).not.toContain("Error");
      expect(child.exitCode).toBe(0);
    }
    const built = children.flatMap(({ output }) => output().match(/built [0-9]+/g) ?? []);
    expect(new Set(built).size).toBe(built.length);
    await check(dir);
  });

  it("killed at any moment leave a store that verifies and works on", async () => {
    const dir = join(root, `killed ${locks}`);
    for (let round = 0; round < 6; round++) {
      const children = [start(dir, round * 2 + 1, 1000), start(dir, round * 2 + 2, 1000)];
      for (const { child, output } of children)
        while (!output().includes("ready") && child.exitCode === null)
          await new Promise((wake) => setTimeout(wake, 10));
      await new Promise((wake) => setTimeout(wake, 20 + round * 37));
      for (const { child } of children) child.kill("SIGKILL");
      for (const { child, output } of children) {
        if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
        expect(output()).not.toContain("Error");
      }
    }
    const last = start(dir, 99, 20);
    await once(last.child, "exit");
    expect(last.output()).not.toContain("Error");
    await check(dir);
  });
});
