import { describe, expect, test } from "vitest";
import { createEvaluator } from "../evaluator.ts";
import { printClassic } from "../print/index.ts";
import { MemoryHost } from "../testing.ts";
import { parseJson } from "./json-parser.ts";
import { peeksort } from "./peeksort.ts";
import { Matcher } from "./regex/matcher.ts";
import { compareVersions, splitVersion } from "./versions.ts";

function run(source: string, host = new MemoryHost()): string {
  const evaluator = createEvaluator({ host });
  const value = evaluator.evaluate(Buffer.from(source).toString("latin1"), { basePath: "/" });
  evaluator.call(evaluator.builtins.get("deepSeq")!, value, null);
  return Buffer.from(printClassic(value), "latin1").toString("utf8");
}

describe("the set of builtins", () => {
  test("has all that Nix 2.34 has by default, and flakes", () => {
    expect(run("builtins.length (builtins.attrNames builtins)")).toBe("118");
    expect(run("builtins.builtins.builtins ? map")).toBe("true");
    expect(run("[ (__add 1 2) (map (x: x) [ ]) (toString 1) true null ]")).toBe('[ 3 [ ] "1" true null ]');
  });

  test("is without time and system when pure", () => {
    const host = new MemoryHost({ pure: true, environment: { X: "1" } });
    expect(run('[ (builtins ? currentTime) (builtins ? currentSystem) (builtins.getEnv "X") ]', host)).toBe(
      '[ false false "" ]',
    );
    expect(run('builtins.getEnv "X"', new MemoryHost({ environment: { X: "1" } }))).toBe('"1"');
    expect(() => run('builtins.storePath "/nix/store/x"', host)).toThrow("not allowed in pure evaluation mode");
    expect(() => run('builtins.fetchurl "https://example.org/x"', host)).toThrow("requires a 'sha256' argument");
    expect(() => run("<x>", host)).toThrow("cannot look up '<x>' in pure evaluation mode");
  });
});

describe("messages", () => {
  test("trace and warn reach the host", () => {
    const host = new MemoryHost();
    run('builtins.trace "a" (builtins.trace { x = 1; y = toString 1; } (builtins.warn "w" 1))', host);
    expect(host.messages).toEqual(["trace: a", "trace: { x = 1; y = «thunk»; }", "warning: w"]);
  });

  test("warn fails after its warning where that was asked for, and nothing catches it", () => {
    const host = new MemoryHost();
    const evaluator = createEvaluator({ host, abortOnWarn: true });
    expect(() => evaluator.evaluate('builtins.tryEval (builtins.warn "w" 1)', { basePath: "/" })).toThrow(
      "aborting to reveal stack trace of warning, as abort-on-warn is set",
    );
    expect(host.messages).toContain("warning: w");
  });

  test("tryEval catches throw and assert, not abort or type errors", () => {
    expect(run('builtins.tryEval (throw "x")')).toBe("{ success = false; value = false; }");
    expect(run("builtins.tryEval (assert false; 1)")).toBe("{ success = false; value = false; }");
    expect(() => run('builtins.tryEval (abort "x")')).toThrow(
      "evaluation aborted with the following error message: 'x'",
    );
    expect(() => run("builtins.tryEval (1 + null)")).toThrow("cannot add null to an integer");
  });

  test("deepSeq tells the way and ends where nested calls end", () => {
    expect(() => run('builtins.deepSeq { a = [ { b = throw "deep"; } ]; } 1')).toThrow("deep");
    const nested = (levels: number): string =>
      `builtins.deepSeq (builtins.foldl' (acc: _: { inherit acc; }) null (builtins.genList (x: x) ${levels})) 1`;
    expect(run(nested(9_900))).toBe("1");
    expect(() => run(nested(100_000))).toThrow("stack overflow; max-call-depth exceeded");
  });
});

describe("JSON parser", () => {
  test("survives deep nesting", () => {
    const depth = 1_000_000;
    expect(() => parseJson("[".repeat(depth) + "]".repeat(depth))).not.toThrow();
    expect(() => parseJson("[".repeat(depth))).toThrow("unexpected end of input");
    expect(() => parseJson('{"a":'.repeat(100_000))).toThrow("unexpected end of input");
  });

  test("refuses what is no JSON", () => {
    for (const bad of [
      "",
      " ",
      "nul",
      "truex",
      "[1,]",
      "{,}",
      '{"a"}',
      '"\x01"',
      '"\\u00"',
      "+1",
      "1.",
      ".5",
      "0x1",
      "'a'",
      '"a',
      "NaN",
      '"\xff"',
      "[1]]",
      "1 2",
    ])
      expect(() => parseJson(bad), bad).toThrow("parse error");
  });

  test("keeps bytes, big integers and odd keys", () => {
    expect(run(`builtins.fromJSON ''{"__proto__": 9223372036854775807, "10": "é\\u00e9", "9": 1e2, "9": -0.5}''`)).toBe(
      '{ "10" = "éé"; "9" = -0.5; __proto__ = 9223372036854775807; }',
    );
    expect(() => run('builtins.fromJSON "18446744073709551615"')).toThrow("outside of Nix integer range");
  });
});

describe("TOML", () => {
  test("odd keys, 64 bits, dates", () => {
    expect(run('builtins.fromTOML "\\"__proto__\\" = 9223372036854775807\\n10 = 1.5"')).toBe(
      '{ "10" = 1.5; __proto__ = 9223372036854775807; }',
    );
    expect(() => run('builtins.fromTOML "a = 9223372036854775808"')).toThrow("while parsing TOML");
    expect(() => run('builtins.fromTOML "a = 2020-01-01"')).toThrow("Dates and times are not supported");
    expect(() => run('builtins.fromTOML "a = "')).toThrow("while parsing TOML");
  });
});

describe("regular expressions", () => {
  test("bad ones are refused", () => {
    for (const bad of [
      "*",
      "a|*",
      "(",
      ")",
      "[",
      "[]",
      "a{",
      "a{2,1}",
      "{1}",
      "\\d",
      "a\\",
      "[z-a]",
      "[[:x:]]",
      "[a-c-e]",
      "^*",
    ])
      expect(() => new Matcher(bad), bad).toThrow();
    expect(() => run('builtins.match "a{99999}{99999}" "a"')).toThrow("memory limit exceeded");
    expect(() => run(`builtins.match "${"(".repeat(5000)}" "a"`)).toThrow("memory limit exceeded");
  });

  test("long texts", () => {
    expect(new Matcher("[^\n]*\n(.*)").match(`${"a".repeat(1_000_000)}\nb`)).toEqual(["b"]);
    expect([...new Matcher(",").matches(",".repeat(100_000))].length).toBe(100_000);
  });

  test("JavaScript's special characters mean nothing", () => {
    expect(new Matcher("a-/b").match("a-/b")).toEqual([]);
    expect(new Matcher("[$&/]+").match("$&/")).toEqual([]);
    expect(new Matcher("(a)\\.(b)").match("a.b")).toEqual(["a", "b"]);
  });
});

describe("sorting", () => {
  test("is stable and sorts", () => {
    const items = Array.from({ length: 500 }, (_, i) => ({ key: (i * 7919) % 13, at: i }));
    const expected = [...items].sort((a, b) => a.key - b.key || a.at - b.at);
    peeksort(items, (a, b) => a.key < b.key);
    expect(items).toEqual(expected);
  });

  test("an absurd order still gives a permutation", () => {
    let state = 1;
    const items = Array.from({ length: 300 }, (_, i) => i);
    peeksort(items, () => (state = (state * 48271) % 2147483647) % 2 === 0);
    expect([...items].sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });
});

test("versions", () => {
  expect(splitVersion("1.2pre3-a")).toEqual(["1", "2", "pre", "3", "a"]);
  expect(compareVersions("2.3pre1", "2.3")).toBe(-1);
  expect(compareVersions("2.3.1", "2.3a")).toBe(1);
  expect(compareVersions("1", "1")).toBe(0);
});

describe("limits", () => {
  test("a list of a billion elements is refused", () => {
    expect(() => run("builtins.genList (x: x) 1000000000")).toThrow("out of memory");
  });
});

describe("files", () => {
  const files = { "/dir/a.nix": "{ x = y; }", "/dir/b": "text", "/dir/nul": "a\0b" };

  test("reading, listing, importing with a scope", () => {
    const host = (): MemoryHost => new MemoryHost({ files });
    expect(run("builtins.readFile /dir/b", host())).toBe('"text"');
    expect(run("builtins.readDir /dir", host())).toBe('{ "a.nix" = "regular"; b = "regular"; nul = "regular"; }');
    expect(run("(scopedImport { y = 5; } /dir/a.nix).x", host())).toBe("5");
    expect(
      run('[ (builtins.pathExists /dir/b) (builtins.pathExists "/dir/b/") (builtins.pathExists "/dir/") ]', host()),
    ).toBe("[ true false true ]");
    expect(() => run("builtins.readFile /dir/nul", host())).toThrow("cannot be represented as a Nix string");
    expect(() => run("builtins.readFile /dir/none", host())).toThrow("path '/dir/none' does not exist");
    expect(() => run("builtins.readDir /dir/b", host())).toThrow("Not a directory");
    expect(() => run('builtins.readFile "b"', host())).toThrow("string 'b' doesn't represent an absolute path");
  });

  test("reading an output of a derivation asks for its build", () => {
    const built: string[] = [];
    class Building extends MemoryHost {
      override realise(context: ReadonlySet<string>): void {
        built.push(...context);
        this.addFile("/nix/store/dxf718d43nfd27n0ks5dv1yyq75xv2yk-a", "built");
      }
    }
    expect(run('builtins.readFile (derivation { name = "a"; system = "s"; builder = "b"; })', new Building())).toBe(
      '"built"',
    );
    expect(built).toEqual(["!out!/nix/store/pn5w9v350w6b152fg17i8iinyi3g0di4-a.drv"]);
  });
});

describe("derivations", () => {
  test("are lazy: nothing is written before a path is needed", () => {
    const host = new MemoryHost();
    expect(run('(derivation { name = "a"; system = throw "no"; builder = "b"; }).name', host)).toBe('"a"');
    expect(host.derivations.size).toBe(0);
  });

  test("are handed to the host with their inputs", () => {
    const host = new MemoryHost();
    const drvPath = run(
      'let a = derivation { name = "a"; system = "s"; builder = "b"; outputs = [ "out" "dev" ]; }; in (derivation { name = "c"; system = "s"; builder = "b"; args = [ 1 ]; x = "${a.dev} ${a}"; s = builtins.toFile "f" "t"; }).drvPath',
      host,
    ).slice(1, -1);
    const derivation = host.derivations.get(drvPath)!;
    expect([...derivation.inputDrvs.values()]).toEqual([["dev", "out"]]);
    expect(derivation.inputSrcs).toHaveLength(1);
    expect(derivation.args).toEqual(["1"]);
    expect(derivation.env.get("out")).toBe(derivation.outputs.get("out")!.path);
    expect(derivation.env.has("args")).toBe(false);
  });

  test("import of a .drv file gives its outputs", () => {
    expect(
      run(
        'let d = derivation { name = "a"; system = "s"; builder = "b"; outputs = [ "dev" "out" ]; }; i = import d.drvPath; in [ (i.out.outPath == d.out.outPath) i.type i.name (map (x: x.outputName) i.all) ]',
      ),
    ).toBe('[ true "derivation" "a" [ "dev" "out" ] ]');
  });

  test("unsupported kinds are refused", () => {
    expect(() =>
      run('(derivation { name = "a"; system = "s"; builder = "b"; __contentAddressed = true; }).outPath'),
    ).toThrow("ca-derivations");
  });
});

describe("fetchers", () => {
  test("pass plain requests to the host", () => {
    const seen: unknown[] = [];
    class Fetching extends MemoryHost {
      override fetchTree(request: ReadonlyMap<string, string | number | boolean>) {
        seen.push(Object.fromEntries(request));
        return {
          outPath: "/nix/store/00000000000000000000000000000000-source",
          attributes: new Map([["rev", "1".repeat(40)]]),
        };
      }
      override fetchUrl(request: { readonly url: string; readonly name: string }): string {
        seen.push([request.url, request.name]);
        return "/nix/store/00000000000000000000000000000000-x";
      }
    }
    expect(
      run(
        `builtins.getContext (builtins.fetchGit { url = "/repo"; rev = "${"1".repeat(40)}"; submodules = true; }).outPath`,
        new Fetching(),
      ),
    ).toContain("path = true");
    run('builtins.fetchTree { type = "git"; url = "https://example.org/r"; }', new Fetching());
    run('builtins.fetchurl "https://example.org/a/x.tar.gz"', new Fetching());
    run('builtins.fetchTarball { url = "https://example.org/x.tar.gz"; }', new Fetching());
    expect(seen).toEqual([
      { type: "git", url: "file:///repo", rev: "1".repeat(40), submodules: true },
      { type: "git", url: "https://example.org/r", shallow: true },
      ["https://example.org/a/x.tar.gz", "x.tar.gz"],
      ["https://example.org/x.tar.gz", "source"],
    ]);
  });

  test("mercurial is refused", () => {
    expect(() => run('builtins.fetchMercurial "https://example.org"')).toThrow("not supported");
  });
});
