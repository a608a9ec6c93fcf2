/**
 * Which wheels an interpreter takes, and which of them rather: the order of tags that `packaging.tags.sys_tags` gives, after
 * PEP 425, PEP 600 (manylinux), PEP 656 (musllinux) and the rules for macOS.
 */
import { parseWheelName, type WheelName } from "./distribution-name.ts";
import { PythonSyntaxError } from "./errors.ts";

export interface WheelTarget {
  /** `3.13.5`. */
  readonly pythonVersion: string;
  /** `x86_64-linux`. */
  readonly system: string;
  /** `cpython` unless given. */
  readonly implementation?: string | undefined;
  /** The C library of Linux, `2.41`; of macOS the system's version, `14.0`. */
  readonly libraryVersion: string;
  /** Whether the C library is musl. */
  readonly musl?: boolean | undefined;
}

/** Tag (`cp313-cp313-manylinux_2_17_x86_64`) to its place: the lower the better. */
export type WheelRanks = ReadonlyMap<string, number>;

/** The oldest glibc that wheels are made for: 2.5 on x86, 2.17 elsewhere. */
const oldestGlibcMinor = (machine: string): number => (machine === "x86_64" || machine === "i686" ? 5 : 17);

/** Names from before PEP 600, and the glibc that they stand for. */
const legacyManylinux: ReadonlyMap<number, string> = new Map([
  [17, "manylinux2014"],
  [12, "manylinux2010"],
  [5, "manylinux1"],
]);

export function wheelRanks(target: WheelTarget): WheelRanks {
  const [major, minor] = numbers(target.pythonVersion);
  const platforms = platformTags(target);
  const pypy = target.implementation === "pypy";
  const own = pypy ? `pp${major}${minor}` : `cp${major}${minor}`;
  const ranks = new Map<string, number>();
  const add = (interpreter: string, abi: string, platform: string): void => {
    const tag = `${interpreter}-${abi}-${platform}`;
    if (!ranks.has(tag)) ranks.set(tag, ranks.size);
  };
  const addAll = (interpreter: string, abi: string): void => {
    for (const platform of platforms) add(interpreter, abi, platform);
  };

  if (pypy) {
    addAll(own, `pypy${major}${minor}_pp73`);
    addAll(own, "none");
  } else {
    // Before 3.8 the ABI says how memory is allocated.
    addAll(own, major === 3 && minor < 8 ? `${own}m` : own);
    const stable = major === 3 && minor >= 2;
    if (stable) addAll(own, "abi3");
    addAll(own, "none");
    if (stable) for (let older = minor - 1; older >= 2; older--) addAll(`cp${major}${older}`, "abi3");
  }
  const generic = [`py${major}${minor}`, `py${major}`];
  for (let older = minor - 1; older >= 0; older--) generic.push(`py${major}${older}`);
  for (const interpreter of generic) addAll(interpreter, "none");
  add(own, "none", "any");
  for (const interpreter of generic) add(interpreter, "none", "any");
  return ranks;
}

/** The platform's tags, the most particular first. */
function platformTags({ system, libraryVersion, musl = false }: WheelTarget): string[] {
  const machine = system.slice(0, system.lastIndexOf("-"));
  const [major, minor] = numbers(libraryVersion);
  if (system.endsWith("-darwin")) return macosTags(machine === "aarch64" ? "arm64" : machine, major, minor);
  const tags: string[] = [];
  if (musl) for (let at = minor; at >= 0; at--) tags.push(`musllinux_${major}_${at}_${machine}`);
  else
    for (let at = minor; at >= oldestGlibcMinor(machine); at--) {
      tags.push(`manylinux_${major}_${at}_${machine}`);
      const legacy = legacyManylinux.get(at);
      if (legacy !== undefined) tags.push(`${legacy}_${machine}`);
    }
  return [...tags, `linux_${machine}`];
}

function macosTags(machine: string, major: number, minor: number): string[] {
  const formats =
    machine === "arm64" ? ["arm64", "universal2"] : ["x86_64", "intel", "fat64", "fat3", "universal2", "universal"];
  const older = machine === "arm64" ? ["universal2"] : formats;
  const tags: string[] = [];
  for (let at = major; at >= 11; at--) for (const format of formats) tags.push(`macosx_${at}_0_${format}`);
  for (let at = major === 10 ? minor : 16; at >= 4; at--)
    for (const format of older) tags.push(`macosx_10_${at}_${format}`);
  return tags;
}

function numbers(version: string): [number, number] {
  const match = /^(\d+)\.(\d+)/.exec(version);
  if (match === null)
    throw new PythonSyntaxError(`"${version}" does not begin with two numbers`, {
      hint: "The versions of Python and of the C library decide which wheels fit.",
    });
  return [Number(match[1]), Number(match[2])];
}

/** The place of a wheel's best tag; undefined if it does not fit. */
export function rankOfWheel(wheel: WheelName, ranks: WheelRanks): number | undefined {
  let best: number | undefined;
  for (const { interpreter, abi, platform } of wheel.tags) {
    const rank = ranks.get(`${interpreter}-${abi}-${platform}`);
    if (rank !== undefined && (best === undefined || rank < best)) best = rank;
  }
  return best;
}

/** Reads a wheel's name; undefined if it is none. */
export function tryParseWheelName(fileName: string): WheelName | undefined {
  try {
    return parseWheelName(fileName);
  } catch (error) {
    if (error instanceof PythonSyntaxError) return undefined;
    throw error;
  }
}

/** Of the file names that of the wheel that fits best, of equals that with the highest build number; undefined if none fits. */
export function bestWheel(fileNames: readonly string[], ranks: WheelRanks): string | undefined {
  let best: { readonly fileName: string; readonly rank: number; readonly wheel: WheelName } | undefined;
  for (const fileName of fileNames) {
    const wheel = tryParseWheelName(fileName);
    const rank = wheel === undefined ? undefined : rankOfWheel(wheel, ranks);
    if (wheel === undefined || rank === undefined) continue;
    if (best === undefined || rank < best.rank || (rank === best.rank && compareBuilds(wheel, best.wheel) > 0))
      best = { fileName, rank, wheel };
  }
  return best?.fileName;
}

function compareBuilds(a: WheelName, b: WheelName): number {
  const [x, restX] = a.build ?? [-1, ""];
  const [y, restY] = b.build ?? [-1, ""];
  return x - y || (restX < restY ? -1 : restX > restY ? 1 : 0);
}
