/** For tests: a package set over an archive that has every package, in one version. */
import { D2nError } from "../base/index.ts";
import type { PackagePins } from "../debian/index.ts";
import { createEvaluator, force, type Lazy, lazy, PrimOp, type Value } from "../lang/index.ts";
import { Attrs } from "../lang/index.ts";
import { MemoryHost } from "../lang/testing.ts";
import { createLib } from "../modules/index.ts";
import { createDebianPackages, createPackageSet } from "./index.ts";

export interface TestSet {
  readonly host: MemoryHost;
  /** The value of an expression in which `pkgs`, `lib` and `importNixpkgs` are known. */
  evaluate(source: string): Value;
}

/** @param busybox a folder with a file `busybox` */
export function testPackageSet(busybox: string, system = "x86_64-linux"): TestSet {
  const host = new MemoryHost({ system });
  const ev = createEvaluator({ host });
  const lib = createLib(ev);
  const pins: PackagePins = {
    lookup: (_suite, architecture, name) => ({
      package: name,
      version: "1.2.3-4",
      source: name.replace(/-dev$/, ""),
      archive: "main",
      filename: `pool/main/x/${name}_1.2.3-4_${architecture}.deb`,
      sha256: Buffer.from(name.padEnd(32).slice(0, 32)).toString("hex"),
      size: 1,
      depends: [],
    }),
  };
  const make = (wanted: string, config?: Lazy, overlays: readonly Lazy[] = []): Attrs =>
    createPackageSet(ev, {
      system: wanted,
      lib,
      ...(config === undefined ? {} : { config }),
      overlays,
      debian: () => {
        if (wanted !== system) throw new D2nError("debian-package", `no packages for ${wanted}`);
        return createDebianPackages(ev, { system: wanted, pins, url: (pin) => `https://mirror.example.org/debian/${pin.filename}`, busybox });
      },
    });
  const importNixpkgs = new PrimOp("nixpkgs", 1, (argument) => {
    const args = force(argument) as Attrs;
    const overlays = args.get("overlays");
    return make(force(args.get("system")!) as string, args.get("config"), overlays === undefined ? [] : (force(overlays) as readonly Lazy[]));
  });
  const scope = new Map<string, Lazy>([
    ["pkgs", lazy(() => make(system))],
    ["lib", lib],
    ["importNixpkgs", importNixpkgs],
  ]);
  return { host, evaluate: (source) => ev.evaluate(source, { basePath: "/nonexistent", scope }) };
}
