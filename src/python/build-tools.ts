/**
 * What source distributions may need to tell their metadata: a compiler, cmake, a library's headers. On PATH stand small
 * programs of these names; the first of them that is started has the real ones made, and runs in their environment. Programs
 * of the package's own inputs have names that nobody knows before, so when pip fails it is run once more with all of them.
 */
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { type EventSink, messageOf, notice } from "../base/index.ts";
import { canonicalName } from "./names.ts";
import { scriptFile } from "./pip-workspace.ts";

/** Stands for a package without inputs of its own. */
export const noPackage = "";
/** Stands for all packages that have inputs of their own, together. */
export const everyPackage = "*";

/** The environment of a build that has the tools, and the inputs of a package. Made when it is needed. */
export interface Toolchain {
  readonly drvPath: string;
  /** Its output, logical: a file of variables as `env -0` writes them. */
  readonly environment: string;
}

/** What goes beyond the compiler, of which each brings much: cmake with ninja; rustc with cargo. */
export type RareTools = "cmake" | "rust";

/** What a toolchain is for: a canonical name, `noPackage` or `everyPackage`; and what it is to have beyond the usual. */
export interface ToolchainWish {
  readonly package: string;
  readonly tools: RareTools | undefined;
}

export type Variables = Readonly<Record<string, string>>;

export interface BuildToolServices {
  /** For a package without inputs of its own that of `noPackage`; undefined where there is no compiler. */
  readonly toolchain: (wish: ToolchainWish) => Promise<Toolchain | undefined>;
  /** Makes a toolchain valid. */
  readonly realise: (toolchain: Toolchain) => Promise<void>;
  readonly physicalPath: (logical: string) => string;
  readonly events: EventSink;
}

/** Names under which something is asked for that the tools have. */
const programs = (
  "cc gcc c++ g++ cpp ld as ar nm ranlib strip objcopy objdump make pkg-config cmake ctest ninja cargo rustc patchelf " +
  "x86_64-linux-gnu-gcc x86_64-linux-gnu-g++ aarch64-linux-gnu-gcc aarch64-linux-gnu-g++"
).split(" ");

/** Those that few ask for. */
const rarePrograms: Readonly<Record<string, RareTools>> = {
  cmake: "cmake",
  ctest: "cmake",
  ninja: "cmake",
  cargo: "rust",
  rustc: "rust",
};

/** Variables of the build in which the environment was written down. */
const ofTheBuild =
  /^(?:_|HOME|PWD|OLDPWD|SHLVL|TERM|TZ|LANG|LC_.*|TMP|TEMP|TMPDIR|TEMPDIR|out|outputs|name|pname|version|system|builder|stdenv|shell|SHELL|buildCommand|buildCommandPath|passAsFile|preferLocalBuild|allowSubstitutes|strictDeps|doCheck|doInstallCheck|patches|(?:configure|cmake|meson)Flags|(?:deps|native|propagated|build)[A-Z]\w*|__structuredAttrs|NIX_BUILD_\w+|NIX_LOG_FD|NIX_STORE|NIX_REMOTE|NIX_ENFORCE_PURITY|(?:NIX_)?SSL_CERT_FILE|GIT_SSL_CAINFO|SOURCE_DATE_EPOCH|DETERMINISTIC_BUILD|_?PYTHON\w*|CONFIG_SHELL|HOST_PATH)$/;

/** Places that are searched in turn, in one variable. */
const separatorOf = (name: string): string | undefined =>
  /(?:PATH|DIRS)$/.test(name) ? ":" : /^NIX_(?:CFLAGS|CXXFLAGS|LDFLAGS)/.test(name) ? " " : undefined;

/** What programs run in. */
export interface ToolEnvironment {
  /** Which toolchain it is. */
  readonly drvPath: string;
  readonly variables: Variables;
}

export class BuildTools {
  /** To be on PATH. */
  readonly folder: string;
  readonly #services: BuildToolServices;
  readonly #found = new Map<string, Promise<Toolchain | undefined>>();
  /** By derivation. */
  readonly #made = new Map<string, Promise<Variables>>();
  readonly #said = new Set<string>();
  readonly #connections = new Set<Socket>();
  readonly #server: Server;
  readonly #place: number;

  private constructor(folder: string, place: number, server: Server, services: BuildToolServices) {
    this.folder = folder;
    this.#place = place;
    this.#server = server;
    this.#services = services;
  }

  /**
   * Puts the small programs into a new folder and waits for them to be started.
   * @param interpreter runs them
   */
  static async open(folder: string, interpreter: string, services: BuildToolServices): Promise<BuildTools> {
    mkdirSync(folder);
    const stub = join(folder, ".stub");
    writeFileSync(stub, `#!${interpreter} -IS\n${readFileSync(scriptFile("tool-stub.py"), "utf8")}`);
    chmodSync(stub, 0o755);
    for (const name of programs) symlinkSync(".stub", join(folder, name));
    const place = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    const server = createServer();
    const tools = new BuildTools(folder, place, server, services);
    server.on("connection", (connection) => tools.#serve(connection));
    await new Promise<void>((done, reject) => {
      server.once("error", reject);
      // Paths of sockets must be short: this one is, wherever the folder lies.
      server.listen(`/proc/self/fd/${place}/socket`, done);
    });
    return tools;
  }

  /** Whoever still waits is told that there is nothing to wait for. */
  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await new Promise<void>((done) => this.#server.close(() => done()));
    closeSync(this.#place);
  }

  /** The variables of a toolchain, which is made if it is not there yet; undefined without a compiler. @throws D2nError of a build */
  async environment(wish: ToolchainWish): Promise<ToolEnvironment | undefined> {
    const id = JSON.stringify([wish.package, wish.tools]);
    let found = this.#found.get(id);
    if (found === undefined) {
      found = this.#services.toolchain(wish);
      this.#found.set(id, found);
    }
    const toolchain = await found;
    if (toolchain === undefined) return undefined;
    const { drvPath } = toolchain;
    let made = this.#made.get(drvPath);
    if (made === undefined) {
      const { realise, physicalPath } = this.#services;
      made = realise(toolchain).then(() => readVariables(readFileSync(physicalPath(toolchain.environment), "utf8")));
      this.#made.set(drvPath, made);
    }
    return { drvPath, variables: await made };
  }

  #serve(connection: Socket): void {
    this.#connections.add(connection);
    connection.on("close", () => this.#connections.delete(connection));
    // One that ends while it waits.
    connection.on("error", () => connection.destroy());
    let text = "";
    connection.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (!text.endsWith("\n")) return;
      void this.#answer(text).then((answer) => connection.end(`${JSON.stringify(answer)}\n`));
    });
  }

  async #answer(question: string): Promise<{ readonly environment: Variables } | { readonly error: string }> {
    try {
      const { program, folder } = JSON.parse(question) as { readonly program: string; readonly folder: string };
      const name = packageBuiltIn(folder);
      const wish = { package: name ?? noPackage, tools: rarePrograms[program] };
      const id = JSON.stringify(wish);
      if (!this.#said.has(id))
        notice(
          this.#services.events,
          `${name ?? "a source distribution"} asks for ${program}: it and what goes with it`,
        );
      this.#said.add(id);
      const found = await this.environment(wish);
      return found === undefined ? { error: "there is no compiler for this system" } : { environment: found.variables };
    } catch (error) {
      return { error: messageOf(error) };
    }
  }
}

/** The variables of several toolchains together. */
export function joinVariables(environments: Iterable<Variables>): Variables {
  const merged: Record<string, string> = {};
  for (const environment of environments)
    for (const [name, value] of Object.entries(environment)) {
      const [before, separator] = [merged[name], separatorOf(name)];
      merged[name] =
        before === undefined || separator === undefined
          ? (before ?? value)
          : [...new Set([...before.split(separator), ...value.split(separator)])].join(separator);
    }
  return merged;
}

/** Of which package a folder is that pip builds in: it unpacks what has a name to `pip-install-…/<name>_<random>`. */
export function packageBuiltIn(folder: string): string | undefined {
  const name = /\/pip-install-[^/]+\/([^/]+)_[0-9a-f]{32}(?:\/|$)/.exec(folder)?.[1];
  return name === undefined ? undefined : canonicalName(name);
}

/** What is worth having elsewhere of an environment that a build wrote down. */
export function readVariables(text: string): Variables {
  const variables: Record<string, string> = {};
  for (const entry of text.split("\0")) {
    const at = entry.indexOf("=");
    if (at < 1) continue;
    const name = entry.slice(0, at);
    if (/^\w+$/.test(name) && !ofTheBuild.test(name)) variables[name] = entry.slice(at + 1);
  }
  return variables;
}
