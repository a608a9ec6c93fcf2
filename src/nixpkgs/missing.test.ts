import { describe, expect, it } from "vitest";
import { adviceOnMissing, findMissing } from "./missing.ts";
import { aliases } from "./debian/aliases.ts";
import { table } from "./debian/table.ts";

describe("what a failed build lacks", () => {
  it.each([
    ["src/c/_cffi_backend.c:15:10: fatal error: ffi.h: No such file or directory", "header", "ffi.h", "libffi"],
    [
      "a.c:1:10: fatal error: libxml/xmlversion.h: No such file or directory",
      "header",
      "libxml/xmlversion.h",
      "libxml2",
    ],
    ["a.cc:3:10: fatal error: Eigen/Dense: No such file or directory", "header", "Eigen/Dense", "eigen"],
    ["a.c:1:10: fatal error: 'openssl/ssl.h' file not found", "header", "openssl/ssl.h", "openssl"],
    ["/nix/store/x/bin/ld: cannot find -lxslt: No such file or directory", "library", "xslt", "libxslt"],
    ["Package libzmq was not found in the pkg-config search path.", "module", "libzmq", "zeromq"],
    ["Package 'gobject-2.0', required by 'virtual:world', not found", "module", "gobject-2.0", "glib"],
    ['../meson.build:38:12: ERROR: Dependency "cairo" not found, tried pkgconfig', "module", "cairo", "cairo"],
    ["Error: pg_config executable not found.", "program", "pg_config", "libpq"],
    ["/bin/sh: 1: mysql_config: not found", "program", "mysql_config", "libmysqlclient"],
    ["make: cmake: command not found", "program", "cmake", "cmake"],
    ["FileNotFoundError: [Errno 2] No such file or directory: 'pkg-config'", "program", "pkg-config", "pkg-config"],
    ["ModuleNotFoundError: No module named 'Cython.Build'", "python", "Cython", undefined],
    ["  error: can't find Rust compiler", "crates", "can't find Rust compiler", undefined],
  ])("is read from %s", (line, kind, name, attribute) => {
    expect(findMissing(["before", line, "after"])).toEqual([{ kind, name, attribute }]);
  });

  it("is what cmake fails over, not what it can do without", () => {
    const optional = "-- Could NOT find ZLIB (missing: ZLIB_LIBRARY)";
    expect(findMissing([optional, "", "done"])).toEqual([]);
    expect(
      findMissing([
        optional,
        "",
        "x",
        "y",
        "z",
        "CMake Error at FindPackage.cmake:230 (message):",
        "  Could NOT find PROJ (missing: PROJ_DIR)",
      ]),
    ).toEqual([{ kind: "module", name: "PROJ", attribute: "proj" }]);
  });

  it("becomes lines to write", () => {
    const log = ["a.c:1:10: fatal error: ffi.h: No such file or directory", "sh: 1: pkg-config: not found"];
    expect(adviceOnMissing(log, "cffi")).toBe(
      "ffi.h (of libffi), pkg-config are missing. Add `pip.overrides.cffi.mkDerivation.nativeBuildInputs = [ nixpkgs.pkg-config ]` and " +
        "`pip.overrides.cffi.mkDerivation.buildInputs = [ nixpkgs.libffi ]` (`mkDerivation.…` for your own package; nixpkgs is packageSets.nixpkgs, or take it through deps).",
    );
    expect(adviceOnMissing(["error: failed to get `pyo3` as a dependency of package"], "rpds-py")).toMatch(
      /^rpds-py is built with cargo[\s\S]*--no-binary[\s\S]*cargo vendor/,
    );
    expect(adviceOnMissing(["x.c:1:2: fatal error: very/own.h: No such file or directory"], "x")).toContain(
      "very/own.h",
    );
    expect(adviceOnMissing(["ModuleNotFoundError: No module named 'numpy'"], "x")).toContain("build-system");
    expect(
      adviceOnMissing(
        ["IndentationError: unexpected indent", "FileNotFoundError: [Errno 2] No such file or directory: 'README.md'"],
        "x",
      ),
    ).toBeUndefined();
  });

  it("is named by attributes that the package set has", () => {
    const others = new Set(["nodejs"]);
    const lines = (word: string): string[] => [`sh: 1: ${word}: not found`];
    for (const word of ["sqlite", "libjpeg", "openblas", "hdf5"])
      expect(findMissing(lines(word))[0]?.attribute, word).toBe(word);
    for (const word of ["xml2-config", "h5cc", "swig", "protoc", "gdal-config", "curl-config", "dot", "rustc"]) {
      const attribute = findMissing(lines(word))[0]!.attribute!;
      expect(table.has(attribute) || aliases.has(attribute) || others.has(attribute), attribute).toBe(true);
    }
  });
});
