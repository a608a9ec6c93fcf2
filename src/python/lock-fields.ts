/** Refreshing a lock file: every field anew, then the whole file at once or not at all. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { Activity, D2nError, messageOf, notice, redactCredentials, writeFileAtomically } from "../base/index.ts";
import type { BuildSystemsLock } from "./build-systems-lock.ts";
import type { Toolchain, ToolchainWish } from "./build-tools.ts";
import { formatJson, type Json, type JsonObject, JsonSyntaxError, parseJson } from "./json.ts";
import { lockChanges, noticeWritten } from "./lock-changes.ts";
import { formatLockFile } from "./lock-file.ts";
import type { LockSpec } from "./lock-spec.ts";
import { lockWithPdm, type PdmLocked } from "./pdm-locker.ts";
import { lockWithPip } from "./pip-lock.ts";
import type { PipLockServices } from "./pip-session.ts";
import type { Environment } from "./pip-environment.ts";

export interface LockServices extends Omit<PipLockServices, "projectRoot" | "toolchain"> {
  /** Evaluates a toolchain of a field, in place of those of the spec. */
  readonly toolchain?: ((field: string, wish: ToolchainWish) => Promise<Toolchain | undefined>) | undefined;
  /** Hash (SRI) of what a fixed-output derivation fetches. @throws D2nError where it fetches nothing */
  readonly fixedOutputHash?: (drvPath: string) => Promise<string>;
}

export interface LockResult {
  /** The live root of the project. */
  readonly projectRoot: string;
  /** The live lock file. */
  readonly lockFile: string;
  /** False if the file was there already with the same content, or had no reason to be. */
  readonly changed: boolean;
  readonly deleted: boolean;
  /** Hashes to record, `pip==99.0` to hexadecimal SHA-256. */
  readonly newHashes: ReadonlyMap<string, string>;
  /** Of the source distributions in the lock files that were made anew; undefined where nothing is known of any. */
  readonly buildSystems: ReadonlyMap<string, BuildSystemsLock | undefined>;
}

/**
 * Computes every field, writes the lock file, runs the extra scripts. Whatever fails before the writing leaves the old file
 * as it was.
 * @throws D2nError; InterruptedError
 */
export async function runLockFields(
  spec: LockSpec,
  services: LockServices,
  { only }: { /** The one field to compute; the others stay as they are. */ readonly only?: string | undefined } = {},
): Promise<LockResult> {
  const { cwd, events } = services;
  const projectRoot = findProjectRoot(cwd, spec.projectRootFile);
  const lockFile = resolve(projectRoot, spec.lockFile.replace(/^\/+/, ""));
  const shown = relative(cwd, lockFile);

  if (spec.fields.length === 0) {
    const deleted = existsSync(lockFile);
    rmSync(lockFile, { force: true });
    if (deleted) notice(events, `lock file ${shown} deleted: nothing is locked any more`);
    const pdm = await runPdm(spec, projectRoot, services);
    await runExtraScripts(spec, services);
    const buildSystems = new Map([[lockFile, undefined], ...systemsOf(pdm)]);
    return { projectRoot, lockFile, changed: deleted, deleted, newHashes: pdm?.newHashes ?? new Map(), buildSystems };
  }

  const fields = new Map<string, Json>();
  const newHashes = new Map<string, string>();
  const buildSystems = new Map<string, BuildSystemsLock | undefined>(only === undefined ? [[lockFile, undefined]] : []);
  const before = only === undefined ? undefined : valuesToKeep(only, spec, lockFile);
  for (const field of spec.fields) {
    if (before !== undefined && field.name !== only) {
      const value = before.get(field.name);
      if (value !== undefined) fields.set(field.name, value);
      continue;
    }
    if (field.name === "invalidationHash")
      throw new D2nError("lock-script-failed", "a field of the lock file must not be called invalidationHash", {
        hint: "Rename lock.fields.invalidationHash.",
      });
    const { value, hashes, systems } = await computeField(field, projectRoot, spec, services);
    fields.set(field.name, value);
    if (systems !== undefined && buildSystems.get(lockFile) === undefined) buildSystems.set(lockFile, systems);
    for (const [wheel, sha256] of hashes) newHashes.set(wheel, sha256);
  }

  const text = formatLockFile(fields, spec.invalidationHash);
  const old = existsSync(lockFile) ? readFileSync(lockFile, "utf8") : undefined;
  const changed = old !== text;
  if (changed) writeFileAtomically(lockFile, text);
  if (old !== undefined && changed) for (const line of changesOf(old, spec, fields)) notice(events, line);
  noticeWritten(events, lockFile, shown, changed);
  if (only !== undefined) return { projectRoot, lockFile, changed, deleted: false, newHashes, buildSystems };
  const pdm = await runPdm(spec, projectRoot, services);
  for (const [wheel, sha256] of pdm?.newHashes ?? []) newHashes.set(wheel, sha256);
  for (const [file, systems] of systemsOf(pdm)) buildSystems.set(file, systems);
  await runExtraScripts(spec, services);
  return { projectRoot, lockFile, changed, deleted: false, newHashes, buildSystems };
}

/**
 * The content of a lock file of which one field is to be made anew. It has to be current: the other fields would not be.
 * @throws D2nError
 */
function valuesToKeep(only: string, spec: LockSpec, lockFile: string): JsonObject {
  if (!spec.fields.some((field) => field.name === only)) throw noField(only, spec);
  const lock = "Lock all fields: leave `--field` out.";
  if (!existsSync(lockFile)) {
    if (spec.fields.length === 1) return new Map();
    throw new D2nError("lock-missing", `there is no lock file ${lockFile} in which the other fields are`, {
      hint: lock,
    });
  }
  let content: Json | undefined;
  try {
    content = parseJson(readFileSync(lockFile, "utf8"));
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
  }
  if (!(content instanceof Map))
    throw new D2nError("lock-malformed", `the lock file ${lockFile} is damaged`, { hint: lock });
  if (spec.fields.length > 1 && (content as JsonObject).get("invalidationHash") !== spec.invalidationHash)
    throw new D2nError("lock-stale", `the other fields of the lock file ${lockFile} are outdated`, { hint: lock });
  return content as JsonObject;
}

function noField(name: string, spec: LockSpec): D2nError {
  const names = spec.fields.map((one) => one.name);
  return new D2nError("installable", `there is no field ${name} to lock`, {
    hint: names.length === 0 ? "Nothing is locked here." : `There is: ${names.join(", ")}.`,
  });
}

/**
 * One field by itself, as JSON text: what the program `lock.fields.<name>.script` of the pip module writes to `$out`.
 * @throws D2nError, as `runLockFields`
 */
export async function runLockField(spec: LockSpec, name: string, services: LockServices): Promise<string> {
  const field = spec.fields.find((one) => one.name === name);
  if (field === undefined) throw noField(name, spec);
  const projectRoot = findProjectRoot(services.cwd, spec.projectRootFile);
  return formatJson((await computeField(field, projectRoot, spec, services)).value, { indent: 2 });
}

async function computeField(
  field: LockSpec["fields"][number],
  projectRoot: string,
  spec: LockSpec,
  services: LockServices,
): Promise<{
  readonly value: Json;
  readonly hashes: ReadonlyMap<string, string>;
  readonly systems?: BuildSystemsLock;
}> {
  if (field.kind === "fod") {
    if (services.fixedOutputHash === undefined) throw new Error("internal error: nothing fetches fixed outputs");
    return { value: await services.fixedOutputHash(field.drvPath), hashes: new Map() };
  }
  if (field.kind === "script")
    return { value: await runFieldScript(field.name, field.script, spec, services), hashes: new Map() };
  const { toolchain } = services;
  const lock = await lockWithPip(
    { name: spec.name, ...field.pip },
    {
      ...services,
      projectRoot,
      toolchain: toolchain === undefined ? undefined : (wish) => toolchain(field.name, wish),
    },
  );
  return { value: lock.value, hashes: lock.newHashes, systems: lock.buildSystems };
}

/** What is new in the fields that pip makes. */
function changesOf(old: string, spec: LockSpec, fields: ReadonlyMap<string, Json>): string[] {
  let before: Json;
  try {
    before = parseJson(old);
  } catch {
    return [];
  }
  if (!(before instanceof Map)) return [];
  return spec.fields
    .filter((field) => field.kind === "pip")
    .flatMap(({ name }) => lockChanges((before as JsonObject).get(name), fields.get(name)!));
}

/**
 * The nearest folder, from `start` upwards, that holds the marker.
 * @throws D2nError `lock-project-root`
 */
export function findProjectRoot(start: string, marker: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, marker))) return folder;
    if (folder === dirname(folder))
      throw new D2nError(
        "lock-project-root",
        `the root of the project was not found: no folder from ${start} upwards holds ${marker}`,
        {
          hint: "Run this inside of the project, and see that paths.projectRootFile names a file at the project's root.",
        },
      );
  }
}

async function runFieldScript(name: string, script: string, spec: LockSpec, services: LockServices): Promise<Json> {
  const work = mkdtempSync(join(services.temporaryDir, "d2n-field-"));
  const out = join(work, "out");
  writeFileSync(out, "");
  try {
    await runScript(`lock.fields.${name}`, script, spec, services, { out });
    const text = readFileSync(out, "utf8");
    try {
      return parseJson(text);
    } catch (error) {
      if (!(error instanceof JsonSyntaxError)) throw error;
      throw new D2nError(
        "lock-script-failed",
        `the script of lock.fields.${name} did not write JSON to $out: ${messageOf(error)}`,
        {
          details: text.slice(0, 400),
          hint: "The lock file is as it was.",
        },
      );
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function runPdm(spec: LockSpec, projectRoot: string, services: LockServices): Promise<PdmLocked | undefined> {
  return spec.pdm === undefined ? undefined : lockWithPdm(spec.pdm, { ...services, toolchain: undefined, projectRoot });
}

function systemsOf(pdm: PdmLocked | undefined): [string, BuildSystemsLock][] {
  return pdm === undefined ? [] : [[pdm.lockFile, pdm.systems]];
}

async function runExtraScripts(spec: LockSpec, services: LockServices): Promise<void> {
  for (const script of spec.extraScripts) await runScript("lock.extraScripts", script, spec, services, {});
}

async function runScript(
  what: string,
  script: string,
  spec: LockSpec,
  services: LockServices,
  more: Environment,
): Promise<void> {
  using activity = new Activity(services.events, "lock", what);
  const lines: string[] = [];
  const env = Object.entries({ ...services.environment, ...more }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const status = await services.run([spec.shell, "-c", script], {
    env: Object.fromEntries(env),
    cwd: services.cwd,
    onLine: (line) => {
      // The script is the user's own, and so is what it has to say.
      lines.push(line);
      notice(services.events, redactCredentials(line));
    },
    signal: services.signal,
  });
  if (status !== 0)
    throw new D2nError("lock-script-failed", `${what} failed with status ${status}: ${script}`, {
      details: lines.slice(-25).join("\n"),
    });
  activity.stop(true);
}
