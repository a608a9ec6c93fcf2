/** Building one derivation in the sandbox. */
import { lstatSync, mkdirSync, mkdtempSync, renameSync, statfsSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { explainFileError, Activity, D2nError, isSystemError, notice } from "../base/index.ts";
import { type Derivation, equalHashes, formatHash, placeholder, storePathBase } from "../formats/index.ts";
import { type BuildEnd, runBuild, sandboxBuildDirectory } from "../sandbox/index.ts";
import type { NewPathInfo } from "../store/index.ts";
import { type DerivationOptions, fromBytes } from "./derivation-options.ts";
import { builderEnvironment } from "./environment.ts";
import { BuildLog } from "./log.ts";
import { checkOutputs } from "./output-checks.ts";
import { fixedOutput, outputPath, type PlannedDerivation } from "./plan.ts";
import type { Realisation, RealiseOptions } from "./types.ts";
import { makeWorkspace, removeTree } from "./workspace.ts";

/**
 * Builds a derivation whose inputs are valid, and registers its outputs. Nothing half-made is left in the store.
 * @throws D2nError `build-failed`, `build-timeout`, `output-rejected`, `not-deterministic`, `disk-full`, …
 */
export async function buildDerivation(
  request: RealiseOptions,
  planned: PlannedDerivation,
  signal: AbortSignal,
): Promise<Realisation> {
  const { store, sink } = request;
  const { drvPath, derivation, check } = planned;
  const name = fromBytes(derivation.name);
  const paths = [...derivation.outputs.keys()].sort().map((output) => outputPath(derivation, output));
  await store.addTempRoot(drvPath);
  await using locks = await store.lockPaths(paths, {
    signal,
    onWait: () => notice(sink, `waiting for another d2n that builds ${name}`),
  });
  // Whoever held the locks may have built it.
  if (!check && paths.every((path) => store.isValidPathSync(path))) return "valid";
  const workspace = await makeWorkspace(store, drvPath);
  using activity = new Activity(sink, "build", name, { path: drvPath });
  const state: BuildState = { request, planned, workspace, name, activity, signal };
  try {
    const result = await build(state);
    locks.release({ delete: true });
    activity.stop(true);
    return result;
  } catch (error) {
    throw explainFileError(error, workspace) ?? error;
  } finally {
    await removeTree(workspace);
  }
}

interface BuildState {
  readonly request: RealiseOptions;
  readonly planned: PlannedDerivation;
  readonly workspace: string;
  readonly name: string;
  readonly activity: Activity;
  readonly signal: AbortSignal;
}

async function build(state: BuildState): Promise<Realisation> {
  const { request, planned, workspace, activity, signal } = state;
  const { store, environment } = request;
  const { drvPath, derivation, options } = planned;
  const outputs = new Set([...derivation.outputs.values()].map(({ path }) => path));
  const inputs = await inputClosure(state);
  for (const path of outputs) inputs.delete(path);
  const machine = seesMachine(request, options);
  const [scratchStore, scratch] = ["store", "scratch"].map((part) => join(workspace, part)) as [string, string];
  for (const folder of [scratchStore, scratch]) mkdirSync(folder, { mode: 0o700 });
  // The machine's files are all there but for the store's, so the build directory has to lie elsewhere.
  await using temporary = machine ? temporaryFolder(request) : undefined;
  const build = temporary?.path ?? join(workspace, "build");
  if (temporary === undefined) mkdirSync(build, { mode: 0o700 });
  const cores = request.cores ?? availableParallelism();
  const placed = (text: string): string => withOutputPaths(derivation, text);
  const { env, files } = await builderEnvironment({
    ...{ store, drvPath, derivation, options, inputs, cores, environment },
    buildDirectory: machine ? build : sandboxBuildDirectory,
  });
  for (const [file, content] of files)
    writeFileSync(join(build, file), placed(content), { encoding: "latin1", mode: 0o644 });
  const fixed = fixedOutput(derivation);
  const tools = await request.sandbox();
  using log = new BuildLog(store.logPath(drvPath), activity, request.logLines ?? 25);
  let logError: unknown;
  const end = await runBuild({
    tools,
    storeDir: store.storeDir,
    scratchStore,
    scratch,
    buildDirectory: build,
    machine,
    mounts: request.sandboxPaths,
    inputs: [...inputs].sort().map((path) => ({ source: store.toPhysical(path), target: path })),
    network: fixed !== undefined,
    certificates: environment.NIX_SSL_CERT_FILE || environment.SSL_CERT_FILE || "/etc/ssl/certs/ca-certificates.crt",
    builder: placed(derivation.builder),
    args: derivation.args.map(placed),
    env: new Map([...env].map(([name, value]) => [name, placed(value)])),
    onOutput: (bytes) => {
      try {
        log.write(bytes);
      } catch (error) {
        logError ??= error;
      }
    },
    timeout: milliseconds(request.timeout),
    maxSilent: milliseconds(request.maxSilent),
    signal,
  });
  log[Symbol.dispose]();
  if (logError !== undefined) throw logError as Error;
  if (end.type !== "exited" || end.code !== 0) throw await failure(state, end, log, keepBuild(state, build));
  signal.throwIfAborted();
  try {
    await register(state, scratchStore, inputs);
  } catch (error) {
    if (error instanceof D2nError) {
      const kept = keepBuild(state, build);
      if (kept !== undefined) error.details = [error.details, kept].filter((part) => part !== undefined).join("\n");
    }
    throw error;
  }
  return planned.check ? "checked" : "built";
}

/** What `builtins.placeholder` left in the place of outputs becomes their paths. */
function withOutputPaths({ outputs }: Derivation, text: string): string {
  let placed = text;
  for (const [name, { path }] of outputs) placed = placed.replaceAll(placeholder(name), () => path);
  return placed;
}

/** Whether a builder sees the machine as it is. */
function seesMachine({ sandboxing, store }: RealiseOptions, { noSandbox }: DerivationOptions): boolean {
  if (store.physicalStoreDir !== store.storeDir) return false;
  return sandboxing === "never" || (sandboxing === "relaxed" && noSandbox);
}

function temporaryFolder({ store, buildDirectory }: RealiseOptions): AsyncDisposable & { readonly path: string } {
  const parent = buildDirectory ?? join(store.stateDir, "builds");
  mkdirSync(parent, { recursive: true });
  const path = mkdtempSync(join(parent, "d2n-"));
  return { path, [Symbol.asyncDispose]: () => removeTree(path) };
}

/** Everything that the builder may see. */
async function inputClosure({ request: { store }, planned: { derivation } }: BuildState): Promise<Set<string>> {
  const direct = new Set<string>(derivation.inputSrcs);
  for (const [drvPath, outputs] of derivation.inputDrvs) {
    const input = store.readDerivationSync(drvPath);
    for (const output of outputs) direct.add(outputPath(input, output));
  }
  for (const path of direct) await store.addTempRoot(path);
  return store.closure(direct);
}

async function register(
  { request, planned }: BuildState,
  scratchStore: string,
  inputs: ReadonlySet<string>,
): Promise<void> {
  const { store } = request;
  const { drvPath, derivation, options, check } = planned;
  const names = [...derivation.outputs.keys()].sort();
  const places = names.map((output) => {
    const path = outputPath(derivation, output);
    const from = join(scratchStore, storePathBase(path));
    refuseMode(drvPath, output, from);
    return {
      name: output,
      path,
      from,
      fixed: fixedOutput(derivation),
      discardReferences: options.discardsReferences(output),
    };
  });
  await store.registerOutputs(places, {
    deriver: drvPath,
    candidates: inputs,
    check: async (infos) => {
      const byName = new Map(infos.map((info, index) => [names[index]!, info]));
      await checkOutputs(store, drvPath, options, byName);
      if (check) await compare(request, planned, byName, scratchStore);
    },
  });
}

/** An output that others may write to has been exposed to them; and one that is not there was not made. */
function refuseMode(drvPath: string, output: string, from: string): void {
  let status: ReturnType<typeof lstatSync>;
  try {
    status = lstatSync(from);
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
    throw new D2nError(
      "output-rejected",
      `builder for '${drvPath}' succeeded, but did not make its output '${output}'`,
      {
        hint: `The builder must create a file or folder at the path that the variable \`${output}\` holds.`,
      },
    );
  }
  if (!status.isSymbolicLink() && (status.mode & 0o022) !== 0)
    throw new D2nError(
      "output-rejected",
      `the output '${output}' of '${drvPath}' can be written by others (mode ${(status.mode & 0o777).toString(8)})`,
      {
        hint: "Remove that permission in the builder: `chmod go-w`.",
      },
    );
}

async function compare(
  { store, keepFailed, sink }: RealiseOptions,
  { drvPath, derivation }: PlannedDerivation,
  outputs: ReadonlyMap<string, NewPathInfo>,
  scratchStore: string,
): Promise<void> {
  const differing: string[] = [];
  for (const [name, info] of outputs) {
    const path = outputPath(derivation, name);
    const known = await store.findPathInfo(path);
    // Only some of the outputs may have been wanted, or kept.
    if (known === undefined || equalHashes(known.narHash, info.narHash)) continue;
    differing.push(`${path}: was ${formatHash(known.narHash, "sri")}, is ${formatHash(info.narHash, "sri")} now`);
    if (keepFailed !== true) continue;
    const kept = `${store.toPhysical(path)}.check`;
    await removeTree(kept);
    renameSync(join(scratchStore, storePathBase(path)), kept);
    notice(sink, `the other result is kept at '${kept}'`);
  }
  if (differing.length > 0)
    throw new D2nError(
      "not-deterministic",
      `derivation '${drvPath}' may not be deterministic: another build of it has another result`,
      {
        details: differing.join("\n"),
        hint: "With --keep-failed the other result is kept beside the first, to compare the two.",
      },
    );
}

/** Moves the build directory out of the way of its deletion if the user wants that. Gives a line that says where it is. */
function keepBuild({ request, name }: BuildState, build: string): string | undefined {
  if (request.keepFailed !== true) return undefined;
  const parent = request.buildDirectory ?? join(request.store.stateDir, "builds");
  try {
    mkdirSync(parent, { recursive: true });
    for (let number = 0; ; number++) {
      const place = join(parent, `d2n-build-${name}-${number}`);
      try {
        renameSync(build, place);
      } catch (error) {
        if (isSystemError(error, "ENOTEMPTY") || isSystemError(error, "EEXIST")) continue;
        throw error;
      }
      return `The build directory is kept at ${place}`;
    }
  } catch (error) {
    return `The build directory could not be kept in ${parent}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function failure(
  { request, planned, workspace, name }: BuildState,
  end: BuildEnd,
  log: BuildLog,
  kept: string | undefined,
): Promise<D2nError> {
  const { drvPath, derivation } = planned;
  const phase = log.phase === undefined ? "" : ` in the phase '${log.phase}'`;
  const details = [
    ...(log.tail.length === 0
      ? ["Its log is empty."]
      : [
          `Last ${log.tail.length === 1 ? "line" : `${log.tail.length} lines`} of its log:`,
          ...log.tail.map((line) => `> ${line}`),
        ]),
    `The whole log: ${log.path}`,
    ...(kept === undefined ? [] : [kept]),
  ].join("\n");
  const whole = `\`d2n log ${drvPath}\` shows the whole log.`;
  if (end.type === "timeout")
    return new D2nError(
      "build-timeout",
      `building '${name}' took longer than ${request.timeout} seconds and was ended${phase}`,
      {
        details,
        hint: `--timeout changes the limit. ${whole}`,
      },
    );
  if (end.type === "silence")
    return new D2nError(
      "build-timeout",
      `building '${name}' was silent for more than ${request.maxSilent} seconds and was ended${phase}`,
      {
        details,
        hint: `--max-silent-time changes the limit. ${whole}`,
      },
    );
  if (diskIsFull(workspace, log))
    return new D2nError(
      "disk-full",
      `building '${name}' failed${phase}: no space left on the disk that holds '${request.store.physicalStoreDir}'`,
      {
        details,
        hint: "Free some space (`d2n store gc` deletes what nothing uses) and run the command again; what is built already is kept.",
      },
    );
  const how = end.type === "killed" ? `was killed by signal ${end.signal}` : `failed with exit code ${end.code}`;
  const memory = end.type === "killed" && end.signal === 9 ? "Probably the machine ran out of memory. " : "";
  const advice = await request.advise?.(derivation, log.recent());
  return new D2nError("build-failed", `the builder of '${name}' ${how}${phase}`, {
    details,
    hint: `${memory}${advice === undefined ? "" : `${advice}\n`}${whole}`,
  });
}

function diskIsFull(path: string, log: BuildLog): boolean {
  try {
    const { bavail, bsize } = statfsSync(path);
    if (bavail * bsize < 1 << 20) return true;
  } catch {
    // Then only the log can tell.
  }
  return log.tail.some((line) => /no space left on device/i.test(line));
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined || seconds === 0 ? undefined : seconds * 1000;
}
