/** The program `nix-store` (Nix: `nix-store.cc`). */
import type { Context } from "../../app/context.ts";
import type { StoreQuery } from "../../app/classic/store-queries.ts";
import { D2nError, UsageError } from "../../base/index.ts";
import { takeCommon, Words } from "./arguments.ts";
import { bytesOf, freed } from "./freed.ts";
import type { Program } from "./program.ts";

/** What an operation gets. */
interface Call {
  readonly program: Program;
  readonly context: Context;
  /** Options of the operation; each asks whether it knows them. */
  readonly flags: readonly string[];
  readonly operands: readonly string[];
  /** `--add-root`. */
  readonly root: string | undefined;
  readonly quiet: boolean;
}

type Operation = (call: Call) => Promise<number>;

const operations: Readonly<Record<string, Operation>> = {
  "--realise": realise,
  "--realize": realise,
  "-r": realise,
  "--query": query,
  "-q": query,
  "--add": add,
  "-A": add,
  "--add-fixed": addFixed,
  "--print-fixed-path": printFixedPath,
  "--delete": deletePaths,
  "--print-env": printEnvironment,
  "--read-log": readLog,
  "-l": readLog,
  "--dump-db": dumpDatabase,
  "--load-db": loadDatabase,
  "--register-validity": registerValidity,
  "--check-validity": checkValidity,
  "--gc": collect,
  "--dump": dump,
  "--restore": restore,
  "--export": exportAll,
  "--import": importAll,
  "--init": init,
  "--verify": verify,
  "--verify-path": verifyPath,
  "--optimise": optimise,
  "--optimize": optimise,
  "--generate-binary-cache-key": generateKey,
};

const notServed: Readonly<Record<string, string>> = {
  "--serve": "d2n keeps its store on this machine; `nix-store --export` and `--import` carry paths to another.",
  "--repair-path": "d2n knows no binary caches to fetch a path from; delete it and build it again.",
};

/** Options that have a value of their own. */
const valued = new Set(["--max-freed", "--max-links", "--max-atime"]);

export async function nixStore(program: Program): Promise<number> {
  const words = new Words(program.world.argv);
  const operands: string[] = [];
  const flags: string[] = [];
  let operation: Operation | undefined;
  let root: string | undefined;
  let quiet = false;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === "--help") return help(program);
    if (word === "--version") return program.printVersion();
    if (Object.hasOwn(notServed, word))
      throw new D2nError("settings", `d2n does not serve 'nix-store ${word}'`, { hint: notServed[word]! });
    const named = Object.hasOwn(operations, word) ? operations[word] : undefined;
    // `-r` and `-q` of old mean other things once the operation is clear.
    if (named !== undefined) {
      if (operation !== undefined && operation !== named) throw new UsageError("only one operation may be specified");
      operation = named;
    } else if (word === "--add-root") root = words.value(word);
    else if (word === "--indirect") continue;
    else if (word === "--no-output") quiet = true;
    else if (word === "--stdin")
      operands.push(
        ...program
          .read("-")
          .split(/\s+/)
          .filter((path) => path !== ""),
      );
    else if (valued.has(word)) flags.push(word, words.value(word));
    else if (takeCommon(word, words, program.common, program.read)) continue;
    else if (word.startsWith("-") && word !== "-") flags.push(word);
    else operands.push(word);
  }
  if (operation === undefined) throw new UsageError("no operation specified");
  return operation({ program, context: await program.context(), flags, operands, root, quiet });
}

function unknown(flag: string): UsageError {
  return new UsageError(`unknown flag '${flag}'`);
}

/** The flags of an operation that takes none but these. */
function onlyFlags(flags: readonly string[], ...known: readonly string[]): Set<string> {
  for (const flag of flags) if (!known.includes(flag)) throw unknown(flag);
  return new Set(flags);
}

function noOperands(operands: readonly string[]): void {
  if (operands.length > 0) throw new UsageError("no arguments expected");
}

async function realise({ program, context, flags, operands, root, quiet }: Call): Promise<number> {
  const given = onlyFlags(flags, "--dry-run", "--check", "--ignore-unknown");
  const { missingDerivations, realisePaths, realisedWithRoots } = await import("../../app/classic/build.ts");
  const { followToStorePath } = await import("../../app/classic/store-arguments.ts");
  const wanted = operands.map((text) => {
    const [path = "", outputs] = text.split("!");
    return `${followToStorePath(context, path)}${outputs === undefined ? "" : `!${outputs}`}`;
  });
  if (given.has("--dry-run")) {
    program.tellMissing(await missingDerivations(context, wanted));
    return 0;
  }
  const paths = await realisePaths(context, wanted, { check: given.has("--check") });
  if (given.has("--ignore-unknown")) return 0;
  const shown = root === undefined ? paths.map(({ path }) => path) : await realisedWithRoots(context, paths, root);
  if (root === undefined && paths.length > 0) program.warnOfCollector();
  if (!quiet) for (const path of shown) program.print(`${path}\n`);
  return 0;
}

const queries: Readonly<Record<string, StoreQuery>> = {
  "--outputs": "outputs",
  "--requisites": "requisites",
  "-R": "requisites",
  "--references": "references",
  "--referrers": "referrers",
  "--referers": "referrers",
  "--referrers-closure": "referrers-closure",
  "--referers-closure": "referrers-closure",
  "--deriver": "deriver",
  "-d": "deriver",
  "--valid-derivers": "valid-derivers",
  "--binding": "binding",
  "-b": "binding",
  "--hash": "hash",
  "--size": "size",
  "--tree": "tree",
  "--graph": "graph",
  "--graphml": "graphml",
  "--resolve": "resolve",
  "--roots": "roots",
};

async function query({ program, context, flags, operands }: Call): Promise<number> {
  const paths = [...operands];
  const options = {
    useOutputs: false,
    realise: false,
    includeOutputs: false,
    binding: undefined as string | undefined,
  };
  let asked: StoreQuery | undefined;
  for (const flag of flags) {
    if (flag === "--use-output" || flag === "-u") options.useOutputs = true;
    else if (flag === "--force-realise" || flag === "--force-realize" || flag === "-f") options.realise = true;
    else if (flag === "--include-outputs") options.includeOutputs = true;
    else if (Object.hasOwn(queries, flag)) {
      const before = asked;
      asked = queries[flag]!;
      if (asked === "binding") {
        options.binding = paths.shift();
        if (options.binding === undefined) throw new UsageError("expected binding name");
      }
      if (before !== undefined && before !== asked)
        throw new UsageError(`query type '${flag}' conflicts with earlier flag`);
    } else throw unknown(flag);
  }
  const { queryStore } = await import("../../app/classic/store-queries.ts");
  program.printBytes(await queryStore(context, asked ?? "outputs", paths, options));
  return 0;
}

async function add({ program, context, flags, operands }: Call): Promise<number> {
  onlyFlags(flags);
  const { addToStore } = await import("../../app/classic/store-queries.ts");
  for (const path of await addToStore(context, operands, { method: "nar" })) program.print(`${path}\n`);
  return 0;
}

async function addFixed({ program, context, flags, operands }: Call): Promise<number> {
  const method = onlyFlags(flags, "--recursive").size > 0 ? "nar" : "flat";
  const [algorithm, ...files] = operands;
  if (algorithm === undefined) throw new UsageError("first argument must be hash algorithm");
  const { addToStore } = await import("../../app/classic/store-queries.ts");
  for (const path of await addToStore(context, files, { method, algorithm })) program.print(`${path}\n`);
  return 0;
}

async function printFixedPath({ program, context, flags, operands }: Call): Promise<number> {
  const method = onlyFlags(flags, "--recursive").size > 0 ? "nar" : "flat";
  const [algorithm, hash, name] = operands;
  if (operands.length !== 3) throw new UsageError("'--print-fixed-path' requires three arguments");
  const { fixedPath } = await import("../../app/classic/store-queries.ts");
  program.print(`${fixedPath(context, { method, algorithm: algorithm!, hash: hash!, name: name! })}\n`);
  return 0;
}

async function deletePaths({ program, context, flags, operands }: Call): Promise<number> {
  const ignoreLiveness = onlyFlags(flags, "--ignore-liveness").size > 0;
  const { followToStorePath } = await import("../../app/classic/store-arguments.ts");
  const paths = operands.map((text) => followToStorePath(context, text));
  const action = { type: "delete-paths", paths, ignoreLiveness } as const;
  program.print(freed(await (await context.store()).collectGarbage({ action })));
  return 0;
}

async function printEnvironment({ program, context, flags, operands }: Call): Promise<number> {
  onlyFlags(flags);
  if (operands.length !== 1) throw new UsageError("'--print-env' requires one derivation store path");
  const { environmentCode } = await import("../../app/classic/store-queries.ts");
  program.printBytes(await environmentCode(context, operands[0]!));
  return 0;
}

async function readLog({ program, context, flags, operands }: Call): Promise<number> {
  onlyFlags(flags);
  const { readBuildLog } = await import("../../app/classic/store-queries.ts");
  const { followToStorePath } = await import("../../app/classic/store-arguments.ts");
  for (const text of operands) {
    const path = followToStorePath(context, text);
    const log = await readBuildLog(context, path);
    if (log === undefined) throw new D2nError("log-missing", `build log of derivation '${path}' is not available`);
    program.print(log);
  }
  return 0;
}

async function dumpDatabase({ program, context, flags, operands }: Call): Promise<number> {
  onlyFlags(flags);
  const { followToStorePath } = await import("../../app/classic/store-arguments.ts");
  const { registrationOf } = await import("../../app/classic/transfer.ts");
  const paths =
    operands.length > 0
      ? operands.map((text) => followToStorePath(context, text))
      : [...(await (await context.store()).queryAllValidPaths())].sort();
  for (const path of paths) program.print(await registrationOf(context, path));
  return 0;
}

async function loadDatabase({ program, context, flags, operands }: Call): Promise<number> {
  onlyFlags(flags);
  noOperands(operands);
  const { registerPaths } = await import("../../app/classic/transfer.ts");
  await registerPaths(context, program.read("-"), { hashGiven: true, reregister: true, canonicalise: false });
  return 0;
}

async function registerValidity({ program, context, flags, operands }: Call): Promise<number> {
  const given = onlyFlags(flags, "--reregister", "--hash-given");
  noOperands(operands);
  const { registerPaths } = await import("../../app/classic/transfer.ts");
  const options = { hashGiven: given.has("--hash-given"), reregister: given.has("--reregister"), canonicalise: true };
  await registerPaths(context, program.read("-"), options);
  return 0;
}

async function checkValidity({ program, context, flags, operands }: Call): Promise<number> {
  const print = onlyFlags(flags, "--print-invalid").size > 0;
  const { followToStorePath } = await import("../../app/classic/store-arguments.ts");
  const { invalidPaths } = await import("../../app/classic/store-queries.ts");
  for (const path of await invalidPaths(
    context,
    operands.map((text) => followToStorePath(context, text)),
  )) {
    if (!print) throw new D2nError("store-path-missing", `path '${path}' is not valid`);
    program.print(`${path}\n`);
  }
  return 0;
}

async function collect({ program, context, flags, operands }: Call): Promise<number> {
  const words = [...flags];
  let maxFreed: number | undefined;
  let show: "roots" | "list-live" | "list-dead" | undefined;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--print-roots") show = "roots";
    else if (word === "--print-live") show = "list-live";
    else if (word === "--print-dead") show = "list-dead";
    else if (word === "--max-freed") maxFreed = bytesOf(word, words.shift()!);
    else throw new UsageError(`bad sub-operation '${word}' in GC`);
  }
  noOperands(operands);
  if (maxFreed !== undefined && show !== undefined)
    throw new UsageError("option --max-freed cannot be combined with --print-live, --print-dead, or --print-roots");
  const store = await context.store();
  if (show === "roots") {
    const pairs = [...(await store.findRoots())].flatMap(([path, keepers]) =>
      [...keepers].map((keeper) => `"${keeper}" -> ${path}\n`),
    );
    program.print(pairs.sort().join(""));
  } else if (show === undefined) {
    const { collectGarbage } = await import("../../app/store-commands.ts");
    program.print(freed(await collectGarbage(context, { dryRun: false, maxFreed, ...program.collectorSettings() })));
  } else {
    const { paths } = await store.collectGarbage({ action: { type: show }, ...program.collectorSettings() });
    for (const path of paths) program.print(`${path}\n`);
  }
  return 0;
}

async function dump({ program, context, flags, operands }: Call): Promise<number> {
  onlyFlags(flags);
  if (operands.length !== 1) throw new UsageError("only one argument allowed");
  const { dumpPath } = await import("../../app/classic/store-queries.ts");
  for await (const bytes of dumpPath(context, operands[0]!)) program.print(bytes);
  return 0;
}

async function restore({ program, context, flags, operands }: Call): Promise<number> {
  onlyFlags(flags);
  if (operands.length !== 1) throw new UsageError("only one argument allowed");
  const { restoreNar } = await import("../../app/classic/transfer.ts");
  await restoreNar(context, program.input(), operands[0]!);
  return 0;
}

async function exportAll({ program, context, flags, operands }: Call): Promise<number> {
  onlyFlags(flags);
  const { exportPaths } = await import("../../app/classic/transfer.ts");
  const { followToStorePath } = await import("../../app/classic/store-arguments.ts");
  const paths = operands.map((text) => followToStorePath(context, text));
  for await (const bytes of exportPaths(context, paths)) program.print(bytes);
  return 0;
}

async function importAll({ program, context, flags, operands }: Call): Promise<number> {
  onlyFlags(flags);
  noOperands(operands);
  const { importPaths } = await import("../../app/classic/transfer.ts");
  for await (const path of importPaths(context, program.input())) program.print(`${path}\n`);
  return 0;
}

/** Makes the store's folders and its database where they are not there yet. */
async function init({ context, flags, operands }: Call): Promise<number> {
  onlyFlags(flags);
  noOperands(operands);
  await context.store();
  return 0;
}

async function verify({ program, context, flags, operands }: Call): Promise<number> {
  noOperands(operands);
  const contents = onlyFlags(flags, "--check-contents").size > 0;
  const { verifyStore } = await import("../../app/store-commands.ts");
  const { problems } = await verifyStore(context, { contents, repair: true });
  const serious = problems.filter(({ problem }) => problem !== "unregistered");
  for (const { message } of serious) program.world.stderr.write(`${message}\n`);
  if (serious.length === 0) return 0;
  program.warn("not all store errors were fixed");
  return 1;
}

async function verifyPath({ program, context, flags, operands }: Call): Promise<number> {
  if (flags.length > 0) throw new UsageError("no flags expected");
  const { followToStorePath } = await import("../../app/classic/store-arguments.ts");
  const { modifiedPaths } = await import("../../app/classic/store-queries.ts");
  const paths = operands.map((text) => followToStorePath(context, text));
  const modified = await modifiedPaths(context, paths);
  program.tellModified(modified);
  return modified.length === 0 ? 0 : 1;
}

async function optimise({ context, flags, operands }: Call): Promise<number> {
  if (flags.length + operands.length > 0) throw new UsageError("no arguments expected");
  const { optimise: shareFiles } = await import("../../app/classic/transfer.ts");
  await shareFiles(context);
  return 0;
}

async function generateKey({ context, flags, operands }: Call): Promise<number> {
  onlyFlags(flags);
  const [name, secretFile, publicFile] = operands;
  if (operands.length !== 3) throw new UsageError("three arguments expected");
  const { writeKeyPair } = await import("../../app/classic/transfer.ts");
  writeKeyPair(context, { name: name!, secretFile: secretFile!, publicFile: publicFile! });
  return 0;
}

function help(program: Program): number {
  program.print(`Usage: nix-store OPERATION [OPTION]… [PATH]…
Works on d2n's store as Nix's program of this name does. Operations:
  -r, --realise PATH…              build derivations, print their outputs (--add-root LINK, --check, --dry-run)
  -q, --query [QUERY] PATH…        --outputs --requisites --references --referrers --referrers-closure --deriver
                                   --valid-derivers --binding NAME --hash --size --tree --graph --graphml --resolve --roots
                                   (--use-output, --force-realise, --include-outputs)
  --add PATH…                      copy files or folders to the store
  --add-fixed [--recursive] ALGORITHM PATH…; --print-fixed-path [--recursive] ALGORITHM HASH NAME
  --gc                             delete what nothing needs (--print-roots, --print-live, --print-dead, --max-freed BYTES)
  --delete [--ignore-liveness] PATH…
  --dump PATH; --restore PATH      a tree to standard output, from standard input, as a NAR
  --export PATH…; --import         paths with what the database knows of them
  --dump-db; --load-db; --register-validity; --init
  --verify [--check-contents]; --verify-path PATH…; --check-validity [--print-invalid] PATH…; --optimise
  -l, --read-log PATH…; --print-env DRV; --generate-binary-cache-key NAME SECRET-FILE PUBLIC-FILE
`);
  return 0;
}
