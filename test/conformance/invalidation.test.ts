/**
 * `invalidationHash`, which decides whether a stranger's lock file is current: what real Nix makes of dream2nix's own modules is
 * written down here, and computed again where NIX_ORACLE (runs real Nix), D2N_DREAM2NIX (a checkout of dream2nix) and
 * D2N_NIXPKGS_LIB (a checkout of nixpkgs' `lib`) are there.
 */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { evalModules, playgrounds } from "../../src/dream2nix/testing.ts";
import { MemoryHost } from "../../src/lang/testing.ts";

/** Names are unique; a body is what a package's module says. Without a hash, upstream fails, and so must d2n. */
const variants: readonly (readonly [name: string, body: string, hash: string | undefined])[] = [
  [
    "one requirement",
    'pip.requirementsList = [ "x" ];',
    "751fd24b57f65013df5fc14120b09328c0c811b4ea872d03b2e7e3d5b5c3caec",
  ],
  ["nothing", "", "f017e9a8bfd01c0f6662a255684141b4f8caa0b9a1f31ea87d5bde337ee06137"],
  [
    "flags, a pip, files",
    'pip = { pipFlags = [ "--no-binary" ":all:" ]; pipVersion = "23.3.2"; requirementsFiles = [ "a.txt" "./b.txt" ]; };',
    "a6c24c6274190f450a25c276caa6fe3ed4b6e75b17e2143874f3779b4311e664",
  ],
  [
    "the order of requirements",
    'pip.requirementsList = [ "b" "a" "a" "" " c ; python_version < \\"4\\"" ];',
    "0a7558b1b626c9ce590f6b9733b266b3947d7f999bc23f73c39224ed0a9c490a",
  ],
  [
    "a snapshot date",
    'pip.pypiSnapshotDate = "2023-01-01";',
    "d07b06cc6f52574dcfce387c8fbfc20aafddcd1fae984cd416d646dd1779ed75",
  ],
  [
    "variables",
    'pip.env = { PIP_FIND_LINKS = "/a"; LANG = "de"; };',
    "e9e5abda39e243e31b9e31f0567d288c3987e912dc2566bb60287ca9f1f31c62",
  ],
  [
    "variables named like fields",
    'pip.env = { pipVersion = "1"; requirementsList = "x"; };',
    "f8ceaa5c4a6de53b72e8f9dcaa220f8fdeb7149c94210a26ade5c6e54f793120",
  ],
  [
    "what does not count",
    'pip = { nativeBuildInputs = [ ]; ignoredDependencies = [ "a" ]; flattenDependencies = true; buildExtras = [ ]; overrides.a = { }; };',
    "f017e9a8bfd01c0f6662a255684141b4f8caa0b9a1f31ea87d5bde337ee06137",
  ],
  [
    "another Python",
    "deps.python = pkgs.python311;",
    "7e74021eda4aa8aff5e4cfebc39476a19ebadb86d7bbeab86aaaa3f3ba308c9b",
  ],
  [
    "a Python that is no release",
    'deps.python = pkgs.python3 // { version = "3.15.0a1"; };',
    "f1d45b932de0013517a8c247e8d81b3a3e6d81076a6d83bbd903c0b389c2eea4",
  ],
  [
    "data of one's own",
    "lock.invalidationData = { a = 1; b = null; c = true; d = [ ]; e = { }; };",
    "0795d4fe2a5930f091f805ec9c387ae8bec1ace3415baf723f96018c7afd87d5",
  ],
  [
    "floats",
    "lock.invalidationData.f = [ 1.0 0.1 1.5e300 1.0e-7 (-0.0) 100000000000000000000.0 3.14159265358979 (1.0 / 3) ];",
    "38f7a3b3b82a0105d9da3851c2fa9f957173267da08e6100ecfad4e409984636",
  ],
  [
    "integers",
    "lock.invalidationData.i = [ 0 (-1) 9007199254740993 9223372036854775807 ];",
    "9a99fa5ee45b3648b97eff8c668c267a11354fab8238649757510862afd082d6",
  ],
  [
    "text",
    String.raw`lock.invalidationData.t = "é \"quoted\" \\ /\n\t\r" + builtins.fromJSON "\"\\u0001\\u007f\\u2028\"";`,
    "c6336a9a615862f1e9879acb82ab6d687fdb6e9cee77eebcf2404a810243fb6e",
  ],
  [
    "names in order",
    'lock.invalidationData = { b = 1; a = 2; "10" = 3; "9" = 4; A = 5; "é" = 6; "" = 7; };',
    "037badba7f482e921d6d5e20a3b95799ce9c3c4b994bd54b7e73bfd810e68199",
  ],
  [
    "deep data",
    "lock.invalidationData.a.b.c = [ { x.y = [ 1 [ 2 ] ]; } ];",
    "6d7443fe36ebfc25751ceee3db81d4533684fb194a83e959c3f8694b9c7f58f4",
  ],
  [
    "several definitions",
    "imports = [ { lock.invalidationData.n.a = 1; lock.invalidationData.l = 1; } { lock.invalidationData.n.b = 2; } ];",
    "8701d509413de2ea07031fdb1401a77171c06d09df3379c0e29e9465f2efbdc8",
  ],
  [
    "conditions and priorities",
    "lock.invalidationData = lib.mkMerge [ { a = lib.mkForce 1; b = lib.mkIf false 2; } { a = 3; c = lib.mkDefault 4; } ];",
    "136271467d525525663ad8d2dcaee41a64d024b7e7683ac7bd82c963695fb6e3",
  ],
  [
    "pip's part replaced",
    'lock.invalidationData.pip = lib.mkForce { pipVersion = "x"; };',
    "daa90b2522ae4a2a577b354882b10205f5caf0b506a74d5c7b498756b86e4ca8",
  ],
  [
    "pip's part extended",
    "lock.invalidationData.pip.more = [ 1 2 ];",
    "1d9413b9ca7b1a311d9f0ec41d9a93e495ecaebf5611d872bcce128ba816accd",
  ],
  [
    "all of it replaced",
    "lock.invalidationData = lib.mkForce [ 1 2 ];",
    "49a64717d5d4cb19952e6eac2946415cf6879adacf9908e7d872332d32c6e684",
  ],
  [
    "a derivation",
    'lock.invalidationData.d = derivation { name = "x"; system = "y"; builder = "z"; };',
    "2ba77c1a7bad6c0a6e0d11e94944ebd0f4cbca3f892153dbcdc2d344fafa0c20",
  ],
  [
    "a fixed output",
    `pip.requirementsList = [ "\${derivation { name = "source"; system = "y"; builder = "z"; outputHashMode = "recursive"; outputHashAlgo = "sha256"; outputHash = "${"0".repeat(52)}"; }}" ];`,
    "b12fac288124a6cd7222bf5609362fc4503868d521acce698c6a8038447117bb",
  ],
  [
    "a file's text",
    'pip.requirementsFiles = [ "${builtins.toFile "requirements.txt" "x\\n"}" ];',
    "1cbf837753c98dc6dd4737b614a4731b67d15c7a927f911beb5ef2e1c7859cc5",
  ],
  [
    "__toString and outPath",
    'lock.invalidationData = { a.__toString = _: "text"; b.outPath = "/x"; };',
    "c284c5a694541489825f772886cd3c35f7e7143cbff9080b2e8688ccc543acf8",
  ],
  [
    "the package's own name",
    "lock.invalidationData.name = config.name;",
    "2df13958d9b1abd7083ec17620a128f4bb0ff2a32489a772d2eb762560a7bf7b",
  ],
  ["a function", "lock.invalidationData.f = x: x;", undefined],
  [
    "a definition against another",
    "imports = [ { lock.invalidationData.a = 1; } { lock.invalidationData.a = 2; } ];",
    undefined,
  ],
  ["something that fails", 'lock.invalidationData.a = throw "no";', undefined],
];

const module = (body: string): string => `({ config, lib, dream2nix, ... }: {
  imports = [ dream2nix.modules.dream2nix.pip { name = "app"; version = "1"; } { ${body} } ];
  deps = { nixpkgs, ... }: { python = lib.mkDefault nixpkgs.python3; };
})`;
const hashOf = (body: string): string =>
  `builtins.hashString "sha256" (builtins.toJSON (${evalModules(module(body), "raw = true;")}).config.lock.invalidationData)`;

/** Nix strings are bytes. */
const bytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

describe("d2n's invalidationHash", () => {
  const { evaluate } = playgrounds((options) => new MemoryHost(options))();
  it.each(variants)("%s", (_, body, hash) => {
    let ours: unknown;
    try {
      ours = evaluate(bytes(hashOf(body)));
    } catch {
      ours = undefined;
    }
    expect(ours).toBe(hash);
  });
});

const { NIX_ORACLE: oracle, D2N_DREAM2NIX: upstream, D2N_NIXPKGS_LIB: lib } = process.env;

describe.skipIf(oracle === undefined || upstream === undefined || lib === undefined)(
  "dream2nix's invalidationHash",
  () => {
    it.each(variants)("%s", (_, body, hash) => {
      const source = `let
      lib = import ${lib}/lib;
      self = (import ${upstream}/flake.nix).outputs { inherit self; nixpkgs = { inherit lib; }; } // { inputs = { }; };
      dream2nix = self;
      python = version: { type = "derivation"; name = "python3"; inherit version; system = "x86_64-linux"; pkgs.setuptools = "/setuptools"; };
      pkgs = { inherit lib; stdenv = { isLinux = true; system = "x86_64-linux"; }; python3 = python "3.13.5"; python311 = python "3.11.9"; };
    in ${hashOf(body)}`;
      const { status, stdout } = spawnSync(
        oracle!,
        ["nix-instantiate", "--eval", "--json", "--readonly-mode", "--expr", source],
        { encoding: "utf8", cwd: upstream, env: { ...process.env, NIX_PATH: "" } },
      );
      expect(status === 0 ? JSON.parse(stdout) : undefined).toBe(hash);
    });
  },
);
