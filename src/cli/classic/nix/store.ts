/** `nix store …` and `nix nar …`: the store and archives by their contents. */
import { resolve } from "node:path";
import { contentsInNar, entryOfNar, entryOnDisk, list, listAsJson, type Entry } from "../../../app/classic/listing.ts";
import { D2nError, UsageError } from "../../../base/index.ts";
import { bytesOf, freed, sizeInNix } from "../freed.ts";
import type { Program } from "../program.ts";
import { nixVersion } from "../version.ts";
import { installablesOf } from "./installables.ts";
import { bytes, type Call, exactly, readOptions } from "./options.ts";

export async function add(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "[OPTION]… PATH",
    about: "Copies a file or folder to the store.",
    switches: { "dry-run": "" },
    values: { name: "-n", mode: "", "hash-algo": "" },
  });
  if (given === undefined) return 0;
  const [file] = exactly(given, 1) as [string];
  const mode = given.value("mode") ?? (call.name === "store add-file" ? "flat" : "nar");
  if (mode !== "nar" && mode !== "flat" && mode !== "text")
    throw new D2nError("settings", `d2n does not serve '--mode ${mode}'`, { hint: "It serves nar, flat and text." });
  const { addToStore } = await import("../../../app/classic/store-queries.ts");
  const [path] = await addToStore(await call.program.context(), [file], {
    method: mode,
    algorithm: given.value("hash-algo") ?? "sha256",
    name: given.value("name"),
  });
  call.program.print(`${path}\n`);
  return 0;
}

const listing = { switches: { long: "-l", recursive: "-R", directory: "-d", json: "" } };

export async function ls(call: Call): Promise<number> {
  const given = readOptions(call, { usage: "[OPTION]… PATH", about: "Lists what a store path holds.", ...listing });
  if (given === undefined) return 0;
  const [path] = exactly(given, 1) as [string];
  const { entry, inside } = await entryInStore(call.program, path);
  return show(call.program, entry, inside, given);
}

export async function narLs(call: Call): Promise<number> {
  const given = readOptions(call, { usage: "[OPTION]… NAR PATH", about: "Lists what a NAR file holds.", ...listing });
  if (given === undefined) return 0;
  const [nar, path] = exactly(given, 2) as [string, string];
  return show(call.program, entryOfNar(nar, bytes(path)), path, given);
}

function show(program: Program, entry: Entry, path: string, given: { has(option: string): boolean }): number {
  const recursive = given.has("recursive");
  if (given.has("json")) {
    if (given.has("directory")) throw new UsageError("'--directory' is useless with '--json'");
    if (given.has("long")) throw new UsageError("'--long' is useless with '--json'");
    program.printJson({ value: listAsJson(entry, recursive) });
  } else {
    const options = { long: given.has("long"), recursive, self: given.has("directory") };
    program.printBytes(list(entry, bytes(path), options));
  }
  return 0;
}

/** What lies there, and its place inside of the store path. */
async function entryInStore(program: Program, path: string): Promise<{ entry: Entry; inside: string }> {
  const context = await program.context();
  const { followToStorePath } = await import("../../../app/classic/store-arguments.ts");
  const place = resolve(context.cwd, path);
  const top = followToStorePath(context, place);
  if (!(await (await context.store()).isValidPath(top)))
    throw new D2nError("store-path-missing", `path '${top}' does not exist in the store`);
  const inside = place.startsWith(top) ? place.slice(top.length) : "";
  return { entry: entryOnDisk(bytes(context.toPhysical(top + inside)), bytes(top + inside)), inside };
}

export async function cat(call: Call): Promise<number> {
  const given = readOptions(call, { usage: "PATH", about: "Prints a file in a store path." });
  if (given === undefined) return 0;
  const [path] = exactly(given, 1) as [string];
  const { entry } = await entryInStore(call.program, path);
  if (entry.type !== "regular") throw new D2nError("file-access", `path '${path}' is not a regular file`);
  call.program.print(entry.contents());
  return 0;
}

export async function narCat(call: Call): Promise<number> {
  const given = readOptions(call, { usage: "NAR PATH", about: "Prints a file in a NAR file." });
  if (given === undefined) return 0;
  const [nar, path] = exactly(given, 2) as [string, string];
  call.program.print(contentsInNar(nar, bytes(path)));
  return 0;
}

export async function pack(call: Call): Promise<number> {
  const given = readOptions(call, { usage: "PATH", about: "Writes a file or folder as a NAR to standard output." });
  if (given === undefined) return 0;
  const { dumpPath } = await import("../../../app/classic/store-queries.ts");
  for await (const piece of dumpPath(await call.program.context(), exactly(given, 1)[0]!)) call.program.print(piece);
  return 0;
}

export async function deletePaths(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "[OPTION]… INSTALLABLE…",
    about: "Deletes paths that nothing needs.",
    switches: { "ignore-liveness": "" },
    installables: "many",
  });
  if (given === undefined) return 0;
  const { program } = call;
  const { pathsOf } = await import("../../../app/classic/installables.ts");
  const context = await program.context();
  const paths = await pathsOf(context, await installablesOf(program, given), given.has("derivation"));
  const action = { type: "delete-paths", paths, ignoreLiveness: given.has("ignore-liveness") } as const;
  program.print(freed(await (await context.store()).collectGarbage({ action })));
  return 0;
}

export async function gc(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "[OPTION]…",
    about: "Deletes what nothing needs.",
    switches: { "dry-run": "" },
    values: { max: "" },
  });
  if (given === undefined) return 0;
  exactly(given, 0);
  const { program } = call;
  const max = given.value("max");
  const { collectGarbage } = await import("../../../app/store-commands.ts");
  const dryRun = given.has("dry-run");
  const result = await collectGarbage(await program.context(), {
    dryRun,
    maxFreed: max === undefined ? undefined : bytesOf("--max", max),
    ...program.collectorSettings(),
  });
  program.print(dryRun ? `${result.paths.length} store paths would be deleted\n` : freed(result));
  return 0;
}

export async function info(call: Call): Promise<number> {
  const given = readOptions(call, { usage: "", about: "Says which store it is.", switches: { json: "" } });
  if (given === undefined) return 0;
  exactly(given, 0);
  const context = await call.program.context();
  await context.store();
  const url = context.chroot ? context.storeRoot : "local";
  if (given.has("json")) call.program.printJson({ value: { trusted: true, url, version: nixVersion } });
  else call.program.print(`Store URL: ${url}\nVersion: ${nixVersion}\nTrusted: 1\n`);
  return 0;
}

export async function optimise(call: Call): Promise<number> {
  const given = readOptions(call, { usage: "", about: "Shares equal files of the store by hard links." });
  if (given === undefined) return 0;
  const transfer = await import("../../../app/classic/transfer.ts");
  const { bytesFreed, filesLinked } = await transfer.optimise(await call.program.context());
  call.program.world.stderr.write(`${sizeInNix(bytesFreed)} freed by hard-linking ${filesLinked} files\n`);
  return 0;
}

export async function pathFromHashPart(call: Call): Promise<number> {
  const given = readOptions(call, { usage: "HASH-PART", about: "Prints the store path with this hash part." });
  if (given === undefined) return 0;
  const [hash] = exactly(given, 1) as [string];
  const path = await (await (await call.program.context()).store()).queryPathFromHashPart(hash);
  if (path === undefined) throw new D2nError("store-path-missing", `there is no store path corresponding to '${hash}'`);
  call.program.print(`${path}\n`);
  return 0;
}

export async function prefetchFile(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "[OPTION]… URL",
    about: "Downloads a file to the store.",
    switches: { json: "", unpack: "", executable: "" },
    values: { name: "", "expected-hash": "", "hash-type": "", "hash-algo": "" },
  });
  if (given === undefined) return 0;
  const { program } = call;
  const [url] = exactly(given, 1) as [string];
  const { prefetch } = await import("../../../app/classic/prefetch.ts");
  const { path, sri } = await prefetch(await program.context(), {
    url,
    name: given.value("name"),
    algorithm: given.value("hash-algo") ?? given.value("hash-type") ?? "sha256",
    expected: given.value("expected-hash"),
    unpack: given.has("unpack"),
    executable: given.has("executable"),
  });
  if (given.has("json")) program.printJson({ value: { hash: sri, storePath: path } });
  else program.world.stderr.write(`Downloaded '${url}' to '${path}' (hash '${sri}').\n`);
  return 0;
}

export async function verify(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "[OPTION]… INSTALLABLE…",
    about: "Checks that paths are what they were when they were registered.",
    switches: { all: "", recursive: "-r", "no-contents": "", "no-trust": "" },
    installables: "many",
  });
  if (given === undefined) return 0;
  const { program } = call;
  const context = await program.context();
  const store = await context.store();
  let paths: Iterable<string> = await store.queryAllValidPaths();
  if (!given.has("all")) {
    const { pathsOf } = await import("../../../app/classic/installables.ts");
    paths = await pathsOf(context, await installablesOf(program, given), given.has("derivation"));
    if (given.has("recursive")) paths = await store.closure(paths);
  }
  const { modifiedPaths } = await import("../../../app/classic/store-queries.ts");
  const modified = given.has("no-contents") ? [] : await modifiedPaths(context, [...paths].sort());
  program.tellModified(modified);
  return modified.length === 0 ? 0 : 1;
}
