import { describe, expect, it } from "vitest";
import type { Activity } from "../base/index.ts";
import { derivationOptions } from "./derivation-options.ts";
import { BuildLog } from "./log.ts";
import { splitObject, structuredFiles } from "./structured-attributes.ts";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

describe("splitObject()", () => {
  it("keeps values as they are written", () => {
    expect([...splitObject('{ "a" : [1, {"b":"}]"}], "c\\"":2.50 ,"d":12345678901234567890,"e":"x,\\\\"}')]).toEqual([
      ["a", '[1, {"b":"}]"}]'],
      ['c"', "2.50"],
      ["d", "12345678901234567890"],
      ["e", '"x,\\\\"'],
    ]);
    expect([...splitObject("{}")]).toEqual([]);
  });
});

describe("structuredFiles()", () => {
  const files = (json: string) => structuredFiles(json, new Map([["outputs", { out: "/o" }]]));
  it("sorts by bytes, adds, keeps numbers", () => {
    expect(files('{"z":1.0,"A":3000000000,"outputs":1}').json).toBe('{"A":3000000000,"outputs":{"out":"/o"},"z":1.0}');
  });
  it("declares what a shell can hold", () => {
    const { shell } = files(
      '{"a b":1,"b":true,"c":false,"d":null,"e":1.5,"f":["x",[1]],"g":["it\'s",2],"h":{"k v":1},"i":{"j":[]},"k":[]}',
    );
    expect(shell).toBe(
      "declare b=1\ndeclare c=\ndeclare d=''\ndeclare -a g=('it'\\''s' 2 )\ndeclare -A h=(['k v']=1 )\ndeclare -a k=()\ndeclare -A outputs=(['out']='/o' )\n",
    );
  });
});

describe("derivationOptions()", () => {
  const options = (env: Record<string, string>) =>
    derivationOptions("/nix/store/x.drv", {
      name: "x",
      outputs: new Map(),
      inputDrvs: new Map(),
      inputSrcs: [],
      system: "x",
      builder: "x",
      args: [],
      env: new Map(Object.entries(env)),
    });
  it("tells an empty list from none", () => {
    expect(options({}).checksOf("out").allowedReferences).toBeUndefined();
    expect(options({ allowedReferences: "" }).checksOf("out").allowedReferences).toEqual([]);
    expect(options({ passAsFile: " a\n b " }).passAsFile).toEqual(new Set(["a", "b"]));
  });
  it("refuses nonsense", () => {
    expect(() => options({ __json: "{" })).toThrow(/no JSON/);
    expect(() => options({ __json: "[]" })).toThrow(/no JSON object/);
    expect(() => options({ __json: '{"impureEnvVars":[1]}' })).toThrow(/no list of strings/);
    expect(() => options({ exportReferencesGraph: "a" })).toThrow(/odd number/);
    expect(() => options({ exportReferencesGraph: "../a /nix/store/x" })).toThrow(/no file name/);
  });
  it("reads structured attributes", () => {
    const it = options({
      __json:
        '{"outputChecks":{"out":{"maxSize":5,"disallowedReferences":["x"]}},"requiredSystemFeatures":["kvm"],"unsafeDiscardReferences":{"out":true}}',
    });
    expect(it.checksOf("out")).toMatchObject({ maxSize: 5, disallowedReferences: ["x"] });
    expect(it.checksOf("dev")).toMatchObject({ disallowedReferences: [] });
    expect(it.requiredSystemFeatures).toEqual(["kvm"]);
    expect([it.discardsReferences("out"), it.discardsReferences("dev")]).toEqual([true, false]);
  });
});

describe("BuildLog", () => {
  it("splits lines over pieces, follows phases, remembers the last lines, writes everything", () => {
    const directory = mkdtempSync(join(tmpdir(), "d2n-log-"));
    try {
      const seen: string[] = [];
      const activity = {
        log: (line: string) => seen.push(line),
        phase: (phase: string) => seen.push(`[${phase}]`),
      } as unknown as Activity;
      const text = 'one\ntw\u00f6\r\n10%\r50%\r100%\n@nix {"action":"setPhase","phase":"p"}\n@nix broken\nlast';
      const path = join(directory, "a/b/log");
      {
        using log = new BuildLog(path, activity, 2);
        const bytes = Buffer.from(text);
        for (let i = 0; i < bytes.length; i += 3) log.write(bytes.subarray(i, i + 3));
        expect(log.phase).toBe("p");
        log[Symbol.dispose]();
        expect(log.tail).toEqual(["@nix broken", "last"]);
      }
      expect(seen).toEqual(["one", "tw\u00f6", "100%", "[p]", "@nix broken", "last"]);
      expect(readFileSync(path, "utf8")).toBe(text);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
