/**
 * Every option of `mkDerivation` and `buildPythonPackage`: what it does to the derivation. What the builder then makes of that is
 * for `test/e2e/package-options.test.ts`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Derivation } from "../../src/formats/index.ts";
import { createEvaluator, type Lazy, lazy, textOf, toNix } from "../../src/lang/index.ts";
import { MemoryHost } from "../../src/lang/testing.ts";
import { createDream2nix } from "../../src/dream2nix/index.ts";
import { buildPythonPackageNames } from "../../src/dream2nix/modules/build-python-package/options.ts";
import { derivationNames } from "../../src/dream2nix/modules/builtins-derivation/options.ts";
import { mkDerivationNames } from "../../src/dream2nix/modules/mk-derivation/options.ts";
import { createLib, createModuleSystem } from "../../src/modules/index.ts";
import { createDebianPackages, createPackageSet } from "../../src/nixpkgs/index.ts";

let busybox: string;
let host: MemoryHost;
/** Nix code with `dream2nix` and `pkgs` in scope, to text. */
let evaluate: (source: string) => string;

beforeAll(() => {
  busybox = mkdtempSync(join(tmpdir(), "d2n-busybox-"));
  writeFileSync(join(busybox, "busybox"), "a busybox", { mode: 0o755 });
  for (const file of ["hook.sh", "other.sh"]) writeFileSync(join(busybox, file), "");
  host = new MemoryHost();
  const ev = createEvaluator({ host });
  const system = createModuleSystem(ev);
  const pkgs = createPackageSet(ev, {
    system: "x86_64-linux",
    lib: createLib(ev),
    overlays: [],
    debian: () =>
      createDebianPackages(ev, {
        system: "x86_64-linux",
        busybox,
        url: (pin) => `https://mirror.example.org/debian/${pin.filename}`,
        // Every package, in one version.
        pins: {
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
        },
      }),
  });
  const scope = new Map<string, Lazy>([
    ["dream2nix", toNix(createDream2nix(ev, system))],
    ["pkgs", lazy(() => pkgs)],
  ]);
  evaluate = (source) => textOf(ev.coerceToString(ev.evaluate(source, { basePath: busybox, name: "test.nix", scope })));
});
afterAll(() => rmSync(busybox, { recursive: true, force: true }));

/** The derivation of a package with these definitions. */
function derivation(module: string, definitions: string): Derivation {
  const path = evaluate(`(dream2nix.lib.evalModules {
    packageSets.nixpkgs = pkgs;
    modules = [
      ({ dream2nix, ... }: { imports = [ dream2nix.modules.dream2nix.${module} ]; name = "x"; version = "1"; ${definitions} })
      { paths.projectRoot = ./.; paths.projectRootFile = "flake.nix"; paths.package = ./.; }
    ];
  }).drvPath`);
  return host.derivations.get(path)!;
}

/** Variables that are not the same in both, without what every change changes; store paths without their hash. */
function changes(before: Derivation, after: Derivation): Record<string, string | undefined> {
  const plain = (text: string | undefined): string | undefined =>
    text?.replaceAll(/\/nix\/store\/[0-9a-z]{32}-/g, "").replaceAll(/-1\.2\.3(?!\.)/g, "");
  const names = new Set([...before.env.keys(), ...after.env.keys()]);
  names.delete("out");
  return Object.fromEntries(
    [...names]
      .filter((name) => plain(before.env.get(name)) !== plain(after.env.get(name)))
      .map((name) => [name, plain(after.env.get(name))]),
  );
}

type Effect = Readonly<Record<string, string | undefined>>;
/** Nix code of a value; what it becomes, if that is not a variable of the option's name with the value as its text. */
type Sample = readonly [value: string, effect?: Effect];

const yes = (name: string): Sample => ["true", { [name]: "1" }];
const text = (name: string): Sample => [`"some ${name}"`, { [name]: `some ${name}` }];
const list = (name: string): Sample => [`[ "a" "b" ]`, { [name]: "a b" }];
const packages = (name: string): Sample => ["[ pkgs.zlib ]", { [name]: "zlib" }];
const each = (names: string, sample: (name: string) => Sample): Record<string, Sample> =>
  Object.fromEntries(names.split(/\s+/).map((name) => [name, sample(name)]));
const nothing: Effect = {};

const phases = "unpack patch configure build check install fixup installCheck dist".split(" ");
const capital = (word: string): string => word[0]!.toUpperCase() + word.slice(1);

const mkDerivationSamples: Record<string, Sample> = {
  ...each(
    phases.flatMap((phase) => [`${phase}Phase`, `pre${capital(phase)}`, `post${capital(phase)}`]).join(" "),
    text,
  ),
  ...each(
    `shellHook setSourceRoot unpackCmd patchFlags configureScript prefix prefixKey makefile checkTarget installTargets
     installCheckTarget distTarget`,
    text,
  ),
  ...each(
    `strictDeps enableParallelBuilding enableParallelChecking dontUnpack dontPatch dontConfigure dontBuild dontInstall dontFixup
     doDist doCheck doInstallCheck dontMakeSourcesWritable dontAddPrefix dontAddStaticConfigureFlags dontAddDisableDepTrack
     dontFixLibtool dontDisableStatic dontStrip dontStripHost dontStripTarget dontMoveBin dontPatchELF dontPatchShebangs
     dontPruneLibtoolFiles dontCopyDist allowSubstitutes`,
    yes,
  ),
  ...each(
    `configureFlags cmakeFlags mesonFlags prePhases preConfigurePhases preBuildPhases preInstallPhases preFixupPhases
     preDistPhases postPhases makeFlags buildFlags checkFlags installFlags stripAllList stripAllFlags stripDebugList
     stripDebugFlags forceShare installCheckFlags distFlags tarballs phases requiredSystemFeatures patches
     allowedReferences allowedRequisites disallowedReferences disallowedRequisites`,
    list,
  ),
  ...each(
    `depsBuildBuild depsBuildBuildPropagated nativeBuildInputs propagatedNativeBuildInputs depsBuildTarget
     depsBuildTargetPropagated depsHostHost depsHostHostPropagated buildInputs propagatedBuildInputs depsTargetTarget
     depsTargetTargetPropagated`,
    packages,
  ),
  // Only where there are checks.
  ...each("nativeCheckInputs checkInputs installCheckInputs", () => ["[ pkgs.zlib ]", nothing]),
  src: ["./other.sh", { src: "other.sh" }],
  srcs: ["[ ./other.sh ./hook.sh ]", { srcs: "other.sh hook.sh" }],
  sourceRoot: text("sourceRoot"),
  setupHook: ["./hook.sh", { setupHook: "hook.sh" }],
  // The standard builder is told of the one; the other replaces it.
  builder: ["./hook.sh", nothing],
  realBuilder: ['"/bin/busybox"', { builder: "/bin/busybox" }],
  args: ['[ "a" ]', nothing],
  outputs: ['[ "out" "dev" ]', { outputs: "out dev", dev: "x-1-dev" }],
  separateDebugInfo: [
    "true",
    { outputs: "out debug", debug: "x-1-debug", nativeBuildInputs: "separate-debug-info.sh" },
  ],
  configurePlatforms: [
    '[ "build" "host" ]',
    { configureFlags: "--build=x86_64-unknown-linux-gnu --host=x86_64-unknown-linux-gnu" },
  ],
  hardeningEnable: ['[ "pie" ]', { NIX_HARDENING_ENABLE: "pie" }],
  hardeningDisable: ['[ "all" ]', { NIX_HARDENING_ENABLE: "" }],
  preferLocalBuild: yes("preferLocalBuild"),
  exportReferenceGraph: ['[ "graph" pkgs.zlib ]', { exportReferencesGraph: "graph zlib" }],
  exportReferencesGraph: ['[ "graph" pkgs.zlib ]', { exportReferencesGraph: "graph zlib" }],
  impureEnvVars: list("impureEnvVars"),
  passAsFile: ['[ "buildPhase" ]', { passAsFile: "buildPhase" }],
  // Upstream's spelling has no effect there; here it is the hook.
  postInstalCheck: ['"echo late"', { postInstallCheck: "echo late" }],
  meta: ['{ description = "d"; }', nothing],
  passthru: ["{ a = 1; }", nothing],
  pos: ['{ file = "f"; line = 1; column = 1; }', nothing],
  // For macOS alone.
  ...each("sandboxProfile propagatedSandboxProfile", (name) => [`"some ${name}"`, nothing]),
  ...each("__impureHostDeps __propagatedImpureHostDeps", () => ['[ "a" ]', nothing]),
  __darwinAllowLocalNetworking: ["true", nothing],
};

describe("mkDerivation", () => {
  const plain = (): Derivation => derivation("mkDerivation", "");

  it("has a sample of each option, but for those that come together", () => {
    const together = ["__contentAddressed", "__structuredAttrs", "outputHash", "outputHashAlgo", "outputHashMode"];
    expect([...Object.keys(mkDerivationSamples), ...together].sort()).toEqual(
      [...mkDerivationNames, ...derivationNames].sort(),
    );
  });

  it.each(Object.entries(mkDerivationSamples))("%s", (option, [value, effect]) => {
    expect(changes(plain(), derivation("mkDerivation", `mkDerivation.${option} = ${value};`))).toEqual(effect);
  });

  it("builder and args are the builder's arguments", () => {
    expect(derivation("mkDerivation", "mkDerivation.builder = ./hook.sh;").args.at(-1)).toMatch(/-hook\.sh$/);
    expect(derivation("mkDerivation", 'mkDerivation.args = [ "a" "b" ];').args).toEqual(["a", "b"]);
    expect(derivation("mkDerivation", 'mkDerivation.realBuilder = "/bin/x";').builder).toBe("/bin/x");
  });

  it("check inputs are for checks", () => {
    const inputs =
      "nativeCheckInputs = [ pkgs.git ]; checkInputs = [ pkgs.expat ]; installCheckInputs = [ pkgs.zlib ];";
    const env = (flags: string): (string | undefined)[] => {
      const { env } = derivation("mkDerivation", `mkDerivation = { ${inputs} ${flags} };`);
      return ["nativeBuildInputs", "buildInputs"].map((name) =>
        env
          .get(name)
          ?.replaceAll(/\/nix\/store\/[0-9a-z]{32}-/g, "")
          .replaceAll(/-1\.2\.3\S*/g, ""),
      );
    };
    expect(env("doCheck = true;")).toEqual(["git", "expat"]);
    expect(env("doInstallCheck = true;")).toEqual([undefined, "zlib"]);
  });

  it("outputHash and its kin fix the output", () => {
    const { outputs } = derivation(
      "mkDerivation",
      'mkDerivation = { outputHash = "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"; outputHashAlgo = "sha256"; outputHashMode = "recursive"; };',
    );
    expect(outputs.get("out")).toMatchObject({ hashAlgo: "r:sha256" });
  });

  it("__structuredAttrs passes JSON", () => {
    const { env } = derivation("mkDerivation", 'mkDerivation = { __structuredAttrs = true; makeFlags = [ "a b" ]; };');
    expect(JSON.parse(env.get("__json")!)).toMatchObject({ makeFlags: ["a b"], pname: "x" });
  });

  it("__contentAddressed is refused by name", () => {
    expect(() => derivation("mkDerivation", "mkDerivation.__contentAddressed = true;")).toThrow(/ca-derivations/);
  });

  it("null passes nothing", () => {
    expect(
      changes(plain(), derivation("mkDerivation", "mkDerivation.preBuild = null; mkDerivation.patches = null;")),
    ).toEqual({});
  });
});

const python: Record<string, Sample> = {
  catchConflicts: ["false", { pythonCatchConflicts: undefined }],
  dontWrapPythonPrograms: yes("dontWrapPythonPrograms"),
  makeWrapperArgs: list("makeWrapperArgs"),
  dontUsePipInstall: yes("dontUsePipInstall"),
  permitUserSite: yes("permitUserSite"),
  removeBinBytecode: ["false", { dontUsePythonRemoveBinBytecode: "1" }],
  disabledTestPaths: list("disabledTestPaths"),
  disabledTests: list("disabledTests"),
  pytestFlagsArray: list("pytestFlagsArray"),
  pipInstallFlags: list("pipInstallFlags"),
  pythonImportsCheck: list("pythonImportsCheck"),
  pythonRelaxDeps: list("pythonRelaxDeps"),
  pythonRemoveDeps: list("pythonRemoveDeps"),
};

describe("buildPythonPackage", () => {
  const build = (definitions: string): Derivation => derivation("buildPythonPackage", definitions);
  const option = (definition: string): Derivation => build(`buildPythonPackage.${definition};`);

  it("has a test of each option", () => {
    const below = ["disabled", "pyproject", "format", "build-system", "dependencies", "optional-dependencies"];
    expect([...Object.keys(python), ...below].sort()).toEqual([...buildPythonPackageNames].sort());
  });

  it.each(Object.entries(python))("%s", (name, [value, effect]) => {
    expect(changes(build(""), option(`${name} = ${value}`))).toEqual(effect);
  });

  it("disabled refuses", () => {
    expect(() => option("disabled = true")).toThrow(/x-1 not supported for interpreter python3\.13/);
  });

  it("pyproject and format choose how it is built", () => {
    const format = (definition: string): string | undefined => option(definition).env.get("pythonFormat");
    expect(build("").env.get("pythonFormat")).toBe("setuptools");
    expect(format("pyproject = true")).toBe("pyproject");
    expect(format("pyproject = false")).toBe("other");
    for (const name of ["setuptools", "wheel", "flit", "pyproject", "other"])
      expect(format(`format = "${name}"`)).toBe(name);
    expect(() => format('format = "egg"')).toThrow(/not supported/);
  });

  it("build-system, dependencies and optional-dependencies are packages", () => {
    const changed = changes(
      build(""),
      build(
        "buildPythonPackage = { build-system = [ pkgs.python3.pkgs.flit-core ]; dependencies = [ pkgs.python3.pkgs.packaging ]; optional-dependencies = { a = pkgs.git; b = [ pkgs.git ]; }; };",
      ),
    );
    expect(Object.keys(changed).sort()).toEqual(["nativeBuildInputs", "propagatedBuildInputs"]);
    expect(changed["nativeBuildInputs"]).toMatch(/flit-core/);
    expect(changed["propagatedBuildInputs"]).toMatch(/packaging/);
  });

  it("has the same names without prefix in the mixin", () => {
    for (const [name, [value, effect]] of Object.entries(python))
      expect(
        changes(
          derivation("buildPythonPackage-mixin", ""),
          derivation("buildPythonPackage-mixin", `${name} = ${value};`),
        ),
      ).toEqual(effect);
  });
});
