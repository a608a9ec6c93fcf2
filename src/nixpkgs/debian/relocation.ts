/**
 * Relocation: .debs in, an ordinary store path out (`builder/debian/relocate.sh` and `relocate.pl`).
 */
import { upstreamVersion, type DebPin, type Suite } from "../../debian/index.ts";
import type { Attrs, Lazy, NixString } from "../../lang/index.ts";
import { attributes, type DebianContext, storeName, withAttributes } from "./context.ts";

export interface RelocationOptions {
  readonly pname: string;
  /** Upstream's version; that of the first package unless given. */
  readonly version?: string | undefined;
  /** Names of Debian packages, whose contents are laid over each other. */
  readonly debs: readonly string[];
  readonly suite?: Suite | undefined;
  /** Packages whose libraries and programs are looked for. Only what is used becomes a reference. */
  readonly deps?: readonly Lazy[] | undefined;
  /** Packages that provide interpreters of scripts when `deps` do not. */
  readonly shells?: readonly Lazy[] | undefined;
  /** Of `deps`, those that whoever builds with the package needs as well: its `.pc` files and headers name them. */
  readonly propagated?: readonly Lazy[] | undefined;
  /** Shell patterns, relative to the output, of what to leave out. */
  readonly drop?: readonly string[] | undefined;
  readonly keepMultiarch?: boolean | undefined;
  /** Run paths as DT_RPATH, which libraries loaded later inherit. */
  readonly forceRpath?: boolean | undefined;
  readonly extraRpath?: NixString | undefined;
  /** Libraries that may be missing. */
  readonly neededElsewhere?: readonly string[] | undefined;
  /** Plugins may lack libraries. */
  readonly lenient?: boolean | undefined;
  /** Shell code before and after relocation. */
  readonly preFix?: NixString | undefined;
  readonly postFix?: NixString | undefined;
  /** Further variables of the builder. */
  readonly environment?: Readonly<Record<string, Lazy | undefined>> | undefined;
}

/** Relocates packages on a given C library; `glibc` undefined makes the C library itself. */
export type Relocate = (options: RelocationOptions) => Attrs;

export interface RelocationTools {
  /** Unpacked, unrelocated programs: perl and what it needs. */
  readonly raw: Lazy;
}

/** The derivation of relocated packages with `pname`, `version`, `meta`. */
export function relocate(
  context: DebianContext,
  tools: RelocationTools,
  glibc: Lazy | undefined,
  options: RelocationOptions,
): Attrs {
  const pins = options.debs.map((name) => context.pin(name, options.suite));
  const version = options.version ?? upstreamVersion(pins[0]!.version);
  const deps = [...(glibc === undefined ? [] : [glibc]), ...(options.deps ?? [])];
  const flag = (set: boolean | undefined) => (set === true ? "1" : undefined);
  const words = (list: readonly string[] | undefined) =>
    list === undefined || list.length === 0 ? undefined : list.join(" ");
  const derivation = context.shellDerivation(storeName(`${options.pname}-${version}`), "relocate.sh", {
    pname: options.pname,
    version,
    debs: pins.map((pin) => context.fetchDeb(pin)),
    raw: tools.raw,
    relocator: context.script("relocate.pl"),
    elfEditor: context.script("elf-edit.pl"),
    // The machine that relocates; with packages for another one, the two differ.
    buildTriple: context.platform.triple,
    buildLoader: context.platform.loaderName,
    glibc,
    selfGlibc: flag(glibc === undefined),
    deps,
    shells: options.shells,
    propagated: options.propagated === undefined || options.propagated.length === 0 ? undefined : options.propagated,
    drop: words(options.drop),
    keepMultiarch: flag(options.keepMultiarch),
    forceRpath: flag(options.forceRpath),
    extraRpath: options.extraRpath,
    neededElsewhere: words(options.neededElsewhere),
    lenient: flag(options.lenient),
    preFix: options.preFix,
    postFix: options.postFix,
    ...options.environment,
  });
  return describe(derivation, options.pname, version, pins[0]);
}

/** Adds what a package value has beside its derivation. */
export function describe(derivation: Attrs, pname: string, version: string, pin?: DebPin): Attrs {
  return withAttributes(derivation, {
    pname,
    version,
    meta: attributes({
      name: `${pname}-${version}`,
      description: pin?.description === undefined ? undefined : Buffer.from(pin.description, "utf8").toString("latin1"),
      outputsToInstall: ["out"],
      available: true,
      broken: false,
      insecure: false,
      unfree: false,
      unsupported: false,
    }),
  });
}
