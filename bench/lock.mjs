// Locking wheels beside bare `pip install --dry-run`, by the same interpreter and the same pip. See README.md.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { heading, interleave, line, roundsFrom, run } from "./measure.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = process.env.D2N_BENCH_DIST ?? join(root, "dist");
const main = join(dist, "cli/main.cjs");
const rounds = roundsFrom(process.argv.slice(2), 3);

/** Wheels all: what is pure, what is native, what is big, in the newest versions. With what they need, about a hundred. */
const wheels = (
  "aiohttp annotated-types anyio asgiref attrs beautifulsoup4 black blinker boto3 botocore celery certifi cffi " +
  "charset-normalizer click cryptography cycler django fastapi flask fonttools frozenlist h11 httpcore httpx idna " +
  "iniconfig itsdangerous jinja2 jmespath kiwisolver kombu lxml markdown-it-py markupsafe matplotlib mdurl multidict " +
  "mypy mypy-extensions numpy packaging pandas pathspec pillow platformdirs pluggy pycparser pydantic pygments pytest " +
  "python-dateutil pyyaml redis requests rich s3transfer scikit-learn scipy six soupsieve sqlalchemy starlette tqdm " +
  "typing-extensions urllib3 uvicorn werkzeug yarl"
).split(" ");

const flake = `{
  inputs = {
    dream2nix.url = "github:nix-community/dream2nix";
    nixpkgs.follows = "dream2nix/nixpkgs";
  };
  outputs = { dream2nix, nixpkgs, ... }: {
    packages.x86_64-linux.default = dream2nix.lib.evalModules {
      packageSets.nixpkgs = nixpkgs.legacyPackages.x86_64-linux;
      modules = [ ./default.nix { paths = { projectRoot = ./.; projectRootFile = "flake.nix"; package = ./.; }; } ];
    };
  };
}
`;
const module = `{ config, dream2nix, ... }: {
  imports = [ dream2nix.modules.dream2nix.pip ];
  deps = { nixpkgs, ... }: { python = nixpkgs.python3; };
  name = "bench";
  version = "1";
  pip.flattenDependencies = true;
  pip.requirementsList = [ ${wheels.map((name) => `"${name}"`).join(" ")} ];
}
`;

const work = mkdtempSync(join(process.env.D2N_BENCH_TMP ?? tmpdir(), "d2n-bench-lock-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
const project = join(work, "project");
const cache = join(work, "cache");
const pipCache = { ours: join(work, "pip-ours"), theirs: join(work, "pip-theirs") };
mkdirSync(project);
writeFileSync(join(project, "flake.nix"), flake);
writeFileSync(join(project, "default.nix"), module);
const environment = { ...process.env, XDG_CACHE_HOME: cache };
const quietly = { cwd: project, env: environment };
run(["git", "init", "-q"], quietly);
run(["git", "add", "."], quietly);

const lock = ["run", ".#default.lock"];
console.log("preparing: the interpreter and pip into the store");
run([process.execPath, main, ...lock], { ...quietly, env: { ...environment, PIP_CACHE_DIR: pipCache.ours } });
const out = run([process.execPath, main, "build", "--no-link", "--print-out-paths", ".#default.lock"], quietly).stdout;

// What d2n enters its store with, and the same files of pip's.
const { Context } = await import(pathToFileURL(join(dist, "app/context.js")).href);
const { enterStore } = await import(pathToFileURL(join(dist, "app/enter.js")).href);
const context = new Context({
  environment,
  cwd: project,
  sink: () => {},
  signal: new AbortController().signal,
  uid: process.getuid(),
  options: {},
});
const { fields } = JSON.parse(readFileSync(context.toPhysical(join(out.trim(), "lock-spec.json")), "utf8"));
const { interpreter, pipVersion } = fields[0].pip;
const enter = await enterStore(context);
const folder = readdirSync(join(cache, "d2n/lock")).find((name) => name.startsWith(`pip-${pipVersion}-`));
const site = join(cache, "d2n/lock", folder);

const bare = [
  ...[...enter, interpreter, "-c", "import sys; from pip._internal.cli.main import main; sys.exit(main())"],
  ...["install", "--dry-run", "--ignore-installed", "--progress-bar", "off", "--report", join(work, "report.json")],
  ...wheels,
];
const theirs = () =>
  run(bare, { cwd: project, env: { ...environment, PYTHONPATH: site, PIP_CACHE_DIR: pipCache.theirs } });
const ours = () =>
  run([process.execPath, main, ...lock], { cwd: project, env: { ...environment, PIP_CACHE_DIR: pipCache.ours } });

/** Takes away all that was downloaded, and leaves interpreter, pip and evaluation. */
const cold = (contender) => () => {
  for (const path of [pipCache.ours, pipCache.theirs, join(cache, "d2n/content")])
    rmSync(path, { recursive: true, force: true });
  return contender();
};

console.log(`${wheels.length} wheels named; minimum of ${rounds} runs each, in turn; seconds, megabytes.`);
console.log(heading("d2n", "pip"));
const report = (name, contenders) => console.log(line(name, ...interleave(contenders, rounds)));
report("nothing downloaded before", [cold(ours), cold(theirs)]);
ours();
theirs();
report("everything downloaded before", [ours, theirs]);
const locked = JSON.parse(readFileSync(join(project, "lock.x86_64-linux.json"), "utf8"));
const { install } = JSON.parse(readFileSync(join(work, "report.json"), "utf8"));
const count = Object.keys(locked.fetchPipMetadata.sources).length;
if (count !== install.length) throw new Error(`d2n locked ${count} packages, pip ${install.length}`);
const built = Object.values(locked.fetchPipMetadata.sources).filter(({ url }) => !url?.endsWith(".whl")).length;
console.log(
  `${count} packages locked, ${built} of them source distributions${existsSync(join(project, "d2n.lock")) ? "" : ", no build systems"}`,
);
