/** Versions: PEP 440, as the packaging specifications define them today. */
import { PythonSyntaxError } from "./errors.ts";

/** Numbers of a version: exact, whatever their size. */
export type Numeric = number | bigint;

export interface Version {
  readonly epoch: Numeric;
  readonly release: readonly Numeric[];
  /** `a`, `b` or `rc` and its number. */
  readonly pre: readonly [letter: "a" | "b" | "rc", number: Numeric] | undefined;
  readonly post: Numeric | undefined;
  readonly dev: Numeric | undefined;
  /** Segments after `+`: numbers, or lower-case texts. */
  readonly local: readonly (Numeric | string)[] | undefined;
}

const pattern = new RegExp(
  "^\\s*v?(?:([0-9]+)!)?([0-9]+(?:\\.[0-9]+)*)" +
    "([-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?([0-9]+)?)?" +
    "(-([0-9]+)|[-_.]?(post|rev|r)[-_.]?([0-9]+)?)?" +
    "([-_.]?dev[-_.]?([0-9]+)?)?" +
    "(?:\\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?\\s*$",
  "i",
);

const preLetters: Readonly<Record<string, "a" | "b" | "rc">> = {
  alpha: "a",
  a: "a",
  beta: "b",
  b: "b",
  c: "rc",
  rc: "rc",
  pre: "rc",
  preview: "rc",
};

function numeric(digits: string | undefined): Numeric {
  if (digits === undefined) return 0;
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : BigInt(digits);
}

/** Undefined if the text is no version of PEP 440. */
export function tryParseVersion(text: string): Version | undefined {
  // A version of this length is an attack on the regular expression or on whoever compares it.
  if (text.length > 1000) return undefined;
  const match = pattern.exec(text);
  if (match === null) return undefined;
  return {
    epoch: numeric(match[1]),
    release: match[2]!.split(".").map(numeric),
    pre: match[3] === undefined ? undefined : [preLetters[match[4]!.toLowerCase()]!, numeric(match[5])],
    post: match[6] === undefined ? undefined : numeric(match[7] ?? match[9]),
    dev: match[10] === undefined ? undefined : numeric(match[11]),
    local: match[12]
      ?.toLowerCase()
      .split(/[-_.]/)
      .map((part) => (/^[0-9]+$/.test(part) ? numeric(part) : part)),
  };
}

/** @throws PythonSyntaxError */
export function parseVersion(text: string): Version {
  const version = tryParseVersion(text);
  if (version === undefined)
    throw new PythonSyntaxError(`"${text}" is not a version`, {
      hint: "Versions look like 1.0, 2.1.3rc1 or 1!2.0.post1+local (PEP 440).",
    });
  return version;
}

/** The normal form: `1.0RC-1` becomes `1.0rc1`. */
export function formatVersion(version: Version): string {
  const { local } = version;
  return publicVersion(version) + (local === undefined ? "" : `+${local.join(".")}`);
}

/** The normal form without the local part. */
export function publicVersion(version: Version): string {
  const { pre, post, dev } = version;
  return (
    baseVersion(version) +
    (pre === undefined ? "" : pre[0] + pre[1]) +
    (post === undefined ? "" : `.post${post}`) +
    (dev === undefined ? "" : `.dev${dev}`)
  );
}

/** Epoch and release only. */
export function baseVersion({ epoch, release }: Version): string {
  return (epoch > 0 ? `${epoch}!` : "") + release.join(".");
}

export function isPreRelease({ pre, dev }: Version): boolean {
  return pre !== undefined || dev !== undefined;
}

export function compareNumeric(a: Numeric, b: Numeric): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Negative, zero or positive; the order of PEP 440, local parts included. */
export function compareVersions(a: Version, b: Version): number {
  return comparePublic(a, b) || compareLocal(a.local, b.local);
}

/** As `compareVersions`, as if neither had a local part. */
export function comparePublic(a: Version, b: Version): number {
  return (
    compareNumeric(a.epoch, b.epoch) ||
    compareRelease(a.release, b.release) ||
    comparePhase(a, b) ||
    // No post-release sorts before any, no dev release after any.
    compareNumeric(a.post ?? -1, b.post ?? -1) ||
    compareDev(a.dev, b.dev)
  );
}

/** Trailing zeros do not count. */
export function compareRelease(a: readonly Numeric[], b: readonly Numeric[]): number {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareNumeric(a[i] ?? 0, b[i] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

/** 1.0.dev1 < 1.0a1 < 1.0b1 < 1.0rc1 < 1.0 (and 1.0.post1). */
function comparePhase(a: Version, b: Version): number {
  const rank = ({ pre, post, dev }: Version): number =>
    pre !== undefined ? { a: 1, b: 2, rc: 3 }[pre[0]] : post === undefined && dev !== undefined ? 0 : 4;
  return rank(a) - rank(b) || compareNumeric(a.pre?.[1] ?? 0, b.pre?.[1] ?? 0);
}

function compareDev(a: Numeric | undefined, b: Numeric | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  return compareNumeric(a, b);
}

/** Numbers sort after texts; the shorter of two with the same start comes first. */
function compareLocal(a: Version["local"], b: Version["local"]): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const x = a[i]!;
    const y = b[i]!;
    if (typeof x === "string" || typeof y === "string") {
      if (typeof x !== typeof y && (typeof x !== "string" || typeof y !== "string"))
        return typeof x === "string" ? -1 : 1;
      if (x !== y) return x < y ? -1 : 1;
    } else {
      const order = compareNumeric(x, y);
      if (order !== 0) return order;
    }
  }
  return a.length - b.length;
}
