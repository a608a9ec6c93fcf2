import { describe, expect, it } from "vitest";
import {
  canonicalName,
  evaluateMarker,
  parseMarker,
  parseRequirement,
  parseSdistName,
  parseWheelName,
  PythonSyntaxError,
  requirementSpecifiers,
} from "./index.ts";

const linux = {
  implementation_name: "cpython",
  implementation_version: "3.13.5",
  os_name: "posix",
  platform_machine: "x86_64",
  platform_release: "6.1.0-18-amd64",
  platform_system: "Linux",
  platform_version: "#1 SMP",
  python_full_version: "3.13.5",
  platform_python_implementation: "CPython",
  python_version: "3.13",
  sys_platform: "linux",
};

describe("markers", () => {
  it.each([
    ['python_version >= "3.8"', true],
    // Versions, not texts: 3.13 is after 3.9.
    ['python_version < "3.9"', false],
    ["'3.9' <= python_version", true],
    ['python_version == "3.*"', true],
    ['python_version in "3.12 3.13"', true],
    ['python_version not in "3.12"', true],
    ['python_version ~= "3.8"', true],
    ['python_full_version === "3.13.5"', true],
    ["sys_platform == 'linux' and (os_name == 'nt' or platform_machine == 'x86_64')", true],
    ["sys_platform == 'win32' or os_name == 'nt' or sys.platform == 'linux'", true],
    ["os_name == 'nt' and os_name == 'nt' or os_name == 'posix'", true],
    ["'linux' in sys_platform", true],
    ["platform_release >= '5'", true],
    ["python_implementation == 'CPython'", true],
    ["platform_system != 'Windows'", true],
    ["extra == 'test'", false],
  ])("%s: %s", (text, holds) => expect(evaluateMarker(parseMarker(text), linux)).toBe(holds));

  it("compare extras as names", () => {
    expect(evaluateMarker(parseMarker("extra == 'Foo_Bar'"), linux, "foo-bar")).toBe(true);
    expect(evaluateMarker(parseMarker("'foo.bar' == extra"), linux, "foo-bar")).toBe(true);
    expect(evaluateMarker(parseMarker("extra != 'foo'"), linux, "foo")).toBe(false);
  });

  it("take an interpreter built from a checkout", () => {
    expect(
      evaluateMarker(parseMarker("python_full_version >= '3.14.0'"), { ...linux, python_full_version: "3.14.0+" }),
    ).toBe(true);
  });

  it("need the values of their variables", () => {
    expect(() => evaluateMarker(parseMarker("os_name == 'x'"), {})).toThrow(/os_name is not known/);
    expect(() => evaluateMarker(parseMarker("os_name ~= 'x'"), linux)).toThrow(PythonSyntaxError);
  });

  it.each([
    "",
    "python_version",
    "python_version >",
    "foo == 'x'",
    "os_name == 'x' and",
    "(os_name == 'x'",
    "os_name == 'x')",
    "os_name == 'x' os_name == 'y'",
    "os_name not 'x'",
    `os_name == 'x`,
    `${"(".repeat(5000)}os_name == 'x'`,
  ])("%.40j is malformed", (text) => expect(() => parseMarker(text)).toThrow(PythonSyntaxError));
});

describe("requirements", () => {
  it("have a name, extras, specifiers and a marker", () => {
    const requirement = parseRequirement("Requests[socks, Use_Chardet]>=2.31,<3 ; python_version >= '3.8'");
    expect(requirement).toMatchObject({
      name: "Requests",
      extras: ["socks", "Use_Chardet"],
      url: undefined,
      specifierText: ">=2.31,<3",
    });
    expect(requirement.marker).toBeDefined();
    expect(requirementSpecifiers(requirement).map(({ operator, text }) => operator + text)).toEqual([">=2.31", "<3"]);
  });
  it.each([
    ["a (>=1.0, !=2)", { specifierText: ">=1.0, !=2" }],
    ["a@https://example.org/a.zip", { url: "https://example.org/a.zip" }],
    ["a @ https://example.org/a;b.zip ; extra=='x'", { url: "https://example.org/a;b.zip" }],
    [
      "a[x] @ git+ssh://git@example.org/a@v1#subdirectory=b",
      { extras: ["x"], url: "git+ssh://git@example.org/a@v1#subdirectory=b" },
    ],
    ["a[]", { extras: [] }],
    ["a===weird_version", { specifierText: "===weird_version" }],
    ["A.b-c_d", { name: "A.b-c_d" }],
    // Not a valid specifier, but one that old metadata has: only who reads it is told.
    ["a>=1.0.*", { specifierText: ">=1.0.*" }],
  ])("%j", (text, expected) => expect(parseRequirement(text)).toMatchObject(expected));
  it.each(["", "-a", "a b", "a @", "a;", "a (>=1", "a[x", "a[x y]", "a @ https://example.org/x y", "a; os_name"])(
    "%j is none",
    (text) => expect(() => parseRequirement(text)).toThrow(PythonSyntaxError),
  );
  it("tell of specifiers that cannot be", () =>
    expect(() => requirementSpecifiers(parseRequirement("a>=1.0.*"))).toThrow(PythonSyntaxError));
});

describe("names", () => {
  it("are canonical", () => expect(canonicalName("Foo__Bar-.baz")).toBe("foo-bar-baz"));
  it("of wheels", () => {
    expect(parseWheelName("Foo_Bar-1.0-2x-py2.py3-none-any.whl")).toMatchObject({
      name: "foo-bar",
      build: [2, "x"],
      tags: [
        { interpreter: "py2", abi: "none", platform: "any" },
        { interpreter: "py3", abi: "none", platform: "any" },
      ],
    });
    expect(parseWheelName("a-1-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl").tags).toHaveLength(2);
  });
  it.each([
    "a-1.0.tar.gz",
    "a.whl",
    "a-1-py3-none.whl",
    "a-x-py3-none-any.whl",
    "a-1-b2-py3-none-any.whl",
    "a__b-1-py3-none-any.whl",
  ])("%s is no wheel", (name) => expect(() => parseWheelName(name)).toThrow(PythonSyntaxError));
  it("of source distributions", () => {
    expect(parseSdistName("Foo-Bar-1.0.tar.gz")).toMatchObject({ name: "foo-bar" });
    expect(parseSdistName("foo.tar.gz")).toBeUndefined();
  });
});
