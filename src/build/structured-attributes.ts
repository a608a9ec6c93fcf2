/** `.attrs.json` and `.attrs.sh`: what a builder with structured attributes gets, byte for byte as Nix writes it. */
import { fromBytes, toBytes } from "./derivation-options.ts";

/** A JSON object's members, their values as they are written: numbers keep their digits. */
export function splitObject(json: string): Map<string, string> {
  const members = new Map<string, string>();
  const space = /\s*/y;
  let at = 0;
  const skip = (): void => {
    space.lastIndex = at;
    space.test(json);
    at = space.lastIndex;
  };
  const stringEnd = (from: number): number => {
    let i = from + 1;
    while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
    return i + 1;
  };
  skip();
  at++;
  for (;;) {
    skip();
    if (json[at] === "}" || at >= json.length) return members;
    if (json[at] === ",") {
      at++;
      continue;
    }
    const keyEnd = stringEnd(at);
    const key = JSON.parse(json.slice(at, keyEnd)) as string;
    at = keyEnd;
    skip();
    at++;
    skip();
    const start = at;
    for (let depth = 0; at < json.length;) {
      const character = json[at]!;
      if (character === '"') {
        at = stringEnd(at);
        continue;
      }
      if (character === "[" || character === "{") depth++;
      else if (character === "]" || character === "}") {
        if (depth === 0) break;
        depth--;
      } else if (character === "," && depth === 0) break;
      at++;
    }
    members.set(key, json.slice(start, at).trimEnd());
  }
}

/**
 * The two files, as byte strings. `json` is the derivation's `__json`; the additions replace its members: `outputs`, and
 * the graphs of `exportReferencesGraph`.
 */
export function structuredFiles(
  json: string,
  additions: ReadonlyMap<string, unknown>,
): { readonly json: string; readonly shell: string } {
  const members = splitObject(fromBytes(json));
  for (const [key, value] of additions) members.set(key, JSON.stringify(value));
  // As Nix, whose objects are ordered by the bytes of their keys.
  const keys = [...members.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return {
    json: toBytes(`{${keys.map((key) => `${JSON.stringify(key)}:${members.get(key)!}`).join(",")}}`),
    shell: toBytes(keys.map((key) => declaration(key, members.get(key)!)).join("")),
  };
}

function declaration(key: string, raw: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return "";
  const value: unknown = JSON.parse(raw);
  const simple = shellWord(value);
  if (simple !== undefined) return `declare ${key}=${simple}\n`;
  if (Array.isArray(value)) {
    const items = value.map(shellWord);
    return items.includes(undefined) ? "" : `declare -a ${key}=(${items.map((item) => `${item} `).join("")})\n`;
  }
  if (typeof value !== "object" || value === null) return "";
  const keys = Object.keys(value).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const items = keys.map((name) => [quote(name), shellWord((value as Record<string, unknown>)[name])] as const);
  return items.some(([, word]) => word === undefined)
    ? ""
    : `declare -A ${key}=(${items.map(([name, word]) => `[${name}]=${word} `).join("")})\n`;
}

/** Undefined for what a shell variable cannot hold: sets, lists, fractions. */
function shellWord(value: unknown): string | undefined {
  if (typeof value === "string") return quote(value);
  // Nix casts to a C int.
  if (typeof value === "number") return Number.isInteger(value) ? `${BigInt.asIntN(32, BigInt(value))}` : undefined;
  if (value === null) return "''";
  if (typeof value === "boolean") return value ? "1" : "";
  return undefined;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
