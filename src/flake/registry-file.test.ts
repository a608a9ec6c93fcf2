import { expect, it } from "vitest";
import { formatReference } from "./format.ts";
import { parseReference, referenceToAttributes } from "./reference.ts";
import { formatRegistry, lookUpInRegistry, parseRegistry, type RegistryEntry } from "./registry-file.ts";

const entry = (from: string, to: string, exact = false): RegistryEntry => ({
  from: referenceToAttributes(parseReference(from)),
  to: referenceToAttributes(parseReference(to)),
  exact,
});
const found = (reference: string, ...entries: RegistryEntry[]): string | undefined => {
  const result = lookUpInRegistry(parseReference(reference), entries);
  return result === undefined ? undefined : formatReference(result);
};

it("is read and written as Nix does", () => {
  const text = `{
  "flakes": [
    {
      "from": {
        "id": "foo",
        "type": "indirect"
      },
      "to": {
        "dir": "sub",
        "path": "/a",
        "type": "path"
      }
    }
  ],
  "version": 2
}`;
  expect(formatRegistry(parseRegistry(text, "r.json"))).toBe(text);
  expect(formatRegistry([entry("foo", "path:/a?dir=sub")])).toBe(text);
});

it("refuses what is none", () => {
  for (const text of ["{", "[]", '{"version":1,"flakes":[]}', '{"version":2}', '{"version":2,"flakes":[{"from":{}}]}'])
    expect(() => parseRegistry(text, "r.json"), text).toThrow("'r.json' is no flake registry");
  const nonsense = '{"version":2,"flakes":[{"from":{"type":"indirect","id":"x"},"to":{"path":"no type"}}]}';
  expect(() => parseRegistry(nonsense, "r.json")).toThrow();
});

it("follows entries, and keeps the branch that a name came with", () => {
  const entries = [
    entry("a", "b"),
    entry("b", "github:o/r"),
    entry("c/main", "path:/main"),
    entry("d", "path:/d", true),
  ];
  expect(found("a", ...entries)).toBe("github:o/r");
  expect(found("b/dev", ...entries)).toBe("github:o/r/dev");
  expect(found("c/main", ...entries)).toBe("path:/main");
  expect(found("c", ...entries)).toBeUndefined();
  expect(found("d/x", ...entries)).toBeUndefined();
  expect(found("flake:a?dir=sub", ...entries)).toBe("github:o/r?dir=sub");
  expect(() => found("a", entry("a", "b"), entry("b", "a"))).toThrow("cycle detected");
});
