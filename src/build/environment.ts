/** The environment and the extra files of a builder, exactly Nix's (libstore, `initEnv` and `DesugaredEnv`). */
import { createHash } from "node:crypto";
import { D2nError } from "../base/index.ts";
import type { Environment } from "../fetchers/index.ts";
import { type Derivation, encodeBase32, formatHash, isFixedOutput } from "../formats/index.ts";
import type { Store } from "../store/index.ts";
import { type DerivationOptions, derivationOptions, toBytes } from "./derivation-options.ts";
import { structuredFiles } from "./structured-attributes.ts";

export interface BuilderEnvironment {
  /** Byte strings. */
  readonly env: ReadonlyMap<string, string>;
  /** Files to write to the build directory. */
  readonly files: ReadonlyMap<string, string>;
}

export interface EnvironmentRequest {
  readonly store: Store;
  readonly drvPath: string;
  readonly derivation: Derivation;
  readonly options: DerivationOptions;
  /** The closure of all inputs. */
  readonly inputs: ReadonlySet<string>;
  /** Where the builder finds its build directory. */
  readonly buildDirectory: string;
  /** NIX_BUILD_CORES. */
  readonly cores: number;
  /** Where impureEnvVars come from. */
  readonly environment: Environment;
}

/** @throws D2nError `derivation-malformed` */
export async function builderEnvironment(request: EnvironmentRequest): Promise<BuilderEnvironment> {
  const { store, derivation, options } = request;
  const { buildDirectory } = request;
  const inside = (file: string): string => `${buildDirectory}/${file}`;
  const files = new Map<string, string>();
  const env = new Map<string, string>([
    // Shells would put a path of their own here, programs would look the home directory up.
    ["PATH", "/path-not-set"],
    ["HOME", "/homeless-shelter"],
    ["NIX_STORE", store.storeDir],
    ["NIX_BUILD_CORES", `${request.cores}`],
  ]);
  if (options.structured !== undefined) {
    const { json, shell } = await structuredFilesOf(request);
    files.set(".attrs.json", json).set(".attrs.sh", shell);
    env.set("NIX_ATTRS_JSON_FILE", inside(".attrs.json")).set("NIX_ATTRS_SH_FILE", inside(".attrs.sh"));
  } else {
    for (const [name, value] of derivation.env) {
      if (!options.passAsFile.has(name)) {
        env.set(name, value);
        continue;
      }
      const file = `.attr-${encodeBase32(createHash("sha256").update(name, "latin1").digest())}`;
      files.set(file, value);
      env.set(`${name}Path`, inside(file));
    }
    for (const [file, paths] of options.exportReferencesGraph) files.set(file, await graphAsText(request, paths));
  }
  env.set("NIX_BUILD_TOP", buildDirectory);
  for (const name of ["TMPDIR", "TEMPDIR", "TMP", "TEMP", "PWD"]) env.set(name, buildDirectory);
  if (isFixedOutput(derivation)) {
    env.set("NIX_OUTPUT_CHECKED", "1");
    for (const name of options.impureEnvVars) env.set(name, toBytes(request.environment[name] ?? ""));
  }
  env.set("NIX_LOG_FD", "2");
  env.set("TERM", "xterm-256color");
  return { env, files };
}

/** What a shell with a derivation's environment needs besides its variables. Texts are byte strings. */
export interface BuilderFiles {
  /** Of a derivation with structured attributes. */
  readonly files: { readonly json: string; readonly shell: string } | undefined;
  /** Names of variables that come as files. */
  readonly passedAsFile: ReadonlySet<string>;
}

/** @throws D2nError `derivation-malformed` */
export async function builderFiles({
  store,
  drvPath,
  derivation,
}: Pick<EnvironmentRequest, "store" | "drvPath" | "derivation">): Promise<BuilderFiles> {
  const options = derivationOptions(drvPath, derivation);
  if (options.structured === undefined) return { files: undefined, passedAsFile: options.passAsFile };
  const direct = new Set<string>(derivation.inputSrcs);
  for (const [input, outputs] of derivation.inputDrvs) {
    const { outputs: known } = await store.readDerivation(input);
    for (const output of outputs) direct.add(known.get(output)!.path);
  }
  const inputs = options.exportReferencesGraph.size === 0 ? new Set<string>() : await store.closure(direct);
  return { files: await structuredFilesOf({ store, drvPath, derivation, options, inputs }), passedAsFile: new Set() };
}

type StructuredRequest = Pick<EnvironmentRequest, "store" | "drvPath" | "derivation" | "options" | "inputs">;

async function structuredFilesOf(request: StructuredRequest): Promise<{ json: string; shell: string }> {
  const { derivation, options } = request;
  const additions = new Map<string, unknown>([
    ["outputs", Object.fromEntries([...derivation.outputs].sort().map(([name, { path }]) => [name, path]))],
  ]);
  for (const [key, paths] of options.exportReferencesGraph)
    additions.set(Buffer.from(key, "latin1").toString(), await graphAsJson(request, paths));
  return structuredFiles(derivation.env.get("__json")!, additions);
}

/** The closure of paths that must be inputs; of derivations among them, the closures of their outputs too. */
async function exported({ store, drvPath, inputs }: StructuredRequest, paths: readonly string[]): Promise<string[]> {
  for (const path of paths)
    if (!inputs.has(storePathOf(store, path)))
      throw new D2nError(
        "derivation-malformed",
        `derivation '${drvPath}': cannot export references of path '${path}' because it is not in the input closure of the derivation`,
      );
  const closure = await store.closure(paths.map((path) => storePathOf(store, path)));
  const outputs: string[] = [];
  for (const path of closure)
    if (path.endsWith(".drv"))
      for (const output of (await store.readDerivation(path)).outputs.values()) outputs.push(output.path);
  if (outputs.length > 0) for (const path of await store.closure(outputs)) closure.add(path);
  return [...closure].sort();
}

function storePathOf(store: Store, path: string): string {
  const end = path.indexOf("/", store.storeDir.length + 1);
  return end < 0 ? path : path.slice(0, end);
}

/** Three lines a path and one for each reference: what `nix-store --load-db` reads. */
async function graphAsText(request: StructuredRequest, paths: readonly string[]): Promise<string> {
  let text = "";
  for (const path of await exported(request, paths)) {
    const { references } = await request.store.queryPathInfo(path);
    text += `${path}\n\n${references.length}\n${references.map((reference) => `${reference}\n`).join("")}`;
  }
  return text;
}

async function graphAsJson(request: StructuredRequest, paths: readonly string[]): Promise<unknown[]> {
  const { store } = request;
  const graph: unknown[] = [];
  for (const path of await exported(request, paths)) {
    const info = await store.queryPathInfo(path);
    let closureSize = 0;
    for (const member of await store.closure([path])) closureSize += (await store.queryPathInfo(member)).narSize;
    graph.push({
      ...(info.ca === undefined ? {} : { ca: info.ca }),
      closureSize,
      narHash: formatHash(info.narHash, "nix32", true),
      narSize: info.narSize,
      path,
      references: info.references,
      valid: true,
    });
  }
  return graph;
}
