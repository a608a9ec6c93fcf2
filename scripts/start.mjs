// `npm start`: the guide's Pillow example from nothing, in a copy with a git repository of its own.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, root, setUp } from "./setup.mjs";

setUp();
build();

const started = performance.now();
const project = mkdtempSync(join(tmpdir(), "d2n-pillow-"));
cpSync(join(root, "examples/pillow"), project, { recursive: true });
const d2n = join(root, "dist/cli/main.cjs");
const step = (program, args) => {
  process.stdout.write(
    `\n$ ${program === process.execPath ? ["d2n", ...args.slice(1)].join(" ") : [program, ...args].join(" ")}\n`,
  );
  const { status } = spawnSync(program, args, { cwd: project, stdio: "inherit" });
  if (status !== 0) {
    process.stdout.write(`\nThis failed. The project is left in ${project}.\n`);
    process.exit(status ?? 1);
  }
};
step("git", ["init", "-q"]);
step("git", ["add", "."]);
step(process.execPath, [d2n, "run", ".#default.lock"]);
step("git", ["add", "lock.x86_64-linux.json"]);
step(process.execPath, [d2n, "build", ".#default"]);
step(process.execPath, [
  d2n,
  "run",
  ".#env",
  "--",
  "-c",
  "from PIL import features; print('Pillow with libjpeg', features.version('jpg'), 'and zlib', features.version('zlib'))",
]);
process.stdout.write(`\nDone in ${((performance.now() - started) / 1000).toFixed(0)} s.\n`);
rmSync(project, { recursive: true, force: true });
