// What a user waits for where nothing is to be done: the start of d2n, an evaluation, a second build. See README.md.
import { heading, interleave, line, roundsFrom, run } from "./measure.mjs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = process.env.D2N_BENCH_DIST ?? join(root, "dist");
const main = join(dist, "cli/main.cjs");
const rounds = roundsFrom(process.argv.slice(2), 5);
const project = process.env.D2N_BENCH_PROJECT;

const empty = () => run([process.execPath, "-e", "0"]);
const d2n = (args, options) => () => run([process.execPath, main, ...args], options);

function compare(name, contender) {
  try {
    const [ours, node] = interleave([contender, empty], rounds);
    console.log(line(name, ours, node));
  } catch (error) {
    console.log(`${name.padEnd(30)} failed: ${error.message.trim().split("\n").slice(0, 4).join("\n    ")}`);
  }
}

console.log(
  `Minimum of ${rounds} runs each, in turn, beside \`node -e 0\`; seconds, megabytes.\n${heading("d2n", "node")}`,
);
compare("d2n --version", d2n(["--version"]));
compare("d2n --help", d2n(["--help"]));
compare("nix-instantiate of a shim: 1", () =>
  run([process.execPath, join(dist, "cli/classic/main.cjs"), "nix-instantiate", "--eval", "-E", "1"], {
    env: { ...process.env, NIX_REMOTE: "dummy://" },
  }),
);
if (project === undefined)
  console.log(
    "Skipped: a project. D2N_BENCH_PROJECT names a folder whose flake has been built once (D2N_STORE: in which store).",
  );
else {
  const options = { cwd: project };
  compare("eval of its drvPath, anew", d2n(["eval", "--no-eval-cache", ".#default.drvPath"], options));
  compare("eval of its drvPath, again", d2n(["eval", ".#default.drvPath"], options));
  compare("lock --check, anew", d2n(["lock", "--check", "--no-eval-cache"], options));
  compare("lock --check, again", d2n(["lock", "--check"], options));
  compare("build, nothing to do", d2n(["build", "--no-link", ".#default"], options));
}
