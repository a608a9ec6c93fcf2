/** Examples for the help of each command, and for the page that is made of it. */
import type { Command } from "commander";

/** By command: what to type, and what it does. */
const examples: Readonly<Record<string, readonly (readonly [command: string, meaning: string])[]>> = {
  build: [
    ["d2n build .", "the package `default` of this folder's flake; ./result leads to it"],
    ["d2n build .#tool -o tool", "another package, another link"],
    ["d2n build . --no-link --print-out-paths", "no link; the store path on standard output"],
    ["d2n build . --rebuild", "builds again what is there, and fails if it differs"],
  ],
  run: [
    ["d2n run .#default.lock", "locks the dependencies of `default` with pip"],
    ["d2n run . -- --help", "the program of the package, with an argument of its own"],
    ["d2n run .#default.pyEnv -- -m pytest", "the Python with everything that is locked"],
  ],
  develop: [
    ["d2n develop", "a shell with the sources of this folder and the locked packages"],
    ["d2n develop -c pytest -q", "one command in it; its exit status is that of d2n"],
    ["d2n develop .#docs", "devShells.<system>.docs, or the shell of the package docs"],
    ["d2n develop --build", "a phase of the package's build, in this folder"],
    ["d2n develop --build-env -i", "what a build sees; `genericBuild` runs its phases"],
  ],
  "print-dev-env": [
    ['eval "$(d2n print-dev-env)"', "in a bash, or in the .envrc of direnv"],
    ["d2n print-dev-env .#docs > env.sh", "keeps it for later"],
  ],
  shell: [
    ["d2n shell nixpkgs#jq nixpkgs#git", "a shell with these two on the PATH"],
    ["d2n shell . -c my_tool --help", "a program of this folder's package"],
  ],
  eval: [
    ["d2n eval .#default.version", "a value as Nix code"],
    ["d2n eval --json .#default.config.pip.requirementsList", "as JSON"],
    ["d2n eval --raw .#default.outPath", "a text as it is"],
  ],
  repl: [
    ["d2n repl", "an empty one: 1 + 1"],
    ["d2n repl .", "with the outputs of this folder's flake in scope"],
  ],
  log: [
    ["d2n log .", "how the last build of `default` went"],
    ["d2n log /nix/store/….drv", "of what an error message names"],
  ],
  "store verify": [
    ["d2n store verify", "reads everything and compares it with its hash"],
    ["d2n store verify --repair", "forgets what is gone, so that it is built again"],
  ],
  "store gc": [
    ["d2n store gc --dry-run", "says what would be deleted"],
    ["d2n store gc", "deletes it"],
  ],
  "store path-info": [
    ["d2n store path-info ./result", "the store path that a link leads to"],
    ["d2n store path-info -r ./result", "with everything that it needs to run"],
  ],
  "flake init": [["d2n flake init -t local-project", "writes the files of a project, and says how to go on"]],
  "flake new": [["d2n flake new tool -t ../templates#app", "a template of another flake, in the new folder tool"]],
  "flake prefetch": [
    ["d2n flake prefetch --json git+https://example.org/tool", "its commit, its hash, and where it is in the store"],
  ],
  "flake prefetch-inputs": [["d2n flake prefetch-inputs", "what an evaluation with --offline needs"]],
  "flake archive": [["d2n flake archive --json", "where this folder's flake and its inputs are in the store"]],
  "flake clone": [["d2n flake clone git+https://example.org/tool --dest tool", "a checkout to work in"]],
  "flake show": [["d2n flake show", "what this folder's flake offers"]],
  "flake metadata": [
    ["d2n flake metadata", "this folder's flake: its address, and what its inputs are locked to"],
    ["d2n flake metadata --json .", "for programs"],
  ],
  "flake check": [
    ["d2n flake check", "evaluates everything that this folder's flake offers, and builds its `checks`"],
    ["d2n flake check --no-build", "evaluates only"],
  ],
  "flake lock": [["d2n flake lock", "writes flake.lock, for inputs that are new"]],
  "flake update": [
    ["d2n flake update", "all inputs and Debian packages, security updates included"],
    ["d2n flake update nixpkgs", "this input alone"],
  ],
  lock: [
    ["d2n lock .#default", "the same as `d2n run .#default.lock`"],
    ["d2n lock --check", "says in a moment whether all locks are current"],
  ],
  config: [
    ["d2n config", "all settings"],
    ["d2n config debian-mirror http://mirror.example.org/debian", "sets one"],
    ["d2n config debian-mirror --unset", "forgets it"],
  ],
  shims: [["d2n shims ~/shims && PATH=~/shims:$PATH nix-build", "a script's `nix-build` is now d2n"]],
};

/** Puts the examples behind the options of each command below this one. */
export function addExamples(parent: Command, path: readonly string[] = []): void {
  for (const command of parent.commands) {
    const here = [...path, command.name()];
    const own = examples[here.join(" ")];
    if (own !== undefined) {
      const width = Math.max(...own.map(([words]) => words.length));
      command.addHelpText(
        "after",
        `\nExamples:\n${own.map(([words, meaning]) => `  ${words.padEnd(width)}   ${meaning}`).join("\n")}`,
      );
    }
    addExamples(command, here);
  }
}
