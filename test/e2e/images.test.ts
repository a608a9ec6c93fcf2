/** Container images and configuration files: what is built of packages rather than is one. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Rig, shown } from "./rig.ts";

const rig = new Rig({ sharedStore: true });
afterAll(() => rig.remove());

const flake = (packages: string): string => `{
  inputs.dream2nix.url = "github:nix-community/dream2nix";
  inputs.nixpkgs.follows = "dream2nix/nixpkgs";
  outputs = { nixpkgs, ... }: let
    pkgs = nixpkgs.legacyPackages.x86_64-linux;
    inherit (pkgs) dockerTools formats;
    inherit (nixpkgs) lib;
  in { packages.x86_64-linux = rec { ${packages} }; };
}`;

interface Unpacked {
  readonly config: { readonly config: Record<string, unknown>; readonly rootfs: { readonly diff_ids: string[] } };
  readonly manifest: { readonly RepoTags: string[]; readonly Layers: string[] };
  /** Lines of `tar -tvn` of the last layer, the image's own. */
  readonly own: string;
  /** Names in all layers. */
  readonly names: string;
}

/** Takes an image apart as `docker load` does, and checks the hash of each layer. */
function unpack(archive: string, name: string): Unpacked {
  const folder = join(rig.folder, name);
  mkdirSync(folder);
  expect(spawnSync("tar", ["xf", archive, "-C", folder]).status).toBe(0);
  const json = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), "utf8"));
  const [manifest] = json("manifest.json") as [Unpacked["manifest"] & { readonly Config: string }];
  const config = json(manifest.Config) as Unpacked["config"];
  expect(manifest.Layers.map((layer) => `sha256:${sha256(join(folder, layer))}`)).toEqual(config.rootfs.diff_ids);
  expect(`${sha256(join(folder, manifest.Config))}.json`).toBe(manifest.Config);
  const list = (layer: string): string =>
    spawnSync("tar", ["tvf", join(folder, layer), "--numeric-owner"], { encoding: "utf8", maxBuffer: 1 << 26 }).stdout;
  return { manifest, config, own: list(manifest.Layers.at(-1)!), names: manifest.Layers.map(list).join("") };
}

const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

describe("dockerTools", () => {
  it("makes images in layers, streams them, and builds one on another", async () => {
    const folder = await rig.project({
      "flake.nix": flake(`
        common = { name = "Team/App"; config = { Cmd = [ "\${pkgs.runtimeShell}" "-c" "echo up" ]; Env = [ "A=1" "B=1" ]; }; };
        layered = dockerTools.buildLayeredImage (common // {
          tag = "v1"; maxLayers = 4;
          contents = [ dockerTools.binSh dockerTools.caCertificates (dockerTools.fakeNss.override { extraGroupLines = [ "team:x:7:" ]; }) ];
          extraCommands = "mkdir -m 0777 tmp; cp --remove-destination $(readlink -f etc/group) etc/group";
        });
        stream = dockerTools.streamLayeredImage (common // {
          fakeRootCommands = "mkdir data; chown 1000:100 data";
        });
        flat = dockerTools.buildImage {
          name = "flat"; tag = "v2"; fromImage = layered; compressor = "none";
          copyToRoot = pkgs.writeTextDir "etc/motd" "hello"; config.Env = [ "B=2" ];
        };
        all = pkgs.linkFarm "all" { inherit layered flat stream; };
      `),
    });
    const built = await rig.d2n(folder, ["build", ".#all"]);
    expect(built.status, shown(built)).toBe(0);
    const layered = unpack(join(folder, "result/layered"), "layered");
    expect(layered.manifest.RepoTags).toEqual(["team/app:v1"]);
    expect(layered.manifest.Layers).toHaveLength(4);
    expect(layered.config.config["Env"]).toEqual(["A=1", "B=1"]);
    expect(layered.own).toMatch(/^drwxrwxrwx 0\/0 .* tmp\/$/m);
    expect(layered.own).toMatch(/^l.* bin\/sh -> \/nix\/store\/.*\/bin\/sh$/m);
    expect(layered.own).toMatch(/^-.* etc\/group$/m);
    expect(layered.names).toMatch(/ nix\/store\/[^/]*-bash-[^/]*\/bin\/bash$/m);
    expect(layered.names).toMatch(/ nix\/store\/[^/]*-glibc-[^/]*\/$/m);
    const flat = unpack(join(folder, "result/flat"), "flat");
    expect(flat.manifest.RepoTags).toEqual(["flat:v2"]);
    expect(flat.manifest.Layers.slice(0, 4)).toEqual(layered.manifest.Layers);
    expect(flat.config.config["Env"]).toEqual(["A=1", "B=2"]);
    expect(flat.own).toMatch(/^-.* 5 .* etc\/motd$/m);

    // A program of its own, without /nix/store too.
    const stream = await rig.d2n(folder, ["build", ".#stream", "-o", "stream"]);
    expect(stream.status, shown(stream)).toBe(0);
    const archive = join(folder, "stream.tar");
    const written = await rig.run(folder, "sh", ["-c", `./stream > ${archive}`]);
    expect(written.status, shown(written)).toBe(0);
    const streamed = unpack(archive, "streamed");
    expect(streamed.manifest.RepoTags[0]).toMatch(/^team\/app:[0-9a-z]{32}$/);
    expect(streamed.own).toMatch(/^drwxr-xr-x 1000\/100 .* data\/$/m);
  });

  it("refuses what it cannot do, by name", async () => {
    const folder = await rig.project({
      "flake.nix": flake(`
        vm = dockerTools.buildImage { name = "x"; runAsRoot = "true"; };
        small = dockerTools.buildLayeredImage { name = "x"; maxLayers = 1; };
        pulled = dockerTools.pullImage { imageName = "x"; };
        go = pkgs.buildGoModule { };
        cuda = builtins.head (with pkgs; [ cudaPackages ]);
        called = pkgs.callPackage ({ darwin }: darwin) { };
        module = pkgs.python3.pkgs.no-such-module;
        time = dockerTools.buildLayeredImage { name = "x"; created = "yesterday"; };
      `),
    });
    const message = async (name: string): Promise<string> => (await rig.d2n(folder, ["build", `.#${name}`])).stderr;
    expect(await message("vm")).toMatch(/buildImage: `runAsRoot` .*virtual machine/);
    expect(await message("small")).toContain("`maxLayers` must be a number of at least 2");
    expect(await message("time")).toContain("'yesterday' is neither a time");
    // What is not there at all: name, place and way around.
    expect(await message("pulled")).toMatch(/attribute 'pullImage' missing[^]*flake.nix:[^]*registries/);
    expect(await message("go")).toMatch(/attribute 'buildGoModule' missing[^]*flake.nix:[^]*other languages/);
    expect(await message("cuda")).toMatch(/undefined variable 'cudaPackages'[^]*flake.nix:[^]*graphics processors/);
    expect(await message("called")).toMatch(/required argument "darwin"[^]*macOS/);
    expect(await message("module")).toMatch(/attribute 'no-such-module' missing[^]*flake.nix:[^]*pip.requirementsList/);
  });
});

describe("formats", () => {
  it("writes files, and has types for what is in them", async () => {
    const value = '{ a = 1; b = [ 1.0 "é: \\"" [ { x = true; y = { }; } ] ]; t.u.v = "no"; }';
    const folder = await rig.project({
      "flake.nix": flake(`
        files = pkgs.linkFarm "files" {
          json = (formats.json { }).generate "x.json" (${value} // { n = null; });
          yaml = (formats.yaml { }).generate "x.yaml" (${value} // { n = null; });
          toml = (formats.toml { }).generate "x.toml" (${value} // { list = [ { k = 1; } { k = 2; } ]; });
          ini = (formats.ini { listsAsDuplicateKeys = true; }).generate "x.ini" { s.k = [ 1 2 ]; };
          joined = (formats.ini { listToValue = lib.concatMapStringsSep ", " toString; }).generate "x.ini" { s.k = [ 1 2 ]; };
          global = (formats.iniWithGlobalSection { }).generate "x.ini" { globalSection.g = true; sections.s.k = "v"; };
          git = (formats.gitIni { }).generate "config" { user.name = "me"; };
          lines = (formats.keyValue { }).generate "x.env" { K = "v"; };
        };
        null-in-toml = (formats.toml { }).generate "x.toml" { a.b = null; };
        checked = name: value: builtins.toJSON (lib.evalModules {
          modules = [ { options.x = lib.mkOption { type = (formats.\${name} { }).type; }; config.x = value; } ];
        }).config.x;
        good = checked "json" { a = [ 1 null ]; } + checked "ini" { s.k = 1; };
        bad = checked "toml" { a = null; };
      `),
    });
    const built = await rig.d2n(folder, ["build", ".#files"]);
    expect(built.status, shown(built)).toBe(0);
    const read = (name: string): string => readFileSync(join(folder, "result", name), "utf8");
    const json = JSON.parse(read("json")) as unknown;
    expect(json).toEqual({ a: 1, b: [1, 'é: "', [{ x: true, y: {} }]], n: null, t: { u: { v: "no" } } });
    expect(read("json")).toContain('\n  "b": [\n    1.0,\n');
    expect(read("yaml")).toBe(
      'a: 1\nb:\n  - 1.0\n  - "é: \\""\n  - - x: true\n      "y": {}\n"n": null\nt:\n  u:\n    v: "no"\n',
    );
    expect(read("toml")).toBe(
      'a = 1\nb = [1.0, "é: \\"", [{ x = true, y = {} }]]\n\n[[list]]\nk = 1\n\n[[list]]\nk = 2\n\n[t]\n\n[t.u]\nv = "no"\n',
    );
    expect(read("ini")).toBe("[s]\nk=1\nk=2\n");
    expect(read("joined")).toBe("[s]\nk=1, 2\n");
    expect(read("global")).toBe("g=true\n\n[s]\nk=v\n");
    expect(read("git")).toBe('[user]\n\tname = "me"\n');
    expect(read("lines")).toBe("K=v\n");
    expect((await rig.d2n(folder, ["eval", "--raw", ".#good"])).stdout).toBe('{"a":[1,null]}{"s":{"k":1}}');
    expect((await rig.d2n(folder, ["eval", ".#bad"])).stderr).toContain("TOML value");
    expect((await rig.d2n(folder, ["build", ".#null-in-toml"])).stderr).toContain(
      "TOML has no null, but 'a.b' is null",
    );
    expect(existsSync(join(folder, "result"))).toBe(true);
  });
});
