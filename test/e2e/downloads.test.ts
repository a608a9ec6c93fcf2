/** An index on this machine that counts: each file is fetched once, by locking or by building, and what flags choose is chosen. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repository, Rig, shown } from "./rig.ts";

const rig = new Rig({ sharedStore: true });
const lockName = "lock.x86_64-linux.json";
let server: Server;
let env: Record<string, string>;
let project: string;
/** File names, in the order in which they were fetched. */
const fetched: string[] = [];
const files = new Map<string, Buffer>();
/** Metadata of wheels, for those that the index has it of. */
const metadata = new Map<string, Buffer>();

/** Makes the files of the index: wheels and source distributions, by Python's own means. */
const script = `
import io, os, sys, tarfile, zipfile
def metadata(name, version, requires):
    return "".join(["Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n" % (name, version)] + ["Requires-Dist: %s\\n" % r for r in requires])
def wheel(name, version, requires=(), code=""):
    with zipfile.ZipFile("%s-%s-py3-none-any.whl" % (name, version), "w") as file:
        info = "%s-%s.dist-info/" % (name, version)
        file.writestr(name + ".py", code)
        file.writestr(info + "METADATA", metadata(name, version, requires))
        file.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        file.writestr(info + "RECORD", "")
def sdist(name, version, requires=()):
    with tarfile.open("%s-%s.tar.gz" % (name, version), "w:gz") as file:
        for path, text in (
            ("pyproject.toml", '[build-system]\\nrequires = ["once-backend"]\\nbuild-backend = "once_backend"\\n'),
            ("PKG-INFO", metadata(name, version, requires)),
        ):
            info = tarfile.TarInfo("%s-%s/%s" % (name, version, path))
            info.size = len(text)
            file.addfile(info, io.BytesIO(text.encode()))
backend = '''
import os, once_helper, zipfile
def build_wheel(folder, settings=None, metadata=None):
    text = open("PKG-INFO").read()
    fields = dict(line.split(": ", 1) for line in text.splitlines())
    stem = fields["Name"] + "-" + fields["Version"]
    with zipfile.ZipFile(os.path.join(folder, stem + "-py3-none-any.whl"), "w") as file:
        file.writestr(fields["Name"] + ".py", "built = True")
        file.writestr(stem + ".dist-info/METADATA", text)
        file.writestr(stem + ".dist-info/WHEEL", "Wheel-Version: 1.0\\\\nGenerator: test\\\\nRoot-Is-Purelib: true\\\\nTag: py3-none-any\\\\n")
        file.writestr(stem + ".dist-info/RECORD", "")
    return stem + "-py3-none-any.whl"
'''
wheel("once_backend", "1.0", ["once-helper"], backend)
wheel("once_helper", "1.0")
wheel("once_known", "1.0", ["once-plain"])
wheel("once_plain", "1.0")
sdist("once_source", "1.0", ["once-known"])
wheel("once_old", "1.0")
sdist("once_old", "2.0")
wheel("once_early", "1.0")
wheel("once_early", "2.0rc1")
`;

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  rig.remove();
});

const hashOf = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

function page(name: string): string | undefined {
  const links = [...files].flatMap(([file, content]) => {
    if (file.split("-")[0] !== name) return [];
    const apart = metadata.get(file);
    const more = apart === undefined ? "" : ` data-dist-info-metadata="sha256=${hashOf(apart)}"`;
    return [`<a href="/files/${file}#sha256=${hashOf(content)}"${more}>${file}</a>`];
  });
  return links.length === 0 ? undefined : `<!DOCTYPE html><html><body>${links.join("")}</body></html>`;
}

const moduleOf = (requirements: readonly string[], flags: readonly string[] = []): string =>
  `{ dream2nix, ... }: {
  imports = [ dream2nix.modules.dream2nix.pip ];
  deps = { nixpkgs, ... }: { python = nixpkgs.python3; };
  name = "app";
  version = "1.0";
  mkDerivation.src = ./.;
  pip.flattenDependencies = true;
  pip.requirementsList = [ ${requirements.map((text) => JSON.stringify(text)).join(" ")} ];
  pip.pipFlags = [ ${flags.map((text) => JSON.stringify(text)).join(" ")} ];
}
`;

beforeAll(async () => {
  const folder = await rig.project({});
  expect((await rig.run(folder, "python3", ["-c", script])).status).toBe(0);
  const names = (await rig.run(folder, "sh", ["-c", "ls *.whl *.tar.gz"])).stdout.trim().split("\n");
  for (const name of names) files.set(name, readFileSync(join(folder, name)));
  const known = "once_known-1.0-py3-none-any.whl";
  const text = await rig.run(folder, "python3", [
    "-c",
    `import sys, zipfile; print(zipfile.ZipFile("${known}").read("once_known-1.0.dist-info/METADATA").decode(), end="")`,
  ]);
  metadata.set(known, Buffer.from(text.stdout));
  server = createServer((request, response) => {
    const [, kind, name = ""] = request.url!.split("/");
    const content = kind === "simple" ? page(name.replaceAll("-", "_")) : undefined;
    const apart = name.endsWith(".metadata") ? metadata.get(name.slice(0, -".metadata".length)) : undefined;
    const file = apart ?? (kind === "files" ? files.get(name) : undefined);
    if (content !== undefined) response.writeHead(200, { "content-type": "text/html" }).end(content);
    else if (file !== undefined) {
      fetched.push(name);
      // Nothing that pip's own cache would keep.
      response.writeHead(200, { "content-type": "application/octet-stream", "cache-control": "no-store" }).end(file);
    } else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  env = { PIP_EXTRA_INDEX_URL: `http://127.0.0.1:${port}/simple` };
  project = await rig.project({
    "flake.nix": readFileSync(join(repository, "examples/pillow/flake.nix"), "utf8").replace(
      "(_: [\n        self.packages.${system}.default\n      ])",
      "(_: self.packages.${system}.default.config.mkDerivation.propagatedBuildInputs)",
    ),
    "default.nix": moduleOf(["once-source"]),
  });
});

const lock = async (): Promise<Record<string, { readonly version: string; readonly url: string }>> => {
  const outcome = await rig.d2n(project, ["run", ".#default.lock"], { env });
  expect(outcome.status, shown(outcome)).toBe(0);
  const { fetchPipMetadata } = JSON.parse(readFileSync(join(project, lockName), "utf8")) as {
    fetchPipMetadata: { sources: Record<string, { version: string; url: string }> };
  };
  return fetchPipMetadata.sources;
};

describe("what an index has", { timeout: 900_000 }, () => {
  it("is fetched once, be it for locking or for building", async () => {
    expect(Object.keys(await lock()).sort()).toEqual(["once-known", "once-plain", "once-source"]);
    // Of a wheel whose metadata there is apart, locking needs no more.
    expect(fetched).toContain("once_known-1.0-py3-none-any.whl.metadata");
    expect(fetched).not.toContain("once_known-1.0-py3-none-any.whl");
    expect((await rig.run(project, "git", ["add", "."])).status).toBe(0);
    // Nobody needs a compiler, so none is pinned for one.
    expect(readFileSync(join(project, "d2n.lock"), "utf8")).not.toMatch(/"cmake"|"ninja-build"|"pkgconf"/);
    const outcome = await rig.d2n(project, [
      "run",
      ".#env",
      "--",
      "-c",
      "import once_source; print(once_source.built)",
    ]);
    expect(outcome.status, shown(outcome)).toBe(0);
    expect(outcome.stdout).toBe("True\n");
    expect(fetched.sort()).toEqual([
      "once_backend-1.0-py3-none-any.whl",
      "once_helper-1.0-py3-none-any.whl",
      "once_known-1.0-py3-none-any.whl",
      "once_known-1.0-py3-none-any.whl.metadata",
      "once_plain-1.0-py3-none-any.whl",
      "once_source-1.0.tar.gz",
    ]);
  });

  it("is chosen from as pip's flags say", async () => {
    const versions = async (flags: readonly string[]): Promise<string[]> => {
      writeFileSync(join(project, "default.nix"), moduleOf(["once-early", "once-old"], flags));
      return Object.values(await lock()).map(
        ({ version, url }) => `${version} ${url.endsWith(".whl") ? "wheel" : "sdist"}`,
      );
    };
    expect(await versions([])).toEqual(["1.0 wheel", "2.0 sdist"]);
    expect(await versions(["--pre"])).toEqual(["2.0rc1 wheel", "2.0 sdist"]);
    expect(await versions(["--only-binary", "once-old"])).toEqual(["1.0 wheel", "1.0 wheel"]);
  });
});
