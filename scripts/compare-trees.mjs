#!/usr/bin/env node
/**
 * Compares d2n with real Nix on whole trees of Nix code: derivation paths, `meta`, NixOS, module options, and errors.
 *
 *     NIX_ORACLE=… D2N_TREES=DIR[:DIR…] node scripts/compare-trees.mjs [--sample N] [--only PART] [--seed TEXT] [--errors N] [--memory GIB] [--keep]
 *     NIX_ORACLE=… node scripts/compare-trees.mjs --expression EXPR     all attributes of one set
 *
 * Each directory of D2N_TREES is a checkout of nixpkgs, of any year, and stays outside this repository. Of every package
 * set in it (Python's, Perl's, cross compilers', …) a sample of attributes is taken, the same one for the same seed; both
 * evaluators get them in one process each, and are started again after an error that `tryEval` does not catch. What cannot be
 * evaluated is evaluated once more alone, and the last lines of both messages are compared.
 *
 * With --write, derivations and sources are written to stores of their own, so that what was copied can be read.
 * Exits with 1 if anything differs, with 2 if there was nothing to compare.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    sample: { type: "string", default: "120" },
    only: { type: "string", default: "" },
    seed: { type: "string", default: "1" },
    errors: { type: "string", default: "3" },
    expression: { type: "string", multiple: true, default: [] },
    memory: { type: "string", default: "8" },
    write: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});

const oracle = process.env.NIX_ORACLE;
const trees = (process.env.D2N_TREES ?? "").split(":").filter((tree) => tree !== "");
if (oracle === undefined || (trees.length === 0 && options.expression.length === 0)) {
  console.error("compare-trees: NIX_ORACLE and D2N_TREES say what to compare; nothing was compared");
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), "d2n-trees-"));
const main = resolve(import.meta.dirname, "../dist/cli/classic/main.cjs");
const environment = { ...process.env, HOME: scratch, NIX_PATH: "", NIX_REMOTE: "", D2N_STORE: join(scratch, "d2n") };
// What never ends takes all memory of the machine in Nix; d2n has a limit of its own.
const limited = ["sh", "-c", `ulimit -v ${Number(options.memory) * 1024 * 1024}; exec "$@"`, "sh"];
const nix = {
  name: "nix",
  command: [...limited, ...oracle.split(" "), "nix-instantiate", "--store", join(scratch, "nix")],
};
const d2n = { name: "d2n", command: [process.execPath, main, "nix-instantiate"] };

/** Package sets beneath `pkgs` that are worth a sample of their own, where a tree has them. */
const packageSets = [
  "",
  ..."python3Packages python2Packages python27Packages python36Packages python311Packages pypy3Packages".split(" "),
  ..."perlPackages haskellPackages haskell.compiler nodePackages ocamlPackages rPackages rubyPackages luaPackages".split(
    " ",
  ),
  ..."phpPackages emacsPackages vimPlugins vscode-extensions beamPackages erlangPackages coqPackages agdaPackages".split(
    " ",
  ),
  ..."linuxPackages linuxPackages_latest linuxKernel.kernels xorg gnome3 gnome kdeApplications kdePackages kde4".split(
    " ",
  ),
  ..."plasma5 qt5 qt6Packages qt6 libsForQt5 lxqt pantheon xfce mate cinnamon deepin enlightenment gst_all_1".split(
    " ",
  ),
  ..."llvmPackages llvmPackages_latest rustPackages goPackages dotnetCorePackages javaPackages lispPackages sbclPackages".split(
    " ",
  ),
  ..."idrisPackages chickenPackages octavePackages fishPlugins tree-sitter-grammars texlive.pkgs texlive".split(" "),
  ..."androidenv darwin tests nixosTests home-assistant-component-tests dockerTools fetchers haskell.packages.ghc96".split(
    " ",
  ),
  ..."stdenvAdapters gcc8Stdenv clangStdenv vmTools make-bootstrap-tools python3.pkgs.pythonImportsCheckHook".split(
    " ",
  ),
  ..."pkgsMusl pkgsStatic pkgsi686Linux pkgsLLVM pkgsCross.aarch64-multiplatform pkgsCross.mingwW64".split(" "),
  ..."pkgsCross.raspberryPi pkgsCross.riscv64 pkgsCross.avr pkgsCross.wasi32 pkgsCross.musl64 pkgsCross.ghcjs".split(
    " ",
  ),
  ..."pkgsCross.aarch64-multiplatform.python3Packages pkgsCross.iphone64 pkgsCross.mmix".split(" "),
];

/** Where the package set comes from: a platform each, and the strict default configuration, whose refusals count too. */
const worlds = [
  { name: "linux", sets: packageSets, import: 'system = "x86_64-linux"; config = permissive;' },
  { name: "strict", sets: ["", "python3Packages"], import: 'system = "x86_64-linux"; config = { };' },
  { name: "darwin", sets: ["", "python3Packages", "darwin"], import: 'system = "x86_64-darwin"; config = permissive;' },
  { name: "aarch64", sets: ["", "linuxPackages"], import: 'system = "aarch64-linux"; config = permissive;' },
  {
    name: "overlaid",
    sets: ["", "python3Packages"],
    import: `system = "x86_64-linux"; config = permissive // { packageOverrides = super: { gmp = super.gmp.overrideAttrs (old: { d2n = true; }); }; };
      overlays = [ (final: prev: { zlib = prev.zlib.overrideAttrs (old: { doCheck = false; }); }) ];`,
  },
];

const permissive =
  "{ allowUnfree = true; allowBroken = true; allowUnsupportedSystem = true; allowInsecurePredicate = p: true; android_sdk.accept_license = true; allowAliases = true; }";

function pkgsOf(tree, world) {
  return `let permissive = ${permissive}; in import ${tree} { ${world.import} }`;
}

/**
 * A program that says for each attribute what became of it, `@@ PATH  =>  RESULT`, in order and on standard error.
 * @param {string} set - an expression
 * @param {string[][]} paths
 */
function walker(set, paths) {
  return `let
  set = ${set};
  select = set: path: if path == [ ] then set else select set.\${builtins.head path} (builtins.tail path);
  try = f: let r = builtins.tryEval f; in if r.success then r.value else "throws";
  hash = value: builtins.hashString "sha256" (builtins.unsafeDiscardStringContext (builtins.toJSON value));
  plain = { position = 1; description = 1; license = 1; platforms = 1; maintainers = 1; homepage = 1; broken = 1; available = 1; outputsToInstall = 1; mainProgram = 1; };
  describe = value:
    if builtins.isAttrs value then
      if value ? drvPath && (value.type or "") == "derivation" then
        builtins.unsafeDiscardStringContext "\${value.drvPath} \${toString (value.outPath)} \${value.name} \${try (hash (builtins.intersectAttrs plain (value.meta or { })))}"
      else
        "set " + toString (builtins.length (builtins.attrNames value)) + hash (builtins.attrNames value)
    else if builtins.isFunction value then "function " + hash (builtins.functionArgs value)
    else if builtins.isList value then "list " + toString (builtins.length value)
    else builtins.typeOf value + " " + hash value;
  show = path: builtins.trace "@> \${path.shown}" (let r = try (describe (select set path.parts)); in builtins.seq r (builtins.trace "@@ \${path.shown}  =>  \${r}" null));
in builtins.foldl' (done: path: builtins.seq (show path) done) "done" [
${paths.map((parts) => `  { shown = ${nixText(shown(parts))}; parts = [ ${parts.map(nixText).join(" ")} ]; }`).join("\n")}
]`;
}

const nixText = (text) => JSON.stringify(text).replaceAll("${", "\\${");
const shown = (parts) => parts.join("/");

function run(program, expression, extra = []) {
  const file = join(scratch, "expression.nix");
  writeFileSync(file, expression);
  const [command, ...args] = program.command;
  const { status, stdout, stderr } = spawnSync(
    command,
    [...args, "--eval", "--strict", ...(options.write ? ["--read-write-mode"] : []), ...extra, file],
    {
      env: environment,
      encoding: "latin1",
      maxBuffer: 1 << 30,
    },
  );
  return { status, stdout, stderr: stderr.replaceAll(/\u001b\[[0-9;]*m/g, "") };
}

/** The message of an error without the trace that led to it. */
function lastError(stderr) {
  const at = stderr.lastIndexOf("error:");
  return at < 0 ? `no error: ${stderr.slice(-300)}` : stderr.slice(at).trim();
}

/**
 * Every path with its result; a process that dies is started again after what killed it.
 * @param {Set<string>} fatal - what is known to end the other evaluator: left out here, and evaluated alone if at all
 */
function results(program, set, paths, fatal = new Set()) {
  const found = new Map();
  let left = paths.filter((parts) => !fatal.has(shown(parts)));
  while (left.length > 0) {
    const { status, stderr } = run(program, walker(set, left));
    let current;
    for (const line of stderr.split("\n")) {
      const text = line.replace(/^trace: /, "");
      if (text.startsWith("@> ")) current = text.slice(3);
      else if (text.startsWith("@@ ")) {
        const [name, result] = text.slice(3).split("  =>  ");
        found.set(name, result);
        current = undefined;
      }
    }
    if (status === 0) break;
    const at = left.findIndex((parts) => shown(parts) === current);
    found.set(current ?? "all together", lastError(stderr));
    if (at < 0) break;
    left = left.slice(at + 1);
  }
  return found;
}

function sample(names, count, seed) {
  const key = (name) => createHash("md5").update(`${options.seed}/${seed}/${name}`).digest("hex");
  return names
    .map((name) => ({ name, key: key(name) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .slice(0, count)
    .map(({ name }) => name);
}

/** @returns {string[]} the names in a set within a set; none if there is no such set, or it cannot be evaluated */
function namesIn(set, parts = []) {
  const select = `let set = ${set}; in set${parts.map((part) => `.${nixText(part)}`).join("")}`;
  const { status, stdout } = run(nix, `builtins.toJSON (builtins.attrNames (${select}))`, ["--raw"]);
  return status === 0 ? JSON.parse(stdout) : [];
}

/** Attributes of one process. */
const batch = 250;
const alone = (names) => names.map((name) => [name]);

const totals = { compared: 0, derivations: 0, failing: 0, different: 0 };

/** Compares some attributes; of those that fail, `errors` are evaluated alone for their messages. */
function compare(label, set, paths, errors) {
  const started = Date.now();
  const theirs = results(nix, set, paths);
  const fatal = new Set([...theirs].filter(([, result]) => result.startsWith("error:")).map(([name]) => name));
  const between = Date.now();
  const ours = results(d2n, set, paths, fatal);
  const ended = Date.now();
  let different = 0;
  let compared = 0;
  let derivations = 0;
  const report = (name, their, our) => {
    if (++different <= 12)
      console.log(`  DIFFERS ${label} ${name}\n    nix: ${indent(their)}\n    d2n: ${indent(our)}`);
  };
  for (const name of new Set([...theirs.keys(), ...ours.keys()])) {
    if (fatal.has(name)) continue;
    compared++;
    const [their, our] = [theirs.get(name), ours.get(name)];
    if (their?.startsWith("/")) derivations++;
    if (their !== our) report(name, their, our);
  }
  const byName = new Map(paths.map((parts) => [shown(parts), parts]));
  for (const name of [...fatal].slice(0, errors)) {
    compared++;
    const our = results(d2n, set, [byName.get(name)]).get(name);
    if (our !== theirs.get(name)) report(name, theirs.get(name), our);
  }
  // What is thrown says why only when it is not caught.
  const thrown = [...theirs].filter(([, result]) => result === "throws").map(([name]) => name);
  for (const name of thrown.slice(0, errors)) {
    const selected = `(${set})${byName
      .get(name)
      .map((part) => `.${nixText(part)}`)
      .join("")}.drvPath`;
    const [their, our] = [nix, d2n].map((program) => lastError(run(program, selected).stderr));
    if (their !== our) report(name, their, our);
  }
  totals.compared += compared;
  totals.derivations += derivations;
  totals.failing += thrown.length + fatal.size;
  totals.different += different;
  const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
  console.log(
    `${label}: ${compared} compared, ${derivations} derivations, ${thrown.length} throw, ${fatal.size} end Nix, ${different} different (nix ${seconds(between - started)}, d2n ${seconds(ended - between)})`,
  );
}

function indent(text) {
  return text === undefined ? "nothing" : text.replaceAll("\n", "\n         ");
}

/** NixOS systems: small configurations that each pull in other modules. */
const systems = {
  minimal: "",
  desktop:
    "services.xserver.enable = true; services.openssh.enable = true; fonts.fontconfig.enable = true; sound.enable = true;",
  server:
    "services.nginx.enable = true; services.postgresql.enable = true; users.users.alice = { isNormalUser = true; }; networking.firewall.allowedTCPPorts = [ 80 ];",
  container: "boot.isContainer = true;",
};

function system(tree, configuration) {
  return `(import ${tree}/nixos { system = "x86_64-linux"; configuration = { lib, ... }: {
    fileSystems."/" = lib.mkDefault { device = "/dev/sda1"; fsType = "ext4"; }; boot.loader.grub.device = lib.mkDefault "/dev/sda"; ${configuration} }; })`;
}

const parts = {
  packages(tree, label) {
    for (const world of worlds) {
      const set = pkgsOf(tree, world);
      const paths = world.sets.flatMap((path) => {
        const parts = path === "" ? [] : path.split(".");
        const count = Number(options.sample) * (path === "" ? 10 : 1);
        return sample(namesIn(set, parts), count, path).map((name) => [...parts, name]);
      });
      for (let at = 0; at < paths.length; at += batch)
        compare(`${label} ${world.name} ${at / batch}`, set, paths.slice(at, at + batch), Number(options.errors));
    }
  },
  nixos(tree, label) {
    const set = `builtins.listToAttrs [ ${Object.entries(systems)
      .map(([name, text]) => `{ name = "${name}"; value = (${system(tree, text)}).config.system.build.toplevel; }`)
      .join(" ")} ]`;
    compare(`${label} nixos`, set, alone(Object.keys(systems)), 4);
  },
  /** What every option says of itself, by its top-level name. */
  options(tree, label) {
    const set = `let pkgs = import ${tree} { system = "x86_64-linux"; config = { }; }; inherit (pkgs) lib;
      all = lib.optionAttrSetToDocList (${system(tree, "")}).options;
      plain = o: { n = o.name; d = if builtins.isString (o.default or "") then o.default or "" else builtins.toJSON (o.default); t = o.type or ""; e = o.internal; f = o.declarations; };
      in builtins.mapAttrs (n: os: builtins.toJSON (map plain os)) (builtins.groupBy (o: lib.concatStringsSep "-" (lib.take 2 o.loc)) all)`;
    const names = namesIn(set);
    if (names.length === 0) return console.log(`${label} options: Nix itself does not list them`);
    compare(`${label} options`, set, alone(names), 3);
  },
  tests(tree, label) {
    const set = [
      `import ${tree}/nixos/tests/all-tests.nix { system = "x86_64-linux"; callTest = t: t.test or t; pkgs = import ${tree} { system = "x86_64-linux"; }; }`,
      `(import ${tree}/nixos/release.nix { supportedSystems = [ "x86_64-linux" ]; }).tests`,
    ].find((text) => namesIn(text).length > 0);
    if (set === undefined) return console.log(`${label} tests: Nix itself does not list them`);
    compare(`${label} tests`, set, alone(sample(namesIn(set), Number(options.sample), "tests")), 2);
  },
};

try {
  for (const text of options.expression) {
    const names = namesIn(text);
    if (names.length === 0) throw new Error(`Nix itself cannot list the attributes of ${text}`);
    for (let at = 0; at < names.length; at += batch)
      compare(text, text, alone(names.slice(at, at + batch)), Number(options.errors));
  }
  for (const tree of trees.map((tree) => resolve(tree))) {
    if (!existsSync(join(tree, "default.nix"))) throw new Error(`${tree} has no default.nix`);
    for (const [name, part] of Object.entries(parts))
      if (options.only === "" || options.only.split(",").includes(name)) part(tree, basename(tree));
  }
} finally {
  if (options.keep) console.log(`scratch: ${scratch}`);
  else {
    execFileSync("chmod", ["-R", "u+w", scratch]);
    rmSync(scratch, { recursive: true, force: true });
  }
}
console.log(
  `${totals.compared} compared, ${totals.derivations} of them derivations, ${totals.failing} fail in both, ${totals.different} different`,
);
if (totals.compared === 0) process.exit(2);
process.exit(totals.different === 0 ? 0 : 1);
