// Evaluation by d2n and by real Nix, in turn, process start included. See ../README.md.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { filterFrom, heading, interleave, line, roundsFrom, run } from "../measure.mjs";
import { cases, goalFor, guide } from "./cases.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const dist = process.env.D2N_BENCH_DIST ?? join(root, "dist");
const oracle = process.env.NIX_ORACLE;
const tree = process.env.D2N_BENCH_NIXPKGS;
const project = process.env.D2N_BENCH_PROJECT;
const rounds = roundsFrom(process.argv.slice(2), 5);
const filter = filterFrom(process.argv.slice(2));

if (oracle === undefined)
  console.log("Skipped: real Nix. NIX_ORACLE names the command that runs it (`$NIX_ORACLE nix-instantiate …`).");
if (tree === undefined) console.log("Skipped: everything that needs a nixpkgs. D2N_BENCH_NIXPKGS names a tree.");
if (project === undefined)
  console.log(
    "Skipped: the guide's flake. D2N_BENCH_PROJECT names a folder with it, locked (D2N_STORE: the store that it uses).",
  );
console.log(
  `Minimum of ${rounds} runs each, in turn; seconds, megabytes. OVER: beyond the goal.\n${heading("d2n", "Nix")}`,
);

const folder = mkdtempSync(join(tmpdir(), "d2n-bench-"));
const env = { ...process.env, NIX_REMOTE: "dummy://" };

/** The arguments for a case of both programs. */
function argumentsFor({ text, strict }) {
  const file = join(folder, "case.nix");
  writeFileSync(file, text.replaceAll("TREE", tree ?? ""));
  return ["--eval", ...(strict ? ["--strict"] : []), file];
}

const instantiate = (args) => () =>
  run([process.execPath, join(dist, "cli/classic/main.cjs"), "nix-instantiate", ...args], { env });
const realNix = (args) => () => run([oracle, "nix-instantiate", ...args], { env });

/** Prints what a comparison gives, or why it gives nothing. */
function report(name, ours, theirs, goal) {
  try {
    // Once beforehand: the system's file cache, and d2n's caches of parsed files and compiled code.
    ours();
    const [mine, nix] = interleave(theirs === undefined ? [ours] : [ours, theirs], rounds);
    const notes = [];
    if (nix !== undefined) {
      if (nix.stdout !== undefined && nix.stdout !== mine.stdout) notes.push("RESULTS DIFFER");
      if (mine.wall > goal(nix.wall)) notes.push(`OVER ${goal(nix.wall).toFixed(2)} s`);
      if (nix.memory !== undefined && mine.memory > 2 * nix.memory) notes.push("OVER twice the memory");
    }
    console.log([line(name, mine, nix), ...notes].join("  "));
  } catch (error) {
    console.log(`${name.padEnd(30)} failed: ${error.message.trim().split("\n").slice(0, 6).join("\n    ")}`);
  }
}

try {
  for (const each of cases) {
    if (!each.name.includes(filter) || (each.tree && tree === undefined)) continue;
    const args = argumentsFor(each);
    report(each.name, instantiate(args), oracle && realNix(args), (nix) => goalFor(each, nix));
  }
  if (guide.name.includes(filter) && project !== undefined) {
    const command = [process.execPath, join(dist, "cli/main.cjs"), "eval", "--no-eval-cache", ".#default.drvPath"];
    const yardstick = cases.find(({ name }) => name === guide.yardstick);
    const args = argumentsFor(yardstick);
    const scaled = () => {
      const { wall, cpu } = realNix(args)();
      return { wall: wall * guide.factor, cpu: cpu * guide.factor };
    };
    report(
      guide.name,
      () => run(command, { cwd: project }),
      oracle && tree && scaled,
      (nix) => nix * guide.goal,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
