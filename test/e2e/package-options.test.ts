/**
 * What the options of `mkDerivation` and `buildPythonPackage` make the builder do: a few packages, each of which uses many of them.
 * That every option reaches the derivation is for `test/conformance/package-options.test.ts`.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Outcome, Rig, shown } from "./rig.ts";

const rig = new Rig({ sharedStore: true });
afterAll(() => rig.remove());

const phases = "Unpack Patch Configure Build Check Install Fixup InstallCheck Dist".split(" ");
const hooks = phases.flatMap((phase) => [`pre${phase}`, `post${phase}`]);

const files = {
  "flake.nix": `{
  inputs.dream2nix.url = "github:nix-community/dream2nix";
  inputs.nixpkgs.follows = "dream2nix/nixpkgs";
  outputs = { self, dream2nix, nixpkgs }: let
    pkgs = nixpkgs.legacyPackages.x86_64-linux;
    packages = import ./packages.nix { inherit pkgs; inherit (self.packages.x86_64-linux) library twin1 twin2; };
    evaluate = module: name: definitions: dream2nix.lib.evalModules {
      packageSets.nixpkgs = pkgs;
      modules = [
        ({ dream2nix, ... }: { imports = [ dream2nix.modules.dream2nix.\${module} ]; inherit name; version = "1"; })
        definitions
        { paths.projectRoot = ./.; paths.projectRootFile = "flake.nix"; paths.package = ./.; }
      ];
    };
  in {
    packages.x86_64-linux = builtins.mapAttrs (evaluate "mkDerivation") packages.plain
      // builtins.mapAttrs (evaluate "buildPythonPackage") packages.python;
  };
}
`,
  "packages.nix": `{ pkgs, library, twin1, twin2 }: let
  twins = [ twin1 twin2 ];
  log = text: "echo '\${text}' >> $NIX_BUILD_TOP/log";
  pythonSource = { pname, requires ? "", body ? "" }: pkgs.runCommand pname { } ''
    mkdir -p $out/tests $out/\${pname}
    cat > $out/pyproject.toml <<END
    [build-system]
    requires = ["setuptools"]
    build-backend = "setuptools.build_meta"
    [project]
    name = "\${pname}"
    version = "1"
    dependencies = [\${requires}]
    scripts.\${pname} = "\${pname}:main"
    [tool.setuptools]
    packages = ["\${pname}"]
    END
    cat > $out/\${pname}/__init__.py <<END
    \${body}
    def main():
        import os
        print("\${pname}", os.environ.get("GREETING"), os.environ.get("PYTHONNOUSERSITE"))
    END
    echo 'def test_good(): pass
    def test_bad(): assert False' > $out/tests/test_some.py
    echo 'raise Exception' > $out/tests/test_broken.py
  '';
  python = options: { mkDerivation ? { }, buildPythonPackage ? { } }: {
    mkDerivation = { src = pythonSource options; nativeBuildInputs = [ pkgs.python3.pkgs.setuptools ]; } // mkDerivation;
    buildPythonPackage = { pyproject = true; } // buildPythonPackage;
  };
  # setuptools of another version, or what looks like it.
  twin = version: { mkDerivation = {
    dontUnpack = true;
    installPhase = "mkdir -p $out/lib/python3.13/site-packages/twin-\${version}.dist-info; touch $out/lib/python3.13/site-packages/twin-\${version}.dist-info/METADATA";
  }; buildPythonPackage.format = "other"; };
in {
  plain = {
    # Every phase by make and configure, with all flags and hooks.
    phases.mkDerivation = {
      srcs = [ ./source ./more ];
      setSourceRoot = "sourceRoot=$(echo */inner)";
      patches = [ ./change.patch ];
      patchFlags = "-p0";
      configureScript = "./conf.sh";
      prefix = "/some/prefix";
      prefixKey = "--where=";
      configureFlags = [ "--flag" ];
      configurePlatforms = [ "host" ];
      makefile = "build.mk";
      makeFlags = [ "MAKE_=1" ];
      buildFlags = [ "BUILD=1" ];
      doCheck = true;
      checkTarget = "verify";
      checkFlags = [ "CHECK=1" ];
      preInstall = "prefix=$out";
      installTargets = "put";
      installFlags = [ "INSTALL=1" ];
      doInstallCheck = true;
      installCheckTarget = "verify-installed";
      installCheckFlags = [ "INSTALLCHECK=1" ];
      doDist = true;
      distTarget = "pack";
      distFlags = [ "DIST=1" ];
      tarballs = [ "*.pack" ];
      enableParallelBuilding = true;
      enableParallelChecking = false;
      prePhases = [ "aPhase" ];
      preConfigurePhases = [ "bPhase" ];
      preBuildPhases = [ "cPhase" ];
      preInstallPhases = [ "dPhase" ];
      preFixupPhases = [ "ePhase" ];
      preDistPhases = [ "fPhase" ];
      postPhases = [ "lastPhase" ];
      passAsFile = [ "inFile" ];
${hooks
  .filter((hook) => hook !== "preInstall" && hook !== "postInstallCheck")
  .map((hook) => `      ${hook} = log "${hook}";`)
  .join("\n")}
      # As upstream spells it.
      postInstalCheck = log "postInstallCheck";
    };
    phases.env = {
      aPhase = log "aPhase"; bPhase = log "bPhase"; cPhase = log "cPhase"; dPhase = log "dPhase"; ePhase = log "ePhase"; fPhase = log "fPhase";
      lastPhase = ''cat "$inFilePath" >> $NIX_BUILD_TOP/log; cp $NIX_BUILD_TOP/log $out/log'';
      inFile = "passed in a file\\n";
    };

    # The same source, with everything left out or replaced.
    without.mkDerivation = {
      src = ./source/inner;
      dontMakeSourcesWritable = true;
      dontPatch = true; patches = [ "/nonexistent.patch" ];
      configureScript = "./conf.sh";
      dontAddPrefix = true; dontAddDisableDepTrack = true; dontDisableStatic = true; dontFixLibtool = true;
      postConfigure = ''echo "writable: $([ -w build.mk ] && echo yes || echo no)"; cat $NIX_BUILD_TOP/log; cat ltmain.sh'';
      dontBuild = true;
      installPhase = ''
        mkdir -p $out/sbin $out/man $out/notes $out/lib; cd $NIX_BUILD_TOP
        printf '#!/bin/sh\\n' > $out/sbin/script; chmod +x $out/sbin/script
        printf '# Generated by libtool\\ndependency_libs=" -lx"\\n' > $out/lib/x.la
        sed -i "s/\\"/'/g" $out/lib/x.la
        echo 'int main(void) { return 0; }' > main.c
        cc -g main.c -o $out/lib/program
      '';
      dontMoveBin = true; dontPatchShebangs = true; dontPruneLibtoolFiles = true; dontStrip = true; dontPatchELF = true;
      forceShare = [ "notes" ];
    };
    with-all = { mkDerivation = {
      src = ./source/inner;
      dontConfigure = true; dontBuild = true;
      unpackPhase = "mkdir here; cp -r $src/. here; sourceRoot=here";
      patchPhase = "echo patched > patched";
      installPhase = ''
        mkdir -p $out/sbin $out/man $out/lib $out/all
        printf '#!/bin/sh\\n' > $out/sbin/script; chmod +x $out/sbin/script
        printf '# Generated by libtool\\ndependency_libs=" -lx"\\n' > $out/lib/x.la
        sed -i "s/\\"/'/g" $out/lib/x.la
        echo 'int main(void) { return 0; }' > main.c
        cc -g main.c -o $out/lib/program; cp $out/lib/program $out/all/
        cp patched $out/
      '';
      stripDebugList = [ "lib" ]; stripAllList = [ "all" ];
    }; };
    phaselist.mkDerivation = { phases = [ "buildPhase" ]; buildPhase = "echo only this > $out"; };

    # A library with outputs of its own, that hands things on.
    library.mkDerivation = {
      outputs = [ "out" "dev" "debug" ];
      separateDebugInfo = true;
      dontUnpack = true;
      buildPhase = ''
        echo 'int answer(void) { return 42; }' > answer.c
        cc -shared -fPIC -g answer.c -o libanswer.so
        echo 'int answer(void);' > answer.h
      '';
      installPhase = ''
        install -D libanswer.so -t $out/lib
        install -D answer.h -t $dev/include
      '';
      setupHook = ./hook.sh;
      propagatedBuildInputs = [ pkgs.zlib ];
      propagatedNativeBuildInputs = [ pkgs.which ];
      strictDeps = true;
      hardeningEnable = [ "format" ];
    };
    user.mkDerivation = {
      dontUnpack = true;
      buildInputs = [ library ];
      buildPhase = ''
        printf '#include <answer.h>\\n#include <zlib.h>\\nint main(void) { return answer() == 42 ? 0 : 1; }' > main.c
        cc main.c -lanswer -lz -o user
        ./user
      '';
      installPhase = "install -D user -t $out/bin; echo $HOOKED > $out/hooked; which sh > $out/which";
    };

    refers.mkDerivation = { dontUnpack = true; installPhase = "echo \${pkgs.zlib} > $out"; allowedReferences = [ ]; };
  };

  python = {
    checked = python { pname = "checked"; requires = "\\"packaging<1\\", \\"absent>3\\""; } {
      mkDerivation.doCheck = true;
      mkDerivation.nativeCheckInputs = [ pkgs.python3.pkgs.pytestCheckHook ];
      mkDerivation.nativeBuildInputs = [ pkgs.python3.pkgs.setuptools pkgs.makeWrapper ];
      buildPythonPackage = {
        dependencies = [ pkgs.python3.pkgs.packaging ];
        pythonRelaxDeps = [ "packaging" ];
        pythonRemoveDeps = [ "absent" ];
        makeWrapperArgs = [ "--set" "GREETING" "hello" ];
        disabledTests = [ "test_bad" ];
        disabledTestPaths = [ "tests/test_broken.py" ];
        pytestFlagsArray = [ "--verbosity=2" ];
        pipInstallFlags = [ "--report=report.json" ];
        pythonImportsCheck = [ "checked" "packaging.version" ];
      };
    };
    bare = python { pname = "bare"; } {
      mkDerivation.postInstall = "touch $out/bin/left.pyc";
      buildPythonPackage = { dontWrapPythonPrograms = true; removeBinBytecode = false; };
    };
    sites = python { pname = "sites"; } { buildPythonPackage.permitUserSite = true; };
    own-install = python { pname = "own"; } {
      mkDerivation.installPhase = "cp dist/*.whl $out";
      buildPythonPackage.dontUsePipInstall = true;
    };
    needy = python { pname = "needy"; requires = "\\"packaging<1\\", \\"absent>3\\""; } { };
    unimportable = python { pname = "unimportable"; body = "import nothing_like_it"; } {
      buildPythonPackage.pythonImportsCheck = [ "unimportable" ];
    };
    twin1 = twin "1";
    twin2 = twin "2";
    clash = python { pname = "clash"; } { buildPythonPackage.dependencies = twins; };
    no-clash = python { pname = "clash"; } { buildPythonPackage = { dependencies = twins; catchConflicts = false; }; };
  };
}
`,
  "source/inner/conf.sh": `#!/bin/sh
# Knows --disable-dependency-tracking and --enable-static.
echo "conf.sh $*" | sed "s,$out,OUT,g" >> $NIX_BUILD_TOP/log
`,
  "source/inner/ltmain.sh": "eval sys_lib_search_path='/usr/lib'\n",
  "source/inner/build.mk": `say = echo "make $(1):$(foreach name,MAKE_ BUILD CHECK INSTALL INSTALLCHECK DIST,$(if $($(name)), $(name)=$($(name))))" >> $(NIX_BUILD_TOP)/log
all:
\t@$(call say,all)
verify:
\t@$(call say,verify)
put:
\t@$(call say,put)
verify-installed:
\t@$(call say,verify-installed)
pack:
\t@$(call say,pack)
\t@touch a.pack
`,
  "source/inner/text": "old\n",
  "more/file": "",
  "change.patch": "--- text\n+++ text\n@@ -1 +1 @@\n-old\n+new\n",
  "hook.sh": "export HOOKED=yes-@name@\n",
};

let project: string;
const build = (...names: string[]): Promise<Outcome> =>
  rig.d2n(project, ["build", ...names.map((name) => `.#${name}`), "--print-out-paths"]);
/** The text of a file in the output. */
const fileOf = (path: string, name = ""): string => readFileSync(join(rig.store, path, name), "utf8");
/** The names of an ELF file's sections. */
function sections(path: string, name: string): string[] {
  const bytes = readFileSync(join(rig.store, path, name));
  const [offset, size, count, names] = [
    Number(bytes.readBigUInt64LE(40)),
    bytes.readUInt16LE(58),
    bytes.readUInt16LE(60),
    bytes.readUInt16LE(62),
  ];
  const table = Number(bytes.readBigUInt64LE(offset + names * size + 24));
  return Array.from({ length: count }, (_, index) => {
    const start = table + bytes.readUInt32LE(offset + index * size);
    return bytes.toString("latin1", start, bytes.indexOf(0, start));
  });
}
async function built(name: string): Promise<{ path: string; log: string }> {
  const outcome = await build(name);
  expect(outcome.status, shown(outcome)).toBe(0);
  // Another run may have built it: its log stays.
  const { stdout: log } = await rig.d2n(project, ["log", `.#${name}`]);
  return { path: outcome.stdout.trim().split("\n")[0]!, log };
}

beforeAll(async () => {
  project = await rig.project(files);
});

describe("mkDerivation", { timeout: 900_000 }, () => {
  it("runs all phases with their flags and hooks", async () => {
    const { path, log } = await built("phases");
    expect(fileOf(path, "log").replaceAll(/ +\n/g, "\n").replaceAll(/ +/g, " ").split("\n")).toEqual([
      "aPhase",
      "preUnpack",
      "postUnpack",
      "prePatch",
      "postPatch",
      "bPhase",
      "preConfigure",
      "conf.sh --disable-static --disable-dependency-tracking --where=/some/prefix --flag --host=x86_64-unknown-linux-gnu",
      "postConfigure",
      "cPhase",
      "preBuild",
      "make all: MAKE_=1 BUILD=1",
      "postBuild",
      "preCheck",
      "make verify: MAKE_=1 CHECK=1",
      "postCheck",
      "dPhase",
      "make put: MAKE_=1 INSTALL=1",
      "postInstall",
      "ePhase",
      "preFixup",
      "postFixup",
      "preInstallCheck",
      "make verify-installed: MAKE_=1 INSTALLCHECK=1",
      "postInstallCheck",
      "fPhase",
      "preDist",
      "make pack: DIST=1",
      "postDist",
      "passed in a file",
      "",
    ]);
    expect(fileOf(path, "tarballs/a.pack")).toBe("");
    expect(log).toMatch(/make flags: -j\d+ .*BUILD=1/);
    expect(log).toMatch(/applying patch .*change\.patch\n.*patching file text/);
  });

  it("leaves out what it is told to", async () => {
    const { path, log } = await built("without");
    expect(log).toMatch(/writable: no\n.*conf\.sh *\n.*sys_lib_search_path='\/usr\/lib'\n/);
    expect(log).not.toMatch(/Running phase: (patchPhase|buildPhase|checkPhase)/);
    expect(readdirSync(join(rig.store, path)).sort()).toEqual(["lib", "man", "sbin", "share"]);
    expect(readdirSync(join(rig.store, path, "share"))).toEqual(["notes"]);
    expect(fileOf(path, "sbin/script")).toMatch(/^#!\/bin\/sh\n/);
    expect(fileOf(path, "lib/x.la")).toContain("-lx");
    expect(sections(path, "lib/program")).toEqual(expect.arrayContaining([".symtab", ".debug_info"]));
  });

  it("does the rest, its own phases among it", async () => {
    const { path } = await built("with-all");
    expect(readdirSync(join(rig.store, path)).sort()).toEqual(["all", "bin", "lib", "patched", "sbin", "share"]);
    expect(fileOf(path, "patched")).toBe("patched\n");
    expect(readlinkSync(join(rig.store, path, "sbin"))).toBe("bin");
    expect(fileOf(path, "bin/script")).toMatch(/^#!\/nix\/store\/[^/]*-bash-[^/]*\/bin\/sh\n/);
    expect(fileOf(path, "lib/x.la")).not.toContain("-lx");
    expect(sections(path, "lib/program")).toContain(".symtab");
    expect(sections(path, "lib/program")).not.toContain(".debug_info");
    expect(sections(path, "all/program")).not.toContain(".symtab");
  });

  it("runs other phases altogether", async () => {
    expect(fileOf((await built("phaselist")).path)).toBe("only this\n");
  });

  it("splits a library into outputs, and hands on what it needs to its users", async () => {
    const { path } = await built("user");
    expect(fileOf(path, "hooked")).toBe("yes-library-1\n");
    expect(fileOf(path, "which")).toMatch(/\/bin\/sh\n$/);
    const library = await build("library^*");
    expect(library.status, shown(library)).toBe(0);
    const [out, dev, debug] = library.stdout
      .trim()
      .split("\n")
      .sort((a, b) => a.length - b.length) as [string, string, string];
    expect(readdirSync(join(rig.store, dev)).sort()).toEqual(["include", "nix-support"]);
    expect(readdirSync(join(rig.store, dev, "nix-support")).sort()).toEqual([
      "propagated-build-inputs",
      "propagated-native-build-inputs",
      "setup-hook",
    ]);
    expect(sections(out, "lib/libanswer.so")).not.toContain(".debug_info");
    expect(readdirSync(join(rig.store, debug, "lib/debug/.build-id"))).toHaveLength(1);
  });

  it("refuses references that are not allowed", async () => {
    const outcome = await build("refers");
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toMatch(/allowedReferences|not allowed to refer/);
  });
});

describe("buildPythonPackage", { timeout: 900_000 }, () => {
  const run = async (name: string): Promise<string> => {
    const outcome = await rig.d2n(project, ["run", `.#${name}`], { env: { GREETING: "of the user" } });
    expect(outcome.status, shown(outcome)).toBe(0);
    return outcome.stdout;
  };

  it("relaxes, tests, checks and wraps", async () => {
    const { path, log } = await built("checked");
    expect(log).toMatch(/relaxing the requirement packaging<1/);
    expect(log).toMatch(/removing the requirement absent>3/);
    expect(log).toMatch(/test_some\.py::test_good PASSED/);
    expect(log).toMatch(/1 passed, 1 deselected/);
    expect(log).toMatch(/pip install flags: --report=report\.json/);
    expect(log).toMatch(/following modules can be imported: checked packaging\.version/);
    const metadata = fileOf(path, "lib/python3.13/site-packages/checked-1.dist-info/METADATA");
    expect(metadata.match(/^Requires-Dist: .*$/gm)).toEqual(["Requires-Dist: packaging"]);
    expect(await run("checked")).toBe("checked hello true\n");
  });

  it("leaves programs as they are, and what lies beside them", async () => {
    const { path } = await built("bare");
    expect(readdirSync(join(rig.store, path, "bin")).sort()).toEqual(["bare", "left.pyc"]);
    expect(fileOf(path, "bin/bare")).not.toContain("addsitedir");
  });

  it("lets the user's own packages in", async () => {
    expect(await run("sites")).toBe("sites of the user None\n");
  });

  it("leaves installing to the package", async () => {
    const { path } = await built("own-install");
    expect(fileOf(path).slice(0, 2)).toBe("PK");
  });

  it("stops at requirements that are not met", async () => {
    const { status, stderr } = await build("needy");
    expect(status).toBe(1);
    expect(stderr).toMatch(/absent not installed/);
    expect(stderr).toMatch(/packaging<1 not satisfied by version/);
  });

  it("stops at modules that cannot be imported", async () => {
    const { status, stderr } = await build("unimportable");
    expect(status).toBe(1);
    expect(stderr).toMatch(/No module named 'nothing_like_it'/);
  });

  it("stops at a package that comes twice, unless it may", async () => {
    const { status, stderr } = await build("clash");
    expect(status).toBe(1);
    expect(stderr).toMatch(/Found duplicated packages in closure for dependency 'twin'/);
    await built("no-clash");
  });
});
