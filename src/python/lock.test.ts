import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  formatJson,
  formatLockFile,
  invalidationHash,
  type Json,
  parseJson,
  parsePipReport,
  pipFieldValue,
  pipInvalidationData,
  sourcesFromReport,
  type SourceServices,
  type Targets,
  targetsFromReport,
} from "./index.ts";

const containing = (text: string): unknown => expect.stringContaining(text);
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

const environment = { python_version: "3.13", python_full_version: "3.13.5", sys_platform: "linux", os_name: "posix" };
const sha256 = "a".repeat(64);

interface Item {
  readonly name: string;
  readonly needs?: readonly string[];
  readonly requested?: boolean;
  readonly extras?: readonly string[];
  readonly info?: object;
  readonly direct?: boolean;
}

function report(...items: Item[]) {
  return parsePipReport(
    JSON.stringify({
      version: "1",
      environment,
      install: items.map(({ name, needs = [], requested = false, extras, info, direct = false }) => ({
        metadata: { name, version: "1.0", requires_dist: needs },
        requested,
        is_direct: direct,
        ...(extras === undefined ? {} : { requested_extras: extras }),
        download_info: info ?? {
          url: `https://example.org/${name}-1.0.tar.gz`,
          archive_info: { hash: `sha256=${sha256}`, hashes: { sha256 } },
        },
      })),
    }),
  );
}

function plain(targets: Targets): Record<string, Record<string, readonly string[]>> {
  return Object.fromEntries([...targets].map(([target, packages]) => [target, Object.fromEntries(packages)]));
}
const targetsOf = (...items: Item[]) => plain(targetsFromReport(report(...items)));

const services: SourceServices = {
  projectRoots: ["/home/me/project"],
  storeDir: "/nix/store",
  copies: new Map([["/tmp/scratch/copies/0/abc-source", "/nix/store/abc-source"]]),
  prefetchGit: async (url, rev) => `${url} ${rev}`,
  describeStorePath: async (path) =>
    path === "/nix/store/abc-source" ? { url: "https://example.org/x.tar.gz", sha256 } : undefined,
};
const sourceOf = async (item: Omit<Item, "name">) =>
  (await sourcesFromReport(report({ name: "Foo_Bar", ...item }), services)).get("foo-bar");

describe("targets", () => {
  it("follow markers, names and extras", () => {
    expect(
      targetsOf(
        {
          name: "Root",
          requested: true,
          extras: ["test"],
          needs: ["A_b[x]>=1", "win ; sys_platform == 'win32'", "t ; extra == 'test'"],
        },
        { name: "a.B", needs: ["c ; extra == 'x'", "d ; extra == 'y'"] },
        { name: "c" },
        { name: "d" },
        { name: "t", needs: ["c"] },
      ),
    ).toEqual({
      default: { root: ["a-b"], "a-b": ["c"], c: [] },
      // What is the same as in `default` is left out.
      test: { root: ["a-b", "t"], t: ["c"] },
    });
  });

  it("have a cycle as it is, once each way (upstream: as the path came by)", () => {
    expect(
      targetsOf(
        { name: "root", requested: true, needs: ["a", "b"] },
        { name: "a", needs: ["b"] },
        { name: "b", needs: ["a"] },
      ),
    ).toEqual({
      default: { root: ["a", "b"], a: ["b"], b: ["a"] },
    });
  });

  it("keep both edges between two roots that need each other (upstream loses one)", () => {
    expect(
      targetsOf({ name: "r1", requested: true, needs: ["r2"] }, { name: "r2", requested: true, needs: ["r1"] }),
    ).toEqual({
      default: { r1: ["r2"], r2: ["r1"] },
    });
  });

  it.each([
    ["c[x]", "c"],
    ["c", "c[x]"],
  ])("keep what an extra adds, whoever comes first: %s, %s (upstream loses it in one order)", (first, second) => {
    expect(
      targetsOf(
        { name: "r1", requested: true, needs: [first] },
        { name: "r2", requested: true, needs: [second] },
        { name: "c", needs: ["d ; extra == 'x'"] },
        { name: "d" },
      ),
    ).toEqual({ default: { r1: ["c"], r2: ["c"], c: ["d"], d: [] } });
  });

  it("leave out what was not to be installed (upstream: KeyError)", () => {
    expect(targetsOf({ name: "a", requested: true, needs: ["missing"] })).toEqual({ default: { a: [] } });
  });

  it("follow extras that a package asks of itself, without an edge to itself", () => {
    expect(
      targetsOf(
        {
          name: "p",
          requested: true,
          extras: ["all"],
          needs: ["p[one,two] ; extra == 'all'", "a ; extra == 'one'", "b ; extra == 'two'"],
        },
        { name: "a" },
        { name: "b" },
      ),
    ).toEqual({ default: { p: [] }, all: { p: ["a", "b"], a: [], b: [] } });
  });

  it("take linear time (upstream: threefold for each layer)", () => {
    const items: Item[] = [{ name: "root", requested: true, needs: ["p0x0", "p0x1", "p0x2"] }];
    for (let layer = 0; layer < 300; layer++)
      for (let i = 0; i < 3; i++)
        items.push({ name: `p${layer}x${i}`, needs: layer === 299 ? [] : [0, 1, 2].map((j) => `p${layer + 1}x${j}`) });
    const start = performance.now();
    expect(Object.keys(targetsOf(...items)["default"]!)).toHaveLength(901);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it("need a root", () => expect(() => targetsOf({ name: "a" })).toThrow(/Cannot determine roots, nothing requested/));
  it("name the package whose metadata nobody can read", () => {
    expect(() => targetsOf({ name: "a", requested: true, needs: ["b ; nonsense"] })).toThrow(
      expect.objectContaining({ code: "python-syntax", hint: containing("metadata of a") }),
    );
  });
});

describe("sources", () => {
  it("of an index, by either form of the hash", async () => {
    const url = "https://example.org/foo.tar.gz";
    const expected = { is_direct: false, version: "1.0", type: "url", url, sha256 };
    expect(await sourceOf({ info: { url, archive_info: { hash: `sha256=${sha256}` } } })).toEqual(expected);
    expect(await sourceOf({ info: { url, archive_info: { hashes: { md5: "x", sha256 } } } })).toEqual(expected);
  });
  it.each([{}, { hash: "md5=abc" }, { hashes: { sha512: "abc" } }, { hash: "sha256=tooshort" }])(
    "without a usable hash are an error that names the package: %j",
    async (archive_info) => {
      await expect(
        sourceOf({ info: { url: "https://user:secret@example.org/foo.tar.gz", archive_info } }),
      ).rejects.toThrow(
        expect.objectContaining({
          code: "lock-no-hash",
          message: matching(/Foo_Bar 1\.0.*\*\*\*@example/),
        }),
      );
    },
  );
  it("of git", async () => {
    const info = { url: "https://example.org/r.git", vcs_info: { vcs: "git", commit_id: "abc" }, subdirectory: "py" };
    expect(await sourceOf({ info, direct: true })).toEqual({
      is_direct: true,
      version: "1.0",
      subdirectory: "py",
      type: "git",
      url: "https://example.org/r.git",
      rev: "abc",
      sha256: "https://example.org/r.git abc",
    });
    await expect(
      sourceOf({ info: { url: "https://example.org", vcs_info: { vcs: "hg", commit_id: "1" } } }),
    ).rejects.toThrow(/hg repository/);
  });
  it("of the project, decoded", async () => {
    const local = (path: string) => sourceOf({ direct: true, info: { url: `file://${path}`, dir_info: {} } });
    expect(await local("/home/me/project")).toMatchObject({ type: "local", path: "." });
    expect(await local("/home/me/project/my%20lib")).toMatchObject({ type: "local", path: "my lib" });
    await expect(local("/home/me/project-2")).rejects.toThrow(expect.objectContaining({ code: "lock-requirement" }));
    await expect(local("/nix/store/xyz-other")).rejects.toThrow(/xyz-other/);
  });
  it("of a store path that was copied for pip", async () => {
    expect(
      await sourceOf({ direct: true, info: { url: "file:///tmp/scratch/copies/0/abc-source", dir_info: {} } }),
    ).toMatchObject({
      type: "url",
      url: "https://example.org/x.tar.gz",
      sha256,
    });
  });
});

describe("reports", () => {
  it.each([
    "",
    "[]",
    '{"install": 1, "environment": {}}',
    '{"install": [{}], "environment": {}}',
    '{"install": [], "environment": {}, "version": "2"}',
  ])("%j is refused", (text) =>
    expect(() => parsePipReport(text)).toThrow(expect.objectContaining({ code: "lock-report-malformed" })),
  );
});

describe("lock files", () => {
  const data = pipInvalidationData({
    pipFlags: ["--no-binary", ":all:"],
    pipVersion: "24.0",
    pypiSnapshotDate: null,
    pythonVersion: ["3", "13"],
    requirementsFiles: [],
    requirementsList: ["pillow==10.4.0"],
  });

  it("of the guide's Pillow are upstream's, byte for byte", async () => {
    expect(invalidationHash(data)).toBe("0e7079891a40d9873f5b3f5fdd4d8007c92e4819e8801631a33bbb714fcf6b04");
    const hash = "166c1cd4d24309b30d61f79f4a9114b7b2313d7450912277855ff5dfd7cd4a06";
    const pillow = report({
      name: "pillow",
      requested: true,
      needs: ["furo ; extra == 'docs'"],
      info: { url: "https://example.org/pillow-10.4.0.tar.gz", archive_info: { hash: `sha256=${hash}` } },
    });
    const value = pipFieldValue(await sourcesFromReport(pillow, services), targetsFromReport(pillow));
    expect(formatLockFile(new Map([["fetchPipMetadata", value]]), invalidationHash(data))).toBe(`{
  "fetchPipMetadata": {
    "sources": {
      "pillow": {
        "is_direct": false,
        "sha256": "${hash}",
        "type": "url",
        "url": "https://example.org/pillow-10.4.0.tar.gz",
        "version": "1.0"
      }
    },
    "targets": {
      "default": {
        "pillow": []
      }
    }
  },
  "invalidationHash": "0e7079891a40d9873f5b3f5fdd4d8007c92e4819e8801631a33bbb714fcf6b04"
}`);
  });

  it("hash variables in place of fields of their name", () => {
    const withEnv = (env: Record<string, string>): string =>
      formatJson(
        pipInvalidationData({
          pipFlags: [],
          pipVersion: "24.0",
          pypiSnapshotDate: null,
          pythonVersion: ["3", "13"],
          requirementsFiles: [],
          requirementsList: [],
          env,
        }),
        { sortKeys: true, compact: true },
      );
    expect(withEnv({ A: "1", pipVersion: "x" })).toBe(
      '{"pip":{"A":"1","pipFlags":[],"pipVersion":"x","pypiSnapshotDate":null,"pythonVersion":["3","13"],"requirementsFiles":[],"requirementsList":[]}}',
    );
  });
});

describe("JSON as Python writes it", () => {
  it.each([
    [
      '{"b": 1, "a": [], "10": {}, "9": [1, {"x": null}]}',
      '{\n  "b": 1,\n  "a": [],\n  "10": {},\n  "9": [\n    1,\n    {\n      "x": null\n    }\n  ]\n}',
    ],
    ['"é\\u0041 \\ud83d\\ude00 \\/ \\t\\u0001\u007f"', '"\\u00e9A \\ud83d\\ude00 / \\t\\u0001\u007f"'],
    [
      "[1.0, 1e3, 1E400, -0, -0.0, 123456789012345678901234567890, 1e16, 1e-5, 0.0001, 0.1, 1.5e300, 12345678.9]",
      "[\n  1.0,\n  1000.0,\n  Infinity,\n  0,\n  -0.0,\n  123456789012345678901234567890,\n  1e+16,\n  1e-05,\n  0.0001,\n  0.1,\n  1.5e+300,\n  12345678.9\n]",
    ],
    ['{"a": 1, "b": 2, "a": 3}', '{\n  "a": 3,\n  "b": 2\n}'],
    ['{"__proto__": true}', '{\n  "__proto__": true\n}'],
  ])("%s", (text, written) => expect(formatJson(parseJson(text), { indent: 2 })).toBe(written));

  it.each([
    "",
    "{",
    '{"a"}',
    '{"a":1,}',
    "[1,]",
    "nul",
    "01",
    "1.",
    '"\\x"',
    '"\u0001"',
    "1 2",
    '"abc',
    "[".repeat(100_000),
    "'a'",
    "\ufeff1",
  ])("%.20j is refused", (text) => expect(() => parseJson(text)).toThrow(Error));

  it("sorts keys by code point", () => {
    const json: Json = new Map([
      ["\u{10000}", null],
      ["\uffff", null],
      ["a", null],
    ] as const);
    expect(
      createHash("sha256")
        .update(formatJson(json, { sortKeys: true, ascii: false }))
        .digest("hex"),
    ).toBe(createHash("sha256").update('{"a": null, "\uffff": null, "\u{10000}": null}').digest("hex"));
  });
});
