/**
 * The flakes that are part of d2n: dream2nix and its nixpkgs. Each has a small source tree, so that `import nixpkgs { … }` and
 * `"${dream2nix}/…"` mean something; importing its files gives native values.
 */
import { fileURLToPath } from "node:url";
import { D2nError } from "../../base/index.ts";
import {
  type Architecture,
  type ArchivePins,
  busyboxPackage,
  debUrl,
  type Mirrors,
  recordedPins,
} from "../../debian/index.ts";
import { createDream2nix } from "../../dream2nix/index.ts";
import type { BuiltInFlake } from "../../flake/index.ts";
import {
  Attrs,
  ContextString,
  type Evaluator,
  force,
  lazy,
  type Lazy,
  nativeFormals,
  toNix,
} from "../../lang/index.ts";
import { createLib, createModuleSystem } from "../../modules/index.ts";
import { createDebianPackages, createPackageSet, mainSuite } from "../../nixpkgs/index.ts";
import type { BuildSystemsLock } from "../../python/index.ts";
import type { SyncServices } from "./service-client.ts";
import type { WorkerHost } from "./worker-host.ts";

/** The systems that flakes speak of. Packages exist for this machine's; others throw when something of them is forced. */
const SYSTEMS = ["aarch64-darwin", "aarch64-linux", "x86_64-darwin", "x86_64-linux"];

export interface BuiltIns {
  readonly flakes: ReadonlyMap<string, BuiltInFlake>;
  /** The archive's pins, if evaluation has added to what d2n.lock had. */
  newPins(): ArchivePins | undefined;
}

export interface BuiltInOptions {
  readonly ev: Evaluator;
  readonly host: WorkerHost;
  readonly services: SyncServices;
  /** Where files with native values are entered; the evaluator looks there. */
  readonly nativeFiles: Map<string, () => Lazy>;
}

export function createBuiltIns({ ev, host, services, nativeFiles }: BuiltInOptions): BuiltIns {
  const pins = recordedPins(services.pins(undefined), (suite, architecture, name) =>
    services.debianPackage({ suite, architecture, name }),
  );
  let mirrors: Mirrors | undefined;
  const lib = createLib(ev);
  const sets = new Map<string, Lazy>();

  const packageSet = (system: string, config?: Lazy, overlays: readonly Lazy[] = []): Attrs =>
    createPackageSet(ev, {
      system,
      lib,
      ...(config === undefined ? {} : { config }),
      overlays,
      path: lazy(() => storePath(nixpkgs.outPath)),
      debian: () => {
        if (system !== host.system)
          throw new D2nError(
            "foreign-system",
            `packages for \`${system}\` cannot be had on this machine, which is \`${host.system}\``,
            {
              hint: `Use \`packages.${host.system}\`, or evaluate with the real nixpkgs.`,
            },
          );
        return createDebianPackages(ev, {
          system,
          pins,
          url: (pin) => debUrl((mirrors ??= services.debianMirrors(undefined)), pin),
          get busybox() {
            const pin = pins.lookup(mainSuite, architectureOf(system), busyboxPackage);
            if (pin === undefined)
              throw new D2nError("debian-package", `the Debian archive has no package \`${busyboxPackage}\``);
            const folder = services.bootstrapBusybox(pin);
            host.allowFolder(folder);
            return folder;
          },
        });
      },
    });

  const defaultSet = (system: string): Lazy => {
    let set = sets.get(system);
    if (set === undefined) {
      set = lazy(() => packageSet(system));
      sets.set(system, set);
    }
    return set;
  };

  const tree = (name: string): string => {
    const folder = fileURLToPath(new URL(`../built-in-flakes/${name}`, import.meta.url));
    host.allowFolder(folder);
    return host.addPath({ path: folder, name: "source", method: "nar" });
  };

  const nixpkgs = once(
    () => tree("nixpkgs"),
    (outPath) => {
      nativeFiles.set(`${outPath}/default.nix`, () => importNixpkgs);
      nativeFiles.set(`${outPath}/lib/default.nix`, () => lib);
    },
  );
  const dream2nix = once(
    () => tree("dream2nix"),
    (outPath) => {
      nativeFiles.set(`${outPath}/default.nix`, () => makeDream2nix(null));
    },
  );

  /** `import nixpkgs { system; config; overlays; }` */
  const importNixpkgs = nativeFormals(
    "nixpkgs",
    { system: true, localSystem: true, crossSystem: true, config: true, overlays: true, crossOverlays: true },
    (args) => {
      const overlays = args.get("overlays");
      const list = overlays === undefined ? [] : force(overlays);
      return packageSet(systemOf(args, host), args.get("config"), Array.isArray(list) ? (list as Lazy[]) : []);
    },
    { ellipsis: true },
  );

  const buildSystems = (lockFile: string): BuildSystemsLock | undefined => services.buildSystems(lockFile);
  const makeDream2nix = (inputs: Lazy): Lazy =>
    toNix(createDream2nix(ev, createModuleSystem(ev), { inputs: inputs ?? undefined, buildSystems }));

  const flakes = new Map<string, BuiltInFlake>([
    [
      "nixpkgs",
      {
        get outPath() {
          return nixpkgs.outPath;
        },
        inputs: new Map(),
        outputs: () =>
          Attrs.from([
            ["lib", lib],
            ["legacyPackages", Attrs.from(SYSTEMS.map((system): [string, Lazy] => [system, defaultSet(system)]))],
          ]),
      },
    ],
    [
      "dream2nix",
      {
        get outPath() {
          return dream2nix.outPath;
        },
        inputs: new Map([["nixpkgs", "nixpkgs"]]),
        outputs: (_self, inputs) => makeDream2nix(inputs),
      },
    ],
  ]);

  return {
    flakes,
    newPins: () => (pins.changed ? pins.toJSON(services.debianIndexes(undefined)) : undefined),
  };
}

function architectureOf(system: string): Architecture {
  return system.startsWith("aarch64") ? "arm64" : "amd64";
}

function storePath(path: string): ContextString {
  return new ContextString(path, new Set([path]));
}

/** A source tree that is added when its path is first asked for. */
function once(add: () => string, onAdd: (outPath: string) => void): { readonly outPath: string } {
  let outPath: string | undefined;
  return {
    get outPath() {
      if (outPath === undefined) {
        outPath = add();
        onAdd(outPath);
      }
      return outPath;
    },
  };
}

/** `system`, or `localSystem` as a string or with a `system` of its own. */
function systemOf(args: Attrs, host: WorkerHost): string {
  const given = args.get("system") ?? args.get("localSystem");
  if (given === undefined) {
    if (host.pure)
      throw new D2nError("evaluation", "`import nixpkgs` wants a `system` in pure evaluation mode", {
        hint: 'Write `import nixpkgs { system = "…"; }`.',
      });
    return host.system;
  }
  const value = force(given);
  if (typeof value === "string") return value;
  const inner = value instanceof Attrs ? value.get("system") : undefined;
  const text = inner === undefined ? undefined : force(inner);
  if (typeof text === "string") return text;
  throw new D2nError("evaluation", "the `system` of nixpkgs must be a string");
}
