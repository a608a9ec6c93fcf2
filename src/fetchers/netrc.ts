/** Credentials of a `.netrc` file, as curl and pip find them: `$NETRC`, else `~/.netrc`. */
import { readFile } from "node:fs/promises";
import type { Environment } from "./types.ts";

/** Gives the value of an Authorization header for a host, or undefined. */
export type Credentials = (host: string) => string | undefined;

export async function credentialsOf(environment: Environment): Promise<Credentials> {
  const path = environment.NETRC || (environment.HOME ? `${environment.HOME}/.netrc` : undefined);
  const text = path === undefined ? undefined : await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return () => undefined;
  const { machines, fallback } = parseNetrc(text);
  return (host) => {
    const entry = machines.get(host) ?? fallback;
    return entry === undefined
      ? undefined
      : `Basic ${Buffer.from(`${entry.login ?? ""}:${entry.password ?? ""}`).toString("base64")}`;
  };
}

interface NetrcEntry {
  login?: string;
  password?: string;
}

/** Reads netrc's words: `machine NAME login … password …`, `default`; `macdef` runs to the next empty line. */
export function parseNetrc(text: string): { machines: Map<string, NetrcEntry>; fallback: NetrcEntry | undefined } {
  const machines = new Map<string, NetrcEntry>();
  let fallback: NetrcEntry | undefined;
  let current: NetrcEntry | undefined;
  const words =
    text
      .replace(/^macdef\b[\s\S]*?(?:\n\s*\n|$(?![\s\S]))/gm, "")
      .replace(/^\s*#.*$/gm, "")
      .match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  const value = (word: string | undefined): string =>
    word === undefined ? "" : word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, "$1") : word;
  for (let i = 0; i < words.length; i++) {
    switch (words[i]) {
      case "machine": {
        current = {};
        const name = value(words[++i]);
        // The first entry of a machine counts.
        if (!machines.has(name)) machines.set(name, current);
        break;
      }
      case "default":
        current = {};
        fallback ??= current;
        break;
      case "login":
        if (current) current.login = value(words[++i]);
        break;
      case "password":
        if (current) current.password = value(words[++i]);
        break;
      case "account":
        i++;
        break;
      default:
    }
  }
  return { machines, fallback };
}
