import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError, parse, resolve, showExpression, Source } from "./index.ts";

/** The normal form, as `nix-instantiate --parse` prints it. */
function normal(text: string, options: { readonly pipeOperators?: boolean } = {}): string {
  const absolute = (path: string, home: boolean): string =>
    home ? `/home${path.slice(1)}` : path.startsWith("/") ? path : `/base/${path}`;
  return showExpression(parse(new Source("«test»", text, false), options), { absolute });
}

function failure(text: string, options: { readonly pipeOperators?: boolean } = {}): ParseError {
  try {
    normal(text, options);
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
  throw new Error(`no error in ${text}`);
}

describe("parse()", () => {
  it.each([
    // Literals
    ["1.5e3", "1500"],
    [".5", "0.5"],
    ["1.", "1"],
    ["00.5", "(0 0.5)"],
    ["9223372036854775807", "9223372036854775807"],
    ['"a${"b"}"', '("a" + "b")'],
    ['"\\q\\n\\${x}$${y}$"', '"q\\n\\${x}$\\${y}$"'],
    ["''\n  a\n    b\n  ''", '"a\\n  b\\n"'],
    ["''$''", '"$"'],
    ["'' ''\\q ''\\${a}''", '("q" + " " + "$" + "{a}")'],
    ["'' a ''${x} ''' $${y} ''", '("a " + "$" + "{x} " + "\'\'" + " $\\${y} ")'],
    ["''a\r\n b''", '"a\\r\\n b"'],
    ["http://example.org/a?b=c", '"http://example.org/a?b=c"'],
    ["x:y", '"x:y"'],
    ["x: x", "(x: x)"],
    // Paths
    ["./a.nix", "/base/./a.nix"],
    [".nix/default.nix", "/base/.nix/default.nix"],
    ["~/a", "/home/a"],
    ["a/b", "/base/a/b"],
    ["1/2", "/base/1/2"],
    ["<a/b>", '(__findFile __nixPath "a/b")'],
    ['./a/${"b"}.nix', '(/base/./a/ + "b" + ".nix")'],
    // Operators
    ["1 - -2", "(__sub 1 (__sub 0 2))"],
    ["1 + 2 * 3 - 4", "(__sub (1 + (__mul 2 3)) 4)"],
    ["{ } // { } // { }", "({ } // ({ } // { }))"],
    ["[ ] ++ [ ] ++ [ ]", "([ ] ++ ([ ] ++ [ ]))"],
    ["true -> false -> true", "(true -> (false -> true))"],
    ["!{ } ? a.b == true", "((! (({ }) ? a.b)) == true)"],
    ["1 <= 2", "(! (__lessThan 2 1))"],
    ["{ } ? a ? b", "(((({ }) ? a)) ? b)"],
    ["- x.y", "(__sub 0 (x).y)"],
    // Application and selection
    ["(f 1) 2", "(f 1 2)"],
    ["f x.y or z w", "(f (x).y or (z) w)"],
    ["map or [ ]", "(map or [ ])"],
    ['a.${b}."c d".or', '(a)."${b}"."c d".or'],
    ["let { body = 1; }", "(rec { body = 1; }).body"],
    // Functions
    ["{ a, b ? 1, ... }@c: a", "({ a, b ? 1, ... } @ c: a)"],
    ["c@{ a, }: a", "({ a } @ c: a)"],
    ["{ }: 1", "({  }: 1)"],
    // Sets
    ["{ a.b = 1; a.c.d = 2; a = { e = 3; }; }", "{ a = { b = 1; c = { d = 2; }; e = 3; }; }"],
    ['{ inherit a; inherit (b) c "d e"; ${f} = 1; }', '{ inherit a; inherit (b) c "d e"; "${f}" = 1; }'],
    ['{ ${"a"} = 1; }', "{ a = 1; }"],
    ["rec { a = rec { b = 1; }; a.c = b; }", "rec { a = rec { b = 1; c = b; }; }"],
    // White space and comments
    ["1 /* a * b **/ + # c\r\n 2", "(1 + 2)"],
  ])("%s", (text, expected) => {
    expect(normal(text)).toBe(expected);
  });

  it("has pipe operators only as an experiment", () => {
    const pipeOperators = true;
    expect(normal("1 |> f |> g 2", { pipeOperators })).toBe("(g 2 (f 1))");
    expect(normal("f <| g <| 1", { pipeOperators })).toBe("(f (g 1))");
    expect(failure("1 |> f").message).toContain("experimental Nix feature 'pipe-operators' is disabled");
  });
});

describe("syntax errors", () => {
  it.each([
    ["{ a = 1 }", "syntax error, unexpected '}', expecting ';'", "1:9"],
    ["{ a 1; }", "syntax error, unexpected integer, expecting '.' or '='", "1:5"],
    ["let a = 1; 5", "syntax error, unexpected integer, expecting 'in' or 'inherit'", "1:12"],
    ["a.if", "syntax error, unexpected 'if', expecting identifier or 'or' or '${' or '\"'", "1:3"],
    ["{ a, 5 }: a", "syntax error, unexpected integer, expecting identifier or '...' or '}'", "1:6"],
    ["1 == 2 == 3", "syntax error, unexpected '=='", "1:8"],
    ["}", "syntax error, unexpected '}'", "1:1"],
    ["1 ]", "syntax error, unexpected ']', expecting end of file", "1:3"],
    ["123 \xe9", "syntax error, unexpected invalid token, expecting end of file", "1:5"],
    ["99999999999999999999", "invalid integer '99999999999999999999'", "1:1"],
    ["1.0e999", "invalid float '1.0e999'", "1:1"],
    ["./a//b", "syntax error, unexpected end of path, expecting '${'", "1:1"],
    ["./a/ ", "path has a trailing slash", "1:5"],
    ['{ "\xc3\xa9" = 1; "\xc3\xa9" = 2; }', `attribute '"é"' already defined at «test»:1:3`, "1:13"],
    ["{ a = 1; a = 2; }", "attribute 'a' already defined at «test»:1:3", "1:10"],
    ["{ a.b = 1; a.b.c = 2; }", "attribute 'a.b' already defined at «test»:1:3", "1:12"],
    ["{ a = 1; inherit a; }", "attribute 'a' already defined at «test»:1:3", "1:18"],
    ["{ a, b, a }: a", "duplicate formal function argument 'a'", "1:9"],
    ["a@{ a }: a", "duplicate formal function argument 'a'", "1:1"],
    ["let ${a} = 1; in 1", "dynamic attributes not allowed in let", "1:1"],
    ["{ inherit ${a}; }", "dynamic attributes not allowed in inherit", "1:11"],
    ['"a\0b"', "input string 'a␀b' cannot be represented as Nix string because it contains null bytes", "1:2"],
  ])("%s", (text, message, place) => {
    const error = failure(text);
    expect(error.message).toBe(message);
    expect(`${error.location?.line}:${error.location?.column}`).toBe(place);
    expect(error.code).toBe("syntax");
  });

  it("show the line", () => {
    expect(failure("{\n  a = ;\n}").location).toMatchObject({ line: 2, column: 7, text: "  a = ;" });
  });

  it("name the bracket that is never closed", () => {
    expect(failure("{\n  a = [\n    1\n  };\n}\n").message).toContain("the '[' opened at «test»:2:7 is never closed");
    expect(failure("{ a = (1 + 2; }").message).toContain("the '(' opened at «test»:1:7 is never closed");
    expect(failure('{ a = "b; }\n').message).toContain("the string opened at «test»:1:7 is never closed");
    expect(failure("''\n a").message).toContain("the indented string opened at «test»:1:1 is never closed");
    expect(failure("/* a").message).toContain("the comment opened at «test»:1:1 is never closed");
  });

  it("go by the indentation to tell which bracket", () => {
    const flake = [
      "{",
      "  outputs = { self }:",
      "  let",
      "      x = [",
      "    ];",
      "  in {",
      "  packages = f (s: {",
      "    d = {",
      "    };",
      "  });",
      "}",
      "",
    ];
    const error = failure(flake.join("\n"));
    expect(error.message).toBe(
      "syntax error, unexpected end of file, expecting ';'; the '{' opened at «test»:6:6 is never closed",
    );
    expect(error.details).toBe("6 |   in {\n  |      ^ never closed");
  });

  it("meet hostile nesting with an error", () => {
    for (const text of [
      "[".repeat(1_000_000),
      `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
      "(".repeat(200_000),
      "!".repeat(500_000),
      "{a=".repeat(100_000),
      '"${'.repeat(50_000),
      "x: ".repeat(50_000),
    ])
      expect(failure(text).message).toContain("nested too deeply");
  });

  it("take linear time for runs that look like paths", () => {
    expect(() => normal(`1${"+1".repeat(1000)}`)).not.toThrow();
    const started = performance.now();
    expect(() => parse(new Source("«test»", `1${"+1".repeat(200_000)}`, false))).not.toThrow();
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it("are ParseErrors whatever the bytes", () => {
    const piece = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      "(",
      ")",
      '"',
      "''",
      "${",
      "a",
      "=",
      ";",
      ".",
      ":",
      "@",
      "?",
      "1",
      "/",
      "./b",
      "let ",
      "in ",
      "rec ",
      "inherit ",
      "or ",
      "\n",
      "$",
      "\\",
      "'",
      "#",
      "/*",
      "\0",
      "\xff",
      "<",
      ">",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        try {
          normal(pieces.join(""));
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("resolve()", () => {
  const globals = new Map([
    ["map", 1],
    ["builtins", 1],
  ]);
  const check = (text: string): void => {
    const source = new Source("«test»", text, false);
    resolve(parse(source), source, globals);
  };
  it("finds undefined variables before anything is evaluated", () => {
    expect(() => check("x: if x then y else x")).toThrow("undefined variable 'y'");
    expect(() => check("let mapping = 1; in mapp")).toThrow("undefined variable 'mapp'");
    expect(() => check("{ a = 1; b = a; }")).toThrow("undefined variable 'a'");
    expect(() => check("{ inherit a; }")).toThrow("undefined variable 'a'");
  });
  it("knows scopes, globals and with", () => {
    for (const text of [
      "map",
      "x: y: x y",
      "rec { a = b; b = 1; }",
      "let a = a; in a",
      "with { }; y",
      "{ a, b ? a }@c: c b",
    ])
      expect(() => check(text)).not.toThrow();
  });
});

describe("Source", () => {
  it("counts lines that end with LF, CR LF or CR", () => {
    const source = new Source("/f", "a\r\nb\rc\nd");
    expect([0, 3, 5, 7].map((offset) => source.position(offset).line)).toEqual([1, 2, 3, 4]);
    expect(source.location(5)).toMatchObject({ file: "/f", line: 3, column: 1, text: "c" });
  });
});
