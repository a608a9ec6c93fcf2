import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DebPin, PackagePins } from "../../debian/index.ts";
import { type Attrs, ContextString, createEvaluator, force } from "../../lang/index.ts";
import { MemoryHost } from "../../lang/testing.ts";
import { createDebianPackages } from "./index.ts";
import { aliases } from "./aliases.ts";
import { cut, table } from "./table.ts";

let busybox: string;
beforeAll(() => {
  busybox = mkdtempSync(join(tmpdir(), "d2n-busybox-"));
  writeFileSync(join(busybox, "busybox"), "a busybox", { mode: 0o755 });
});
afterAll(() => rmSync(busybox, { recursive: true, force: true }));

/** Every package exists; some depend on others. */
function fakePins(depends: Readonly<Record<string, readonly string[]>> = {}, missing: readonly string[] = []) {
  const asked: string[] = [];
  const pins: PackagePins = {
    lookup(suite, architecture, name): DebPin | undefined {
      asked.push(`${suite} ${architecture} ${name}`);
      if (missing.includes(name)) return undefined;
      return {
        package: name,
        version: "1:1.2.3~x-4",
        source: name.replace(/-dev$|-doc$/, ""),
        archive: "main",
        filename: `pool/main/x/${name}_1.2.3~x-4_${architecture}.deb`,
        sha256: Buffer.from(name.padEnd(32).slice(0, 32)).toString("hex"),
        size: 1,
        depends: depends[name] ?? [],
      };
    },
  };
  return { pins, asked };
}

function packageSet(pins: PackagePins, { mirror = "https://mirror.example.org/debian", system = "x86_64-linux" } = {}) {
  const host = new MemoryHost({ system });
  const ev = createEvaluator({ host });
  const set = createDebianPackages(ev, { system, pins, url: (pin) => `${mirror}/${pin.filename}`, busybox });
  const get = (value: unknown, name: string) => {
    const found = force((force(value as never) as Attrs).get(name)!);
    return found instanceof ContextString ? found.text : found;
  };
  return {
    host,
    set,
    get,
    derivation: (attribute: string) => {
      const path = get(set.packages.get(attribute), "drvPath") as string;
      return { path, ...host.derivations.get(path)! };
    },
  };
}

describe("the table", () => {
  it("names every Debian package once, and only names", () => {
    const owners = new Map<string, string>();
    for (const [attribute, { debs }] of table) {
      expect(debs.length, attribute).toBeGreaterThan(0);
      for (const deb of debs) {
        expect(deb).toMatch(/^[a-z0-9][a-z0-9+.-]+$/);
        expect(owners.get(deb), `${deb} in ${attribute}`).toBeUndefined();
        owners.set(deb, attribute);
      }
    }
  });
  it("has an entry for every alias, and none that hides another", () => {
    for (const [alias, attribute] of aliases) {
      expect(table.has(alias), alias).toBe(false);
      expect(table.has(attribute), attribute).toBe(true);
    }
  });
  it("refers to entries of its own only", () => {
    for (const { deps = [] } of table.values()) for (const dep of deps) expect(table.has(dep), dep).toBe(true);
    expect(cut.has("")).toBe(false);
  });
});

describe("createDebianPackages()", () => {
  it("looks nothing up before it is needed, and then only that", () => {
    const { pins, asked } = fakePins();
    const { set, get } = packageSet(pins);
    expect(set.packages.size).toBeGreaterThan(200);
    expect(set.interpreters.get("python313")).toMatchObject({ version: "3.13.5", pythonVersion: "3.13" });
    expect(asked).toEqual([]);
    get(set.packages.get("glibc"), "outPath");
    expect(new Set(asked)).toEqual(
      new Set(["libc6", "libc-bin", "libgcc-s1", "libcrypt1", "perl-base"].map((name) => `trixie amd64 ${name}`)),
    );
  });

  it("has the same output paths on every mirror", () => {
    const one = packageSet(fakePins().pins);
    const other = packageSet(fakePins().pins, { mirror: "http://other.example.org" });
    for (const attribute of ["glibc", "zlib", "gcc"]) {
      expect(one.get(one.set.packages.get(attribute), "outPath")).toBe(
        other.get(other.set.packages.get(attribute), "outPath"),
      );
      expect(one.derivation(attribute).path).not.toBe(other.derivation(attribute).path);
    }
  });

  it("fetches with builtin:fetchurl under names that stores accept", () => {
    const { derivation, host } = packageSet(fakePins().pins);
    const fetches = [...derivation("zlib").inputDrvs.keys()].map((path) => host.derivations.get(path)!);
    const deb = fetches.find(
      (input) => input.builder === "builtin:fetchurl" && input.env.get("url")!.includes("zlib1g-dev"),
    )!;
    expect(deb.env.get("name")).toBe("zlib1g-dev_1.2.3_x-4_amd64.deb");
    expect(deb.env.get("url")).toBe("https://mirror.example.org/debian/pool/main/x/zlib1g-dev_1.2.3~x-4_amd64.deb");
    expect(deb.outputs.get("out")!.hashAlgo).toBe("sha256");
  });

  it("gives packages their upstream names and versions", () => {
    const { set, get } = packageSet(fakePins().pins);
    const libjpeg = set.packages.get("libjpeg");
    expect([get(libjpeg, "pname"), get(libjpeg, "version"), get(libjpeg, "type"), get(libjpeg, "name")]).toEqual([
      "libjpeg-turbo",
      "1.2.3~x",
      "derivation",
      "libjpeg-turbo-1.2.3_x",
    ]);
    expect(set.packages.get("libjpeg_turbo")).toBe(libjpeg);
  });

  it("derives dependencies from Debian's: the table's packages, the toolchain's, what is left out", () => {
    const { pins } = fakePins({
      "libpng16-16t64": ["libc6", "zlib1g", "dpkg"],
      "libpng-dev": ["libc6-dev", "libpng16-16t64", "zlib1g-dev"],
    });
    const { derivation, set, get } = packageSet(pins);
    const out = (attribute: string) => get(set.packages.get(attribute), "outPath");
    expect(derivation("libpng").env.get("deps")).toBe(`${out("glibc")} ${out("zlib")}`);
    expect(derivation("libpng").env.get("propagated")).toBe(out("zlib"));
  });

  it("makes packages that the table does not know, cycles in one", () => {
    const { pins } = fakePins({
      hello: ["libone"],
      libone: ["libtwo", "libc6"],
      libtwo: ["libone", "zlib1g"],
    });
    const { derivation, host } = packageSet(pins);
    const inputs = [...derivation("hello").inputDrvs.keys()].map((path) => host.derivations.get(path)!);
    const group = inputs.find((input) => input.name.startsWith("libone-"))!;
    expect(
      group.env
        .get("debs")!
        .split(" ")
        .map((path) => path.replace(/.*-(lib\w+)_.*/, "$1")),
    ).toEqual(["libone", "libtwo"]);
  });

  it("answers for any package of Debian by its name", () => {
    const { set, get } = packageSet(fakePins().pins);
    expect(set.debianPackage("zlib1g-dev")).toBe(set.packages.get("zlib"));
    expect(get(set.debianPackage("some-tool"), "pname")).toBe("some-tool");
    expect(set.debianPackage("dpkg")).toBeUndefined();
  });

  it("says which package the archive lacks", () => {
    const { set, get } = packageSet(fakePins({}, ["bash"]).pins);
    expect(() => get(set.packages.get("bash"), "drvPath")).toThrow(/no package 'bash'/);
  });

  it("takes other interpreters from their own suites, on the same C library", () => {
    const { pins, asked } = fakePins({ "python3.11": ["zlib1g", "python3"], "libpython3.11-stdlib": ["libnsl2"] });
    const { set, get, host, derivation } = packageSet(pins);
    const { derivation: python, packages } = set.interpreters.get("python311")!;
    const { env } = host.derivations.get(get(python, "drvPath") as string)!;
    expect(env.get("glibc")).toBe(get(set.packages.get("glibc"), "outPath"));
    expect(asked).toContain("bookworm amd64 zlib1g");
    expect(asked).not.toContain("bookworm amd64 libnsl2");
    expect(asked.some((question) => question.startsWith("bullseye"))).toBe(false);
    expect(derivation("zlib").path).not.toBe("");
    // Pure Python serves any interpreter; extension modules serve the one that they are made for.
    for (const [name, suite] of [
      ["pip", "trixie"],
      ["cffi", "bookworm"],
      ["alembic", "bookworm"],
    ] as const) {
      get(packages.get(name)!.derivation, "drvPath");
      expect(asked).toContain(`${suite} amd64 python3-${name}`);
    }
    expect(set.interpreters.get("python39")!.packages.get("build")!.dependencies).toContain("tomli");
  });

  it("takes what a Python package imports from Debian's dependencies, and those that import each other as one", () => {
    const { pins } = fakePins({
      "python3-alembic": ["python3-sqlalchemy", "python3-unheard", "python3", "zlib1g", "python3-pkg-resources"],
      "python3-sqlalchemy": ["python3-greenlet"],
      "python3-greenlet": ["python3-sqlalchemy"],
      "python3-pkg-resources": ["python3-alembic"],
    });
    const { set, get, host } = packageSet(pins);
    const python = set.interpreters.get("python313")!;
    const path = (attribute: string) => get(python.package(attribute).derivation, "outPath");
    expect(python.packages.get("alembic")!.dependencies).toEqual(["sqlalchemy", "unheard", "setuptools"]);
    expect(python.packages.has("unheard")).toBe(false);
    expect(path("unheard")).toMatch(/python3\.13-unheard-/);
    expect(path("sqlalchemy")).toBe(path("greenlet"));
    expect(python.packages.get("greenlet")!.dependencies).toEqual([]);
    const { env } = host.derivations.get(get(python.packages.get("alembic")!.derivation, "drvPath") as string)!;
    expect(env.get("propagated")!.split(" ")).toEqual([path("sqlalchemy"), path("unheard"), path("setuptools")]);
    expect(env.get("deps")!.split(" ")).toContain(get(set.packages.get("zlib"), "outPath"));
  });

  it("says which interpreters can be built", () => {
    const { set, get } = packageSet(fakePins().pins);
    const python = set.interpreters.get("python310")!;
    expect(python.pythonVersion).toBe("3.10");
    try {
      get(python.derivation, "drvPath");
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        message: expect.stringMatching(/3\.10/),
        hint: expect.stringMatching(/python313/),
      });
    }
  });

  it("has no packages for other systems", () => {
    expect(() => packageSet(fakePins().pins, { system: "x86_64-darwin" })).toThrow(/x86_64-darwin/);
    expect(packageSet(fakePins().pins, { system: "aarch64-linux" }).derivation("gcc").system).toBe("aarch64-linux");
  });
});
