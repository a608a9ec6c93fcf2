/** `nix path-info`, `nix why-depends`, `nix store diff-closures`: what the store knows of paths. */
import { formatHash, parseHash, storePathBase, storePathHashPart, storePathName } from "../../formats/index.ts";
import type { Context } from "../context.ts";
import { entryOnDisk, type Entry } from "./listing.ts";

/** Bytes of the NARs of a path and of all that it refers to. */
export async function closureSize(context: Context, path: string): Promise<number> {
  const store = await context.store();
  let size = 0;
  for (const one of await store.closure([path])) size += (await store.queryPathInfo(one)).narSize;
  return size;
}

/** In the form of `--json`. @param version 1: whole paths as keys; 2: their base names */
export async function pathInformation(
  context: Context,
  paths: readonly string[],
  { version, withClosure }: { readonly version: 1 | 2; readonly withClosure: boolean },
): Promise<unknown> {
  const store = await context.store();
  const key = (path: string): string => (version === 1 ? path : storePathBase(path));
  const all: Record<string, unknown> = {};
  for (const path of [...new Set(paths)].sort()) {
    const info = await store.findPathInfo(path);
    all[key(path)] =
      info === undefined
        ? null
        : {
            ca: info.ca === undefined ? null : version === 1 ? info.ca : structuredAddress(info.ca),
            ...(withClosure ? { closureSize: await closureSize(context, path) } : {}),
            deriver: info.deriver === undefined ? null : key(info.deriver),
            narHash: formatHash(info.narHash, "sri"),
            narSize: info.narSize,
            references: [...info.references].sort().map(key),
            registrationTime: info.registrationTime,
            signatures: info.signatures,
            storeDir: store.storeDir,
            ultimate: info.ultimate,
            version,
          };
  }
  return version === 1 ? all : { info: all, storeDir: store.storeDir, version };
}

function structuredAddress(ca: string): unknown {
  const [, method = "", hash = ""] = /^(text|fixed:r|fixed:git|fixed):(.*)$/.exec(ca) ?? [];
  const names: Readonly<Record<string, string>> = { text: "text", "fixed:r": "nar", "fixed:git": "git", fixed: "flat" };
  return { hash: sri(hash), method: names[method] };
}

function sri(prefixed: string): string {
  return formatHash(parseHash(prefixed), "sri");
}

export interface WhyOptions {
  readonly all: boolean;
  /** With the files that hold the references. */
  readonly precise: boolean;
}

/**
 * The ways from a path to another that it needs, the shortest first; undefined if there is none. Text with colours, as Nix's.
 */
export async function whyDepends(
  context: Context,
  from: string,
  to: string,
  { all, precise }: WhyOptions,
): Promise<string | undefined> {
  const store = await context.store();
  const closure = await store.closure([from]);
  if (!closure.has(to)) return undefined;
  const references = new Map<string, string[]>();
  const referrers = new Map<string, string[]>();
  for (const path of [...closure].sort()) {
    const list = [...(await store.queryPathInfo(path)).references].sort();
    references.set(path, list);
    for (const one of list) referrers.set(one, [...(referrers.get(one) ?? []), path]);
  }
  const distance = new Map([[to, 0]]);
  for (const [path, far] of distance)
    for (const referrer of referrers.get(path) ?? []) if (!distance.has(referrer)) distance.set(referrer, far + 1);
  const visited = new Set<string>();
  const lines: string[] = [];
  const grey = (path: string): string => (visited.has(path) ? "\u001b[38;5;244m" : "");
  const [last, next, space, line] = ["└───", "├───", "    ", "│   "] as const;
  /** True when the goal is reached and nothing more is wanted. */
  const visit = (path: string, pad: string): boolean => {
    if (precise) lines.push(`${pad}${grey(path)}${pad === "" ? "" : "→ "}${path}\u001b[0m`);
    if (path === to && !all && from !== to) return true;
    if (visited.has(path)) return false;
    if (precise) visited.add(path);
    const below = references
      .get(path)!
      .filter((one) => distance.has(one) && (one !== path || from === to))
      .sort((a, b) => distance.get(a)! - distance.get(b)!);
    const hits = precise ? filesWith(entryOnDisk(context.toPhysical(path)), below, to) : new Map<string, string[]>();
    for (const [i, one] of below.entries()) {
      const isLast = !all || i === below.length - 1;
      for (const [j, hit] of (hits.get(one) ?? []).slice(0, all ? undefined : 1).entries())
        lines.push(`${pad}${j === 0 ? (isLast ? last : next) : isLast ? space : line}${hit}`);
      if (!precise) {
        lines.push(`${pad}${grey(one)}${isLast ? last : next}${one}\u001b[0m`);
        visited.add(path);
      }
      if (visit(one, pad + (isLast ? space : line))) return true;
    }
    return false;
  };
  if (!precise) lines.push(from);
  visit(from, "");
  return `${lines.join("\n")}\n`;
}

/** For each path, the files of a tree that name it, with what is around the name. */
function filesWith(root: Entry, paths: readonly string[], goal: string): Map<string, string[]> {
  const hits = new Map<string, string[]>(paths.map((path) => [path, []]));
  const note = (path: string, text: string, at: number, show: (shown: string) => string): void => {
    const hash = storePathHashPart(path);
    const start = Math.max(0, at - 32);
    const colour = path === goal ? "\u001b[32;1m" : "\u001b[34;1m";
    const around = text.slice(start, at + hash.length + 32).replace(/[^\x20-\x7e]/g, ".");
    const offset = at - start;
    hits
      .get(path)!
      .push(
        show(
          `${around.slice(0, offset)}${colour}${around.slice(offset, offset + hash.length)}\u001b[0m${around.slice(offset + hash.length)}`,
        ),
      );
  };
  const visit = (entry: Entry, name: string): void => {
    if (entry.type === "directory") {
      for (const one of entry.names()) visit(entry.entry(one), name === "/" ? one : `${name}/${one}`);
      return;
    }
    const content = entry.type === "symlink" ? entry.target : Buffer.from(entry.contents()).toString("latin1");
    for (const path of paths) {
      const at = content.indexOf(storePathHashPart(path));
      if (at < 0) continue;
      if (entry.type === "symlink") note(path, content, at, () => `${name} -> ${content}`);
      else note(path, content, at, (around) => `${name}: …${around}…`);
    }
  };
  visit(root, "/");
  return hits;
}

/** What the closures of two paths differ in: versions of packages, and sizes (Nix: `diff-closures.cc`). */
export async function closureDifferences(context: Context, before: string, after: string): Promise<string> {
  const [first, second] = [await byName(context, before), await byName(context, after)];
  let text = "";
  for (const name of [...new Set([...first.keys(), ...second.keys()])].sort()) {
    const [old, now] = [first.get(name), second.get(name)];
    const delta = sum(now) - sum(old);
    const removed = [...(old?.keys() ?? [])].filter((version) => now?.has(version) !== true);
    const added = [...(now?.keys() ?? [])].filter((version) => old?.has(version) !== true);
    if (removed.length === 0 && added.length === 0 && Math.abs(delta) < 8 * 1024) continue;
    const items: string[] = [];
    if (removed.length > 0 || added.length > 0) items.push(`${versions(removed)} → ${versions(added)}`);
    if (Math.abs(delta) >= 8 * 1024)
      items.push(
        `\u001b[${delta > 0 ? 31 : 32};1m${delta > 0 ? "+" : "-"}${(Math.abs(delta) / 1024).toFixed(1)} KiB\u001b[0m`,
      );
    text += `${name}: ${items.join(", ")}\n`;
  }
  return text;
}

/** Name to version to bytes. */
async function byName(context: Context, path: string): Promise<Map<string, Map<string, number>>> {
  const store = await context.store();
  const all = new Map<string, Map<string, number>>();
  for (const one of [...(await store.closure([path]))].sort()) {
    const full = storePathName(one).replace(/-(bin|dev|out|lib|man|doc|info|debug|devdoc|devman)$/, "");
    const [, name = full, version = ""] = /^(.*?)(?:-([0-9].*))?$/.exec(full)!;
    const versionsOf = all.get(name) ?? new Map<string, number>();
    versionsOf.set(version, (versionsOf.get(version) ?? 0) + (await store.queryPathInfo(one)).narSize);
    all.set(name, versionsOf);
  }
  return all;
}

function sum(sizes: ReadonlyMap<string, number> | undefined): number {
  return [...(sizes?.values() ?? [])].reduce((all, one) => all + one, 0);
}

function versions(list: readonly string[]): string {
  return list.length === 0
    ? "∅"
    : [...list]
        .sort()
        .map((version) => (version === "" ? "ε" : version))
        .join(", ");
}
