import { describe, expect, it } from "vitest";
import { D2nError } from "../base/index.ts";
import { formatReference, isPathLike, parseReference, referenceToAttributes, sameReference } from "./index.ts";

const attributes = (text: string): Record<string, unknown> =>
  Object.fromEntries(referenceToAttributes(parseReference(text)));

describe("parseReference()", () => {
  it("reads the forms that Nix reads", () => {
    expect(attributes("github:owner/repo")).toEqual({ type: "github", owner: "owner", repo: "repo" });
    expect(attributes("github:owner/repo/branch/with/slashes?dir=sub")).toEqual({
      type: "github",
      owner: "owner",
      repo: "repo",
      ref: "branch/with/slashes",
      dir: "sub",
    });
    const rev = "0123456789abcdef0123456789abcdef01234567";
    expect(attributes(`github:owner/repo/${rev}`)).toEqual({ type: "github", owner: "owner", repo: "repo", rev });
    expect(attributes("git+file:///home/me/p?ref=main&submodules=1")).toEqual({
      type: "git",
      url: "file:///home/me/p",
      ref: "main",
      submodules: true,
    });
    expect(attributes("git+https://example.org/p.git?rev=" + rev)).toEqual({
      type: "git",
      url: "https://example.org/p.git",
      rev,
    });
    expect(attributes("path:/a/b?narHash=sha256-abc&lastModified=7")).toEqual({
      type: "path",
      path: "/a/b",
      narHash: "sha256-abc",
      lastModified: 7,
    });
    expect(attributes("https://example.org/x.tar.gz")).toEqual({
      type: "tarball",
      url: "https://example.org/x.tar.gz",
    });
    expect(attributes("https://example.org/x?token=1&rev=" + rev)).toEqual({
      type: "tarball",
      url: "https://example.org/x?token=1",
      rev,
    });
    expect(attributes("file+https://example.org/x")).toEqual({ type: "file", url: "https://example.org/x" });
    expect(attributes("git+https://example.org/p?token=1&exportIgnore=1&lfs=0")).toEqual({
      type: "git",
      url: "https://example.org/p?token=1",
      exportIgnore: true,
      lfs: false,
    });
    expect(attributes("nixpkgs/branch")).toEqual({ type: "indirect", id: "nixpkgs", ref: "branch" });
    expect(attributes("flake:nixpkgs")).toEqual({ type: "indirect", id: "nixpkgs" });
    expect(attributes("d2n:nixpkgs")).toEqual({ type: "d2n", id: "nixpkgs" });
    expect(attributes("..?dir=x")).toEqual({ type: "path", path: "..", dir: "x" });
  });

  it("refuses what is none, and says what there is", () => {
    for (const text of [
      "ftp2:/x",
      "github:only-owner",
      "a b",
      "-x",
      "nixpkgs/a/b/c",
      "path:/a?b=c",
      "git+https://a/b?rev=zz",
    ])
      expect(() => parseReference(text), text).toThrow(D2nError);
  });

  it("takes relative paths where there is a folder that they are relative to, and only there", () => {
    for (const text of ["", ".", "./x", "../x?dir=y"]) {
      expect(parseReference(text).type, text).toBe("path");
      expect(() => parseReference(text, { absolute: true }), text).toThrow("is not an absolute path");
    }
    expect(attributes("./a%20b c")).toEqual({ type: "path", path: "./a%20b c" });
    expect(attributes("path:./a%20b")).toEqual({ type: "path", path: "./a b" });
  });

  it("says what is wrong", () => {
    expect(() => parseReference("github:only-owner")).toThrow("it wants owner/repository");
    expect(() => parseReference("x/y/z")).toThrow("'z' is not a commit hash");
    expect(() => parseReference("git+https://a/b c")).toThrow("is not a valid URL");
    expect(() => parseReference("/a#b")).toThrow("unexpected fragment 'b'");
    expect(() => parseReference("git+https://a/b?rev=zz")).toThrow("full hash of a commit");
    expect(() => parseReference("path:/%ff")).toThrow("invalid URI parameter");
  });

  it("tells paths from names", () => {
    for (const path of [".", "..", "./x", "/x", "../x"]) expect(isPathLike(path), path).toBe(true);
    for (const name of ["nixpkgs", "github:a/b", "path:x"]) expect(isPathLike(name), name).toBe(false);
  });
});

describe("formatReference()", () => {
  it("writes what real Nix writes", () => {
    const rev = "0123456789abcdef0123456789abcdef01234567";
    const written = (text: string): string => formatReference(parseReference(text));
    for (const text of [
      `github:o/r/${rev}?narHash=sha256-a%2Bb%3D`,
      "github:o/r/feature%2Fx?dir=sub/dir&host=github.example.org",
      `git+https://user@example.org:8080/r.git?ref=refs/heads/main&rev=${rev}&shallow=1&submodules=1`,
      "git+https://example.org/r?token=1",
      "git://example.org/r",
      "path:/a%2Bb/c%20d?lastModified=12&narHash=sha256-a%3D",
      "https://example.org/x?a=b&narHash=sha256-a%3D",
    ])
      expect(written(text)).toBe(text);
    expect(written("git+https://example.org/r?submodules=0&allRefs=1&lfs=1&dir=x")).toBe(
      "git+https://example.org/r?dir=x&lfs=1",
    );
    expect(written("git+file:///a+b/c%2Bd")).toBe("git+file:///a%2Bb/c%2Bd");
    expect(written("github:o/r/a/b")).toBe("github:o/r/a%2Fb");
  });

  it("gives what parseReference() reads back", () => {
    for (const text of [
      "github:owner/repo/branch?dir=sub",
      "git+file:///home/me/p?ref=main&dir=x",
      "path:/a/b",
      "flake:nixpkgs/branch",
      "d2n:dream2nix",
      "https://example.org/x.tar.gz",
      "gitlab:group%2Fsub/repo",
    ]) {
      const reference = parseReference(text);
      expect(sameReference(parseReference(formatReference(reference)), reference), text).toBe(true);
    }
  });
});
