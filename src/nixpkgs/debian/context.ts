/**
 * What making packages out of the archive needs: the evaluator, the pins, and a way to each derivation of the bootstrap.
 */
import { D2nError } from "../../base/index.ts";
import type { Architecture, DebPin, PackagePins, Suite } from "../../debian/index.ts";
import { Attrs, ContextString, type Evaluator, type Lazy } from "../../lang/index.ts";
import { builderFile, builderText } from "../builder-files.ts";

export interface DebianOptions {
  /** `x86_64-linux` or `aarch64-linux`. */
  readonly system: string;
  readonly pins: PackagePins;
  /** The address of a package's file. It becomes part of the derivation that fetches it, but of no output path. */
  readonly url: (pin: DebPin) => string;
  /** A folder, on the host, that holds nothing but the static `busybox` of `prepareBusybox`. */
  readonly busybox: string;
}

/** How Debian and the tools call a platform. */
export interface Platform {
  readonly system: string;
  readonly architecture: Architecture;
  /** Debian's multiarch triple. */
  readonly triple: string;
  readonly loaderName: string;
  /** As it stands in names of Debian's packages for cross building: underscores are not allowed there. */
  readonly tripleName: string;
}

const platforms: readonly Platform[] = [
  {
    system: "x86_64-linux",
    architecture: "amd64",
    triple: "x86_64-linux-gnu",
    loaderName: "ld-linux-x86-64.so.2",
    tripleName: "x86-64-linux-gnu",
  },
  {
    system: "aarch64-linux",
    architecture: "arm64",
    triple: "aarch64-linux-gnu",
    loaderName: "ld-linux-aarch64.so.1",
    tripleName: "aarch64-linux-gnu",
  },
];

/** The suite that everything comes from unless it says otherwise; its glibc carries the interpreters of all others. */
export const mainSuite: Suite = "trixie";

/** @throws D2nError `debian-package` for systems that the package set does not exist for. */
export function platformOf(system: string): Platform {
  const found = platforms.find((platform) => platform.system === system);
  if (found === undefined)
    throw new D2nError(
      "debian-package",
      `the built-in package set has packages for ${platforms.map((platform) => platform.system).join(" and ")}, not for ${system}`,
    );
  return found;
}

/** A store path's name may not have every character that a version may. */
export function storeName(text: string): string {
  return text.replace(/[^A-Za-z0-9+\-._?=]/g, "_").replace(/^\./, "_");
}

/** Makes derivations out of what a mirror has; one per evaluator and system. */
export interface DebianContext {
  readonly ev: Evaluator;
  readonly platform: Platform;
  readonly pins: PackagePins;
  /** The pin of a package of the main suite, or of another. @throws D2nError `debian-package` if it is not there. */
  pin(name: string, suite?: Suite): DebPin;
  /** The derivation that fetches a package's file. */
  fetchDeb(pin: DebPin): Attrs;
  /** A script of `builder/debian/` as a file in the store. */
  script(name: string): ContextString;
  /** The folder with the static busybox, in the store. */
  readonly busybox: ContextString;
  /** A derivation whose builder is that busybox's shell, running a script of `builder/debian/`. */
  shellDerivation(name: string, script: string, environment: Readonly<Record<string, Lazy | undefined>>): Attrs;
}

export function createContext(ev: Evaluator, options: DebianOptions): DebianContext {
  const platform = platformOf(options.system);
  const debs = new Map<string, Attrs>();
  let busybox: ContextString | undefined;

  const context: DebianContext = {
    ev,
    platform,
    pins: options.pins,

    pin(name, suite = mainSuite) {
      const pin = options.pins.lookup(suite, platform.architecture, name);
      if (pin === undefined)
        throw new D2nError(
          "debian-package",
          `Debian's suite '${suite}' has no package '${name}' for ${platform.architecture}`,
          {
            hint: name.startsWith("python3-")
              ? "Another interpreter may have it, each has its packages from its own suite; or let pip have it: add it to `pip.requirementsList`, and use `config.pip.drvs.<name>.public`."
              : "Do without it, or take it from a nixpkgs of your own as one more input.",
          },
        );
      return pin;
    },

    fetchDeb(pin) {
      let found = debs.get(pin.sha256);
      if (found === undefined) {
        const url = options.url(pin);
        found = ev.derivation(
          attributes({
            name: storeName(pin.filename.slice(pin.filename.lastIndexOf("/") + 1)),
            system: "builtin",
            builder: "builtin:fetchurl",
            url,
            urls: [url],
            outputHashMode: "flat",
            outputHashAlgo: "sha256",
            outputHash: pin.sha256,
            executable: false,
            unpack: false,
            preferLocalBuild: true,
          }),
        );
        debs.set(pin.sha256, found);
      }
      return found;
    },

    script: (name) => builderFile(ev, `debian/${name}`),

    get busybox() {
      if (busybox === undefined) {
        const path = ev.host.addPath({ path: options.busybox, name: "bootstrap-busybox", method: "nar" });
        busybox = new ContextString(path, new Set([path]));
      }
      return busybox;
    },

    shellDerivation(name, script, environment) {
      return ev.derivation(
        attributes({
          name: storeName(name),
          system: platform.system,
          // busybox finds its applet by the base name of argv[0], which is that of the builder.
          builder: ev.str`${context.busybox}/busybox`,
          args: ["sh", context.script(script)],
          busybox: context.busybox,
          bootstrap: context.script("bootstrap.sh"),
          triple: platform.triple,
          loaderName: platform.loaderName,
          ...environment,
        }),
      );
    },
  };
  return context;
}

/** An attribute set; `undefined` leaves an attribute out. */
export function attributes(object: Readonly<Record<string, Lazy | undefined>>): Attrs {
  const entries: [string, Lazy][] = [];
  for (const [name, value] of Object.entries(object)) if (value !== undefined) entries.push([name, value]);
  return Attrs.from(entries);
}

/** A package value: the derivation with further attributes, which are no part of how it is built. */
export function withAttributes(derivation: Attrs, more: Readonly<Record<string, Lazy>>): Attrs {
  return Attrs.from([...derivation.entries(), ...Object.entries(more)]);
}

/** A shell script of `builder/debian/` as text, for variables that hold code. */
export function scriptText(name: string): string {
  return builderText(`debian/${name}`);
}
