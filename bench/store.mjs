// Hashing a tree as a NAR, as adding it to a store does, beside real Nix. See README.md.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { heading, interleave, line, roundsFrom, run } from "./measure.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = process.env.D2N_BENCH_DIST ?? join(root, "dist");
const oracle = process.env.NIX_ORACLE;
const rounds = roundsFrom(process.argv.slice(2), 3);
if (oracle === undefined) console.log("Skipped: real Nix. NIX_ORACLE names the command that runs it.");

const folder = mkdtempSync(join(tmpdir(), "d2n-bench-"));
try {
  const many = join(folder, "many");
  for (let i = 0; i < 4000; i++) {
    const inner = join(many, String(i % 40));
    mkdirSync(inner, { recursive: true });
    writeFileSync(join(inner, `file-${i}`), `content ${i}\n`.repeat(1 + (i % 50)));
  }
  const large = join(folder, "large");
  writeFileSync(large, Buffer.alloc(200_000_000, "some bytes that repeat, "));

  const code = `import { formatHash, hashNarSync } from ${JSON.stringify(pathToFileURL(join(dist, "formats/index.js")).href)};
    console.log(formatHash(hashNarSync(process.argv[1]).hash, "base16"));`;
  console.log(`Minimum of ${rounds} runs each, in turn; seconds, megabytes.\n${heading("d2n", "Nix")}`);
  for (const [name, path] of [
    ["hash: 4,000 small files", many],
    ["hash: one of 200 MB", large],
  ]) {
    const ours = () => run([process.execPath, "--input-type=module", "-e", code, path]);
    const theirs = () => run([oracle, "nix-hash", "--type", "sha256", path]);
    const [mine, nix] = interleave(oracle === undefined ? [ours] : [ours, theirs], rounds);
    console.log(
      line(name, mine, nix) + (nix !== undefined && nix.stdout.trim() !== mine.stdout.trim() ? "  RESULTS DIFFER" : ""),
    );
  }

  // Adding: the whole way through `builtins.path` into a fresh store each time.
  const expression = (path) => `builtins.path { path = ${path}; name = "x"; }`;
  let stores = 0;
  const fresh = () => ({ env: { ...process.env, NIX_REMOTE: join(folder, `store-${stores++}`) } });
  const evaluate = ["--eval", "--read-write-mode", "--expr"];
  const ours = () =>
    run(
      [process.execPath, join(dist, "cli/classic/main.cjs"), "nix-instantiate", ...evaluate, expression(many)],
      fresh(),
    );
  const theirs = () => run([oracle, "nix-instantiate", ...evaluate, expression(many)], fresh());
  try {
    const [mine, nix] = interleave(oracle === undefined ? [ours] : [ours, theirs], rounds);
    console.log(
      line("add: 4,000 small files", mine, nix) +
        (nix !== undefined && nix.stdout !== mine.stdout ? "  RESULTS DIFFER" : ""),
    );
  } catch (error) {
    console.log(
      `${"add: 4,000 small files".padEnd(30)} failed: ${error.message.trim().split("\n").slice(0, 4).join("\n    ")}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
