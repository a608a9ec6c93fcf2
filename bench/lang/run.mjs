// Evaluation by d2n and by real Nix, in turn, process start included. See ../README.md.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { filterFrom, heading, interleave, line, roundsFrom, run } from "../measure.mjs";
import { cases } from "./cases.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const main = join(process.env.D2N_BENCH_DIST ?? join(root, "dist"), "cli/classic/main.js");
const oracle = process.env.NIX_ORACLE;
const tree = process.env.D2N_BENCH_NIXPKGS;
const rounds = roundsFrom(process.argv.slice(2), 5);
const filter = filterFrom(process.argv.slice(2));

if (oracle === undefined)
  console.log("Skipped: real Nix. NIX_ORACLE names the command that runs it (`$NIX_ORACLE nix-instantiate …`).");
if (tree === undefined) console.log("Skipped: everything that needs a nixpkgs. D2N_BENCH_NIXPKGS names a tree.");
console.log(`Minimum of ${rounds} runs each, in turn; seconds, megabytes.\n${heading("d2n", "Nix")}`);

const folder = mkdtempSync(join(tmpdir(), "d2n-bench-"));
try {
  const env = { ...process.env, NIX_REMOTE: "dummy://" };
  for (const { name, text, tree: needsTree, strict } of cases) {
    if (!name.includes(filter) || (needsTree && tree === undefined)) continue;
    const file = join(folder, "case.nix");
    writeFileSync(file, text.replaceAll("TREE", tree ?? ""));
    const args = ["--eval", ...(strict ? ["--strict"] : []), file];
    const ours = () => run([process.execPath, main, "nix-instantiate", ...args], { env });
    const theirs = () => run([oracle, "nix-instantiate", ...args], { env });
    try {
      // Once beforehand: file caches, and d2n's cache of parsed files.
      ours();
      const [mine, nix] = interleave(oracle === undefined ? [ours] : [ours, theirs], rounds);
      console.log(line(name, mine, nix) + (nix !== undefined && nix.stdout !== mine.stdout ? "  RESULTS DIFFER" : ""));
    } catch (error) {
      console.log(`${name.padEnd(30)} failed: ${error.message.trim().split("\n").slice(0, 6).join("\n    ")}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
