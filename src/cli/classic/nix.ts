/** The program `nix`: `eval` of files and expressions and `hash` here, the rest by d2n's own commands of the same names. */
import { resolve } from "node:path";
import type { ExpressionSource, ValueFormat } from "../../app/classic/protocol.ts";
import { runClassic } from "../../app/classic/run.ts";
import { type NixSettings, settingKind } from "../../app/classic/settings.ts";
import { D2nError, nearestNames, UsageError } from "../../base/index.ts";
import { runCommandLine } from "../command-line.ts";
import { bytes, subcommandMissing, takeCommon, unknownFlag, Words } from "./arguments.ts";
import { hashCommand } from "./nix-hash.ts";
import type { Call } from "./nix/options.ts";
import { Program } from "./program.ts";

/** d2n's commands that have the name and meaning of Nix's. */
const shared = new Set([
  "build",
  "run",
  "eval",
  "develop",
  "print-dev-env",
  "shell",
  "log",
  "flake",
  "store",
  "config",
]);

type Subcommand = (call: Call) => Promise<number>;
type Table = Readonly<Record<string, () => Promise<Subcommand>>>;

/** Subcommands that are served here, by their whole names. */
const subcommands: Table = {
  "config show": async () => (await import("./nix/config.ts")).configShow,
  "derivation add": async () => (await import("./nix/paths.ts")).derivationAdd,
  "derivation show": async () => (await import("./nix/paths.ts")).derivationShow,
  "key convert-secret-to-public": async () => (await import("./nix/config.ts")).convertSecretToPublic,
  "key generate-secret": async () => (await import("./nix/config.ts")).generateSecret,
  "nar cat": async () => (await import("./nix/store.ts")).narCat,
  "nar ls": async () => (await import("./nix/store.ts")).narLs,
  "nar pack": async () => (await import("./nix/store.ts")).pack,
  "path-info": async () => (await import("./nix/paths.ts")).pathInfo,
  edit: async () => (await import("./nix/flakes.ts")).edit,
  search: async () => (await import("./nix/flakes.ts")).search,
  "registry add": async () => (await import("./nix/registry.ts")).add,
  "registry list": async () => (await import("./nix/registry.ts")).list,
  "registry pin": async () => (await import("./nix/registry.ts")).pin,
  "registry remove": async () => (await import("./nix/registry.ts")).remove,
  "registry resolve": async () => (await import("./nix/registry.ts")).resolveReferences,
  "store add": async () => (await import("./nix/store.ts")).add,
  "store add-file": async () => (await import("./nix/store.ts")).add,
  "store add-path": async () => (await import("./nix/store.ts")).add,
  "store cat": async () => (await import("./nix/store.ts")).cat,
  "store delete": async () => (await import("./nix/store.ts")).deletePaths,
  "store diff-closures": async () => (await import("./nix/paths.ts")).diffClosures,
  "store dump-path": async () => (await import("./nix/store.ts")).pack,
  "store gc": async () => (await import("./nix/store.ts")).gc,
  "store info": async () => (await import("./nix/store.ts")).info,
  "store ls": async () => (await import("./nix/store.ts")).ls,
  "store optimise": async () => (await import("./nix/store.ts")).optimise,
  "store path-from-hash-part": async () => (await import("./nix/store.ts")).pathFromHashPart,
  "store prefetch-file": async () => (await import("./nix/store.ts")).prefetchFile,
  "store verify": async () => (await import("./nix/store.ts")).verify,
  "why-depends": async () => (await import("./nix/paths.ts")).whyDepends,
};

/** Subcommands of `flake` that d2n's own command has. */
const ofFlakes = [
  "archive",
  "check",
  "clone",
  "init",
  "lock",
  "metadata",
  "new",
  "prefetch",
  "prefetch-inputs",
  "show",
  "update",
];

/** Names of old. */
const aliases: Readonly<Record<string, string>> = {
  "add-to-store": "store add-path",
  cat: "store cat",
  "dump-path": "store dump-path",
  ls: "store ls",
  "nar dump-path": "nar pack",
  "ping-store": "store info",
  "show-config": "config show",
  "show-derivation": "derivation show",
  "store ping": "store info",
  verify: "store verify",
};

/** What Nix has besides, and what to do in its place. */
const instead: Readonly<Record<string, string>> = {
  bundle: "Build the package and run it: `d2n run`.",
  copy: "`nix-store --export $(nix-store -qR PATH)` there and `nix-store --import` here carry paths from store to store.",
  daemon: "d2n works on its store itself; there is nothing to start.",
  profile: "d2n has no profiles: `d2n shell` puts the programs of a package on the PATH.",
  "config check": "`nix store verify --all` looks at the store.",
  doctor: "`nix store verify --all` looks at the store.",
  realisation: "d2n builds no content-addressed derivations.",
  "store copy-log": "d2n keeps its store on this machine.",
  "store copy-sigs": "d2n keeps its store on this machine.",
  "store make-content-addressed": "d2n has no content-addressed outputs but those of a known hash.",
  "store repair": "Delete the path and build it again: `nix store delete`, `nix build`.",
  "store roots-daemon": "d2n works on its store itself; there is nothing to start.",
  "store sign": "d2n has no binary caches to sign paths for.",
  "upgrade-nix": "Update d2n as you installed it, with npm.",
};

export async function nix(program: Program): Promise<number> {
  const { argv } = program.world;
  const at = argv.findIndex((word, i) => !word.startsWith("-") && !isValue(argv, i));
  const command = argv[at];
  if (wantsVersion(argv)) return program.printVersion();
  if (command === undefined) {
    if (argv.includes("--help")) return help(program);
    throw new UsageError("no subcommand specified");
  }
  if (command === "help") return help(program);
  const rest = [...argv.slice(0, at), ...argv.slice(at + 1)];
  if (command === "env" && argv[at + 1] === "shell")
    return nix(new Program(program.name, { ...program.world, argv: argv.toSpliced(at, 1) }));
  const second = argv[at + 1];
  const two = `${command} ${second ?? ""}`;
  if (!argv.includes("--help")) checkFeatures(program, argv, command);
  const called = Object.hasOwn(aliases, two) ? two : Object.hasOwn(aliases, command) ? command : undefined;
  if (called !== undefined) program.warn(`'${called}' is a deprecated alias for '${aliases[called]!}'`);
  const name = called === undefined ? (Object.hasOwn(subcommands, two) ? two : command) : aliases[called]!;
  if (Object.hasOwn(subcommands, name)) {
    const words = (called ?? name).split(" ").length;
    const run = await subcommands[name]!();
    return run({ program, name, argv: [...argv.slice(0, at), ...argv.slice(at + words)] });
  }
  const ofFile = rest.some((word) => word === "--expr" || word === "--file" || word === "-f");
  if (command === "eval" && ofFile) return evaluate(program, rest);
  if (command === "build" && (ofFile || namesStorePath(rest)))
    return (await import("./nix/paths.ts")).build({ program, name, argv: rest });
  if (command === "log" && (ofFile || namesStorePath(rest)))
    return (await import("./nix/paths.ts")).log({ program, name, argv: rest });
  switch (command) {
    case "hash":
      return hashCommand(program, [...argv.slice(at + 1), ...argv.slice(0, at)]);
    case "repl":
      return (await import("./nix-repl.ts")).nixRepl(program, rest);
  }
  for (const known of [two, command])
    if (Object.hasOwn(instead, known))
      throw new D2nError("settings", `d2n does not serve 'nix ${known}'`, { hint: instead[known]! });
  const group = Object.keys(subcommands).filter((one) => one.startsWith(`${command} `));
  if (two === "flake info") {
    program.warn("'nix flake info' is a deprecated alias for 'nix flake metadata'");
    rest[rest.indexOf("info")] = "metadata";
  } else if (command === "flake" && !argv.includes("--help")) {
    if (second === undefined || second.startsWith("-")) throw subcommandMissing("flake", ofFlakes);
    if (!ofFlakes.includes(second)) throw new UsageError(`'${second}' is not a recognised command`);
  }
  if (group.length > 0 && command !== "config") {
    if (second === undefined || second.startsWith("-"))
      throw subcommandMissing(
        command,
        group.map((one) => one.slice(command.length + 1)),
      );
    throw new UsageError(`'${second}' is not a command of 'nix ${command}' that d2n serves`);
  }
  if (command === "fmt" || two === "formatter run")
    return ofFormatter(program, "run", argv.slice(0, at), argv.slice(command === "fmt" ? at + 1 : at + 2));
  if (two === "formatter build") return ofFormatter(program, "build", argv.slice(0, at), argv.slice(at + 2));
  if (!shared.has(command)) throw new UsageError(`'${command}' is not a recognised command`, meant(command));
  const words =
    command === "develop" || command === "print-dev-env"
      ? await (await import("./nix/flakes.ts")).withDerivation(program, rest)
      : undefined;
  return ownCommand(program, command, words ?? rest);
}

/** Runs a command of d2n's. */
function ownCommand(program: Program, command: string, words: readonly string[]): Promise<number> {
  const own = ownOptions(words, program.common.settings);
  return runCommandLine(
    { ...program.world, argv: [command, ...own] },
    { options: program.commonOptions(), usageStatus: 1 },
  );
}

/** `nix fmt`, `nix formatter`: the formatter that the flake of this folder has. */
function ofFormatter(
  program: Program,
  command: "run" | "build",
  options: readonly string[],
  words: readonly string[],
): Promise<number> {
  const formatter = `.#formatter.${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux`;
  if (command === "build") return ownCommand(program, command, [...options, ...words, formatter, "--print-out-paths"]);
  const ends = words.findIndex((word) => word === "--" || !word.startsWith("-"));
  const [own, args] =
    ends < 0 ? [words, []] : [words.slice(0, ends), words.slice(words[ends] === "--" ? ends + 1 : ends)];
  return ownCommand(program, command, [...options, ...own, formatter, "--", ...args]);
}

/** `--version` among Nix's own options, not among those of a program that is started. */
function wantsVersion(argv: readonly string[]): boolean {
  const ends = argv.findIndex((word) => word === "--" || word === "-c" || word === "--command");
  return (ends < 0 ? argv : argv.slice(0, ends)).includes("--version");
}

/**
 * Where the configuration or the command line names experimental features, those that it does not name are off, as in Nix. Where
 * nobody names any, `nix` and flakes are on, as in d2n's own commands.
 */
function checkFeatures(program: Program, argv: readonly string[], command: string): void {
  const { settings } = program.common;
  const named = new Set(settings.list("experimental-features"));
  let some = settings.has("experimental-features");
  argv.forEach((word, i) => {
    const option = word === "--option" ? argv[i + 1] : word.startsWith("--") ? word.slice(2) : undefined;
    if (option !== "experimental-features" && option !== "extra-experimental-features") return;
    some = true;
    for (const feature of (argv[word === "--option" ? i + 2 : i + 1] ?? "").split(/\s+/)) named.add(feature);
  });
  if (!some) return;
  for (const feature of ["nix-command", ...(command === "flake" || command === "registry" ? ["flakes"] : [])])
    if (!named.has(feature))
      throw new D2nError(
        "settings",
        `experimental Nix feature '${feature}' is disabled; add '--extra-experimental-features ${feature}' to enable it`,
      );
}

/** Whether what is asked for lies in the store already: `/nix/store/….drv^out`. */
function namesStorePath(argv: readonly string[]): boolean {
  return argv.some((word) => /^\/.*\/[0-9a-df-np-sv-z]{32}-[^/]+$/.test(word));
}

/** What may have been meant. */
function meant(command: string): { readonly suggestions: readonly string[] } {
  const known = [...shared, "hash", "repl", ...Object.keys(subcommands).map((name) => name.split(" ")[0]!)];
  return { suggestions: nearestNames(command, new Set(known)) };
}

function help(program: Program): number {
  program.print(`Usage: nix COMMAND [OPTION]…
The commands of Nix that d2n serves; \`nix COMMAND --help\` says more of each.
  d2n's own:      ${[...shared].sort().join(", ")}
  of the store:   ${Object.keys(subcommands).join(", ")}
  besides:        hash, repl, and eval, build, log with --file or --expr
`);
  return 0;
}

/** Whether a word is the value of an option before it. */
function isValue(argv: readonly string[], i: number): boolean {
  const values = (word: string | undefined): number => {
    if (word === "--option") return 2;
    if (word === undefined || !word.startsWith("--")) return 0;
    const kind = settingKind(word.slice(2));
    return kind === "value" || kind === "list" || word === "--store" || word === "--log-format" ? 1 : 0;
  };
  return values(argv[i - 1]) >= 1 || values(argv[i - 2]) >= 2;
}

/** Without Nix's settings that d2n has no option for, which are set: its own commands have flakes on. */
function ownOptions(argv: readonly string[], settings: NixSettings): string[] {
  const kept: string[] = [];
  const own = new Set([
    "--cores",
    "--max-jobs",
    "--max-call-depth",
    "--show-trace",
    "--keep-going",
    "--keep-failed",
    "--store",
  ]);
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === "--") return [...kept, ...argv.slice(i)];
    const name = word.slice(2);
    const kind = word.startsWith("--") && !own.has(word) ? settingKind(name) : undefined;
    if (word === "--option") {
      settings.setOrWarn(argv[i + 1] ?? "", argv[i + 2] ?? "");
      i += 2;
    } else if (kind === "value" || kind === "list") settings.set(name, argv[++i] ?? "");
    else if (kind === "switch") settings.set(name, "true");
    else if (word === "--refresh")
      continue; // d2n asks for what may have changed every time.
    else if (word === "--no-registries") settings.set("use-registries", "false");
    else if (word.startsWith("--no-") && settingKind(word.slice(5)) === "switch" && word !== "--no-eval-cache")
      settings.set(word.slice(5), "false");
    else kept.push(word);
  }
  return kept;
}

/** `nix eval --expr EXPR [ATTRIBUTE]`, `nix eval --file FILE [ATTRIBUTE]`. */
async function evaluate(program: Program, argv: readonly string[]): Promise<number> {
  const words = new Words(argv);
  let source: ExpressionSource | undefined;
  let fromFile = false;
  let apply: string | undefined;
  let format: ValueFormat = "text";
  let writeTo: string | undefined;
  const operands: string[] = [];
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === "--help") return help(program);
    if (word === "--expr" || word === "--file" || word === "-f") {
      if (source !== undefined) throw new UsageError("'--file' and '--expr' are exclusive");
      const value = words.value(word);
      if (word === "--expr") source = { kind: "text", text: bytes(value), name: "«string»" };
      else
        source =
          value === "-" ? { kind: "text", text: program.read("-"), name: "«stdin»" } : { kind: "file", file: value };
      fromFile = word !== "--expr";
    } else if (word === "--apply") apply = bytes(words.value(word));
    else if (word === "--json" || word === "--raw") {
      if (format !== "text") throw new UsageError("--raw and --json are mutually exclusive");
      format = word === "--json" ? "json" : "raw";
    } else if (word === "--write-to") writeTo = words.value(word);
    else if (word === "--read-only") program.common.readOnly = true;
    else if (takeCommon(word, words, program.common, program.read)) continue;
    else if (word.startsWith("-")) throw unknownFlag(word);
    else operands.push(word);
  }
  if (writeTo !== undefined && format !== "text") throw new UsageError("--write-to and --json or --raw are exclusive");
  if (operands.length > 1) throw new UsageError(`unexpected argument '${operands[1]!}'`);
  if (fromFile) {
    if (!program.common.impure && program.common.settings.flag("pure-eval"))
      throw new UsageError("'--file' is not compatible with '--pure-eval'");
    program.common.impure = true;
  }
  const settings = await program.evaluationSettings({
    writes: true,
    pureByDefault: true,
    features: ["flakes", "fetch-tree"],
  });
  let json = "";
  const collected = writeTo !== undefined || format === "json";
  await runClassic({
    job: {
      settings,
      task: {
        kind: "eval",
        source: source!,
        attributePath: bytes(operands[0] ?? ""),
        arguments: [...program.common.autoArguments.values()],
        apply,
        format: writeTo === undefined ? format : "json",
      },
    },
    sink: collected
      ? { ...program.sink, write: (bytes) => void (json += Buffer.from(bytes).toString("utf8")) }
      : program.sink,
    context: () => program.context(),
    signal: program.signal,
    thread: program.takeThread(),
  });
  if (writeTo !== undefined) {
    const { writeValue } = await import("../../app/classic/value-tree.ts");
    writeValue(resolve(program.world.cwd, writeTo), JSON.parse(json));
  } else if (collected) program.printJson({ text: json.trimEnd() });
  return 0;
}
