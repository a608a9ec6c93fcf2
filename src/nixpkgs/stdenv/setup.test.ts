/** The shell part of the standard environment, with the machine's own tools in place of the store's. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { builderText } from "../builder-files.ts";

const bash = ["/bin/bash", "/usr/bin/bash"].find((path) => existsSync(path));
const builder = (name: string): string => fileURLToPath(new URL(`../builder/${name}`, import.meta.url));

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "d2n-stdenv-"));
});
afterEach(() => {
  spawnSync("chmod", ["-R", "u+w", top]);
  rmSync(top, { recursive: true, force: true });
});

interface Result {
  readonly status: number | null;
  readonly output: string;
}

/** Runs the standard builder on attributes, outputs being folders below `top`. */
function build(attributes: Readonly<Record<string, string>>, script = "genericBuild"): Result {
  mkdirSync(join(top, "build"), { recursive: true });
  const hooks = ["multiple-outputs", "environment", "fixup", "make-wrapper"]
    .map((name) => builder(`hooks/${name}.sh`))
    .join(" ");
  const setup = join(top, "setup");
  writeFileSync(
    setup,
    `initialPath="/usr /"\nshell=${bash}\ndefaultNativeBuildInputs="${hooks}"\ndefaultBuildInputs=\n${["core", "text", "phases", "start"].map((part) => builderText(`stdenv/${part}.sh`)).join("\n")}`,
  );
  const outputs = (attributes["outputs"] ?? "out").split(" ");
  const run = spawnSync(bash!, ["-e", "-c", `source ${setup}; ${script}`], {
    cwd: join(top, "build"),
    encoding: "utf8",
    // A socket would make some builds of bash read ~/.bashrc.
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...Object.fromEntries(outputs.map((name) => [name, join(top, name)])),
      NIX_BUILD_TOP: join(top, "build"),
      NIX_STORE: top,
      PATH: "/path-not-set",
      outputs: "out",
      name: "test-1",
      ...attributes,
    },
  });
  return { status: run.status, output: run.stdout + run.stderr };
}

function project(files: Readonly<Record<string, string>>): string {
  const folder = join(top, "project");
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text);
    if (text.startsWith("#!")) chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

describe.skipIf(bash === undefined)("the standard environment", () => {
  it("runs the phases in order with their hooks", () => {
    const src = project({ file: "text" });
    const hooks = Object.fromEntries(
      ["Unpack", "Patch", "Configure", "Build", "Install", "Fixup"]
        .flatMap((phase) => [`pre${phase}`, `post${phase}`])
        .map((name) => [name, `echo "<${name} $name>"`]),
    );
    const { status, output } = build({
      src,
      ...hooks,
      postHook: 'echo "<postHook>"',
      installPhase: "runHook preInstall; mkdir $out; cp file $out; runHook postInstall",
      prePhases: "first",
      first: 'echo "<first>"',
    });
    expect(output.match(/<[^>]*>/g)).toEqual([
      "<postHook>",
      "<first>",
      ...["Unpack", "Patch", "Configure", "Build", "Install", "Fixup"].flatMap((phase) => [
        `<pre${phase} test-1>`,
        `<post${phase} test-1>`,
      ]),
    ]);
    expect(status).toBe(0);
    expect(readFileSync(join(top, "out/file"), "utf8")).toBe("text");
    expect(output).toContain('@nix {"action":"setPhase","phase":"unpackPhase"}');
  });

  it("leaves out phases and replaces them", () => {
    const { status, output } = build({
      dontUnpack: "1",
      dontConfigure: "1",
      buildPhase: "echo built",
      installPhase: "touch $out",
      doCheck: "1",
      checkPhase: "echo checked",
      postFixup: "false",
      dontFixup: "1",
    });
    expect(output).toMatch(/Running phase: patchPhase\nRunning phase: buildPhase\nbuilt\n.*checkPhase\nchecked\n/s);
    expect(output).not.toMatch(/unpackPhase|configurePhase|fixupPhase/);
    expect(status).toBe(0);
  });

  it("stops at the first failure and runs the failure hook", () => {
    const { status, output } = build({
      dontUnpack: "1",
      buildPhase: "false; echo never",
      failureHook: "echo failed hook",
    });
    expect(status).not.toBe(0);
    expect(output).toContain("failed hook");
    expect(output).not.toContain("never");
  });

  it("says what is wrong with a source", () => {
    expect(build({}).output).toContain("variable $src or $srcs should point to the source");
    const file = join(top, "x.unknown");
    writeFileSync(file, "");
    expect(build({ src: file }).output).toContain("do not know how to unpack source archive");
    mkdirSync(join(top, "a"));
    mkdirSync(join(top, "b"));
    expect(build({ srcs: `${top}/a ${top}/b` }).output).toContain("unpacker produced multiple directories");
    rmSync(join(top, "build"), { recursive: true });
    expect(
      build({ srcs: `${top}/a ${top}/b`, sourceRoot: "b", installPhase: "basename $PWD; touch $out" }).output,
    ).toContain("\nb\n");
  });

  it("finds inputs, what they propagate, and sources setup hooks", () => {
    for (const name of ["lib", "dep", "tool"]) mkdirSync(join(top, name, "nix-support"), { recursive: true });
    mkdirSync(join(top, "dep/lib/pkgconfig"), { recursive: true });
    mkdirSync(join(top, "tool/bin"), { recursive: true });
    writeFileSync(join(top, "lib/nix-support/propagated-build-inputs"), `${top}/dep`);
    writeFileSync(
      join(top, "tool/nix-support/setup-hook"),
      'echo "hook $hostOffset $targetOffset $name"; seen() { echo "env $1"; }; addEnvHooks 0 seen',
    );
    const { output, status } = build({
      buildInputs: `${top}/lib`,
      nativeBuildInputs: `${top}/tool`,
      strictDeps: "1",
      buildCommand: 'echo "path $PKG_CONFIG_PATH"; echo "$PATH"; touch $out',
    });
    expect(output).toContain("hook -1 0 test-1");
    expect(output).toContain(`env ${top}/lib\nenv ${top}/dep\n`);
    expect(output).not.toContain(`env ${top}/tool`);
    expect(output).toContain(`path ${top}/dep/lib/pkgconfig`);
    expect(output).toContain(`\n${top}/tool/bin:/usr/bin:/bin\n`);
    expect(status).toBe(0);
    expect(build({ buildInputs: `${top}/missing`, buildCommand: "true" }).output).toContain("does not exist");
  });

  it("records what is propagated, in the development output", () => {
    mkdirSync(join(top, "dep"));
    const { status } = build({
      outputs: "out dev",
      dontUnpack: "1",
      propagatedBuildInputs: `${top}/dep`,
      installPhase: "mkdir -p $out/lib $out/include/x; touch $out/include/x/h $out/lib/l",
    });
    expect(status).toBe(0);
    expect(
      readFileSync(join(top, "dev/nix-support/propagated-build-inputs"), "utf8").split(/\s+/).filter(Boolean),
    ).toEqual([join(top, "dep"), join(top, "out")]);
    expect(existsSync(join(top, "dev/include/x/h"))).toBe(true);
    expect(existsSync(join(top, "out/include"))).toBe(false);
  });

  it("substitutes text literally", () => {
    const script = `cd $NIX_BUILD_TOP; printf 'a & b @v@ *\\n\\n' > f; export v='x&y\\z'; substituteInPlace f --replace-fail '*' '&&' --subst-var v; cat f; echo "[end]"
      substituteInPlace f --replace-fail nothing x && exit 1; substituteInPlace f --replace-quiet nothing x; substituteInPlace f --replace-warn nothing x; substituteInPlace f --subst-var unset_one && exit 1; true`;
    const { output, status } = build({}, script);
    expect(output).toContain("a & b x&y\\z &&\n\n[end]");
    expect(output).toMatch(/error: pattern nothing does not match anything in file 'f'/);
    expect(output).toMatch(/warning: pattern nothing/);
    expect(output).toMatch(/error: variable \$unset_one is unset/);
    expect(status).toBe(0);
  });

  it("patches interpreters of scripts", () => {
    const src = project({
      a: "#!/usr/bin/env bash\n",
      b: "#! /bin/sh -e\n",
      c: "#!/usr/bin/env -S bash -x\n",
      d: "#!/usr/bin/env no-such-program\n",
      e: "no script",
    });
    const { output, status } = build({ src, installPhase: "mkdir $out; cp * $out; chmod +x $out/*" });
    expect(status, output).toBe(0);
    const first = (name: string): string => readFileSync(join(top, "out", name), "utf8").split("\n")[0]!;
    expect(first("a")).toMatch(/^#!\/(usr\/)?bin\/bash$/);
    expect(first("b")).toMatch(/^#!\/(usr\/)?bin\/(sh|bash) -e$/);
    expect(first("c")).toMatch(/^#!\/(usr\/)?bin\/env -S \/(usr\/)?bin\/bash -x$/);
    expect(first("d")).toBe("#!/usr/bin/env no-such-program");
    expect(first("e")).toBe("no script");
  });

  it("wraps programs", () => {
    const { output, status } = build(
      {},
      `mkdir -p $out/bin; printf '#!${bash}\\necho "$(basename $0):$A:$PATHS:$1:$2:$B"\\n' > $out/bin/p; chmod +x $out/bin/p
       wrapProgram $out/bin/p --set A "it's \\$HOME" --prefix PATHS : /x --suffix PATHS : /y --add-flags "one" --set-default B dflt --run 'echo ran' --unset C
       PATHS=old $out/bin/p two; makeWrapper $out/bin/.p-wrapped $out/bin/q --unknown`,
    );
    expect(output).toContain("ran\n.p-wrapped:it's $HOME:/x:old:/y:one:two:dflt\n");
    expect(output).toContain("makeWrapper doesn't understand the argument --unknown");
    expect(status).not.toBe(0);
  });

  it("takes flags from strings and arrays, with structured attributes too", () => {
    expect(
      build(
        { flags: "a b" },
        `local_flags=(); flagsArray=("c d"); concatTo local_flags flags flagsArray none=dflt; printf '<%s>' "\${local_flags[@]}"`,
      ).output,
    ).toContain("<a><b><c d><dflt>");
    const attrs = join(top, ".attrs.sh");
    writeFileSync(
      attrs,
      `declare -A outputs=(["out"]="${top}/out" ["dev"]="${top}/dev")\ndeclare -A env=(["FOO"]="bar baz")\ndeclare -a configureFlags=("--a b" "--c")\ndeclare dontUnpack=1\ndeclare installPhase='mkdir $out $dev; printf "<%s>" "\${configureFlags[@]}" "$(printenv FOO)"'\n`,
    );
    const { output, status } = build({ NIX_ATTRS_SH_FILE: attrs });
    expect(output).toContain("<--a b><--c><bar baz>");
    expect(status).toBe(0);
  });
});
