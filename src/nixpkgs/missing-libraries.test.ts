import { describe, expect, it } from "vitest";
import { adviceOnMissing } from "./missing.ts";

const log = (...sonames: readonly string[]): string[] => [
  "setting RPATH of x.so",
  ...sonames.map((name) => `error: auto-patchelf could not satisfy dependency ${name} wanted by lib/x.so and 3 more`),
];

describe("libraries that auto-patchelf does not find", () => {
  it("become an override to copy", () => {
    expect(
      adviceOnMissing(log("libEGL.so.1", "libGL.so.1", "libodbc.so.2", "libxcb-cursor.so.0", "libxcb-shm.so.0"), "q"),
    ).toBe(`libEGL.so.1, libGL.so.1: nixpkgs.libGL
libodbc.so.2: nixpkgs.unixODBC
libxcb-cursor.so.0: nixpkgs.xcbutilcursor
libxcb-shm.so.0: nixpkgs.libxcb
Add to the package (\`mkDerivation.…\` and \`deps\` alone for your own):
pip.overrides.q = { config, ... }: {
  deps = { nixpkgs, ... }: { inherit (nixpkgs) libGL unixODBC xcbutilcursor libxcb; };
  mkDerivation.buildInputs = with config.deps; [ libGL unixODBC xcbutilcursor libxcb ];
};`);
  });

  it.each([
    ["libXrandr.so.2", "libXrandr"],
    ["libXss.so.1", "libXScrnSaver"],
    ["libz.so.1", "zlib"],
    ["libglib-2.0.so.0", "glib"],
    ["libwayland-client.so.0", "wayland"],
    ["libnss3.so", "nss"],
    ["libasound.so.2", "alsa-lib"],
  ])("%s is known", (soname, attribute) => {
    expect(adviceOnMissing(log(soname), "p")).toContain(`${soname}: nixpkgs.${attribute}\n`);
  });

  it("that are the driver's, or nobody's, can be ignored", () => {
    expect(adviceOnMissing(log("libcuda.so.1", "libXfoo.so.9", "libmimerapi.so"), "p")).toBe(
      'libcuda.so.1: the machine\'s driver has it. Write `pip.overrides.p.env.autoPatchelfIgnoreMissingDeps = [ "libcuda.so.1" ];`\n' +
        "libXfoo.so.9, libmimerapi.so: no package of d2n's set is known to have them. If the modules that you use do without: " +
        '`pip.overrides.p.env.autoPatchelfIgnoreMissingDeps = [ "libXfoo.so.9" "libmimerapi.so" ];`',
    );
  });
});
