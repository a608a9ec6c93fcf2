/** Version specifiers: `>=1.0,<2`, `~=1.4.2`, `==1.*`, `===anything` (PEP 440). */
import { PythonSyntaxError } from "./errors.ts";
import {
  compareNumeric,
  comparePublic,
  compareRelease,
  compareVersions,
  formatVersion,
  isPreRelease,
  type Version,
  tryParseVersion,
} from "./version.ts";

export type Operator = "~=" | "==" | "!=" | "<=" | ">=" | "<" | ">" | "===";

export interface Specifier {
  readonly operator: Operator;
  /** What follows the operator, as written, trimmed. */
  readonly text: string;
  /** Undefined for `===`. */
  readonly version: Version | undefined;
  /** `.*` at the end of `==` and `!=`. */
  readonly wildcard: boolean;
}

/** Undefined if the text is no single specifier. */
export function tryParseSpecifier(text: string): Specifier | undefined {
  const match = /^\s*(~=|===|==|!=|<=|>=|<|>)\s*(\S+?)\s*$/.exec(text);
  if (match === null) return undefined;
  const operator = match[1] as Operator;
  const rest = match[2]!;
  if (operator === "===") return { operator, text: rest, version: undefined, wildcard: false };
  const wildcard = (operator === "==" || operator === "!=") && rest.endsWith(".*");
  const version = tryParseVersion(wildcard ? rest.slice(0, -2) : rest);
  if (version === undefined) return undefined;
  if (wildcard && (isPreRelease(version) || version.post !== undefined || version.local !== undefined))
    return undefined;
  if (version.local !== undefined && operator !== "==" && operator !== "!=") return undefined;
  if (operator === "~=" && version.release.length < 2) return undefined;
  return { operator, text: rest, version, wildcard };
}

/**
 * Reads a comma-separated list; an empty one holds for every version.
 * @throws PythonSyntaxError naming the part that is wrong
 */
export function parseSpecifiers(text: string): Specifier[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => {
      const specifier = tryParseSpecifier(part);
      if (specifier === undefined)
        throw new PythonSyntaxError(`"${part}" is not a version specifier`, {
          hint: "Specifiers look like >=1.0, ==2.*, ~=1.4 or !=1.3 (PEP 440); several are separated by commas.",
        });
      return specifier;
    });
}

export interface SatisfiesOptions {
  /** Whether pre-releases may match. Unless set: if the specifiers themselves name one. */
  readonly preReleases?: boolean | undefined;
}

/** Whether a version satisfies all specifiers. */
export function satisfies(version: Version, specifiers: readonly Specifier[], options: SatisfiesOptions = {}): boolean {
  if (isPreRelease(version)) {
    const allowed = options.preReleases ?? specifiers.some(namesPreRelease);
    if (!allowed) return false;
  }
  return specifiers.every((specifier) => holds(version, specifier));
}

function namesPreRelease({ operator, text, version }: Specifier): boolean {
  if (operator === "!=") return false;
  const named = version ?? tryParseVersion(text);
  return named !== undefined && isPreRelease(named);
}

function holds(version: Version, specifier: Specifier): boolean {
  const { operator, text } = specifier;
  if (operator === "===") return formatVersion(version).toLowerCase() === text.toLowerCase();
  const wanted = specifier.version!;
  switch (operator) {
    case "==":
      return equals(version, specifier);
    case "!=":
      return !equals(version, specifier);
    case "~=":
      return (
        comparePublic(version, wanted) >= 0 && startsWith(version, { ...wanted, release: wanted.release.slice(0, -1) })
      );
    case "<=":
      return comparePublic(version, wanted) <= 0;
    case ">=":
      return comparePublic(version, wanted) >= 0;
    case "<":
      // `<3.1` leaves 3.1's own pre-releases out, unless it names one.
      return (
        compareVersions(version, wanted) < 0 &&
        !(isPreRelease(version) && !isPreRelease(wanted) && sameBase(version, wanted))
      );
    case ">":
      // `>3.1` leaves 3.1.post1 and 3.1+local out.
      if (compareVersions(version, wanted) <= 0) return false;
      if (version.post !== undefined && wanted.post === undefined && sameBase(version, wanted)) return false;
      return version.local === undefined || !sameBase(version, wanted);
  }
}

function equals(version: Version, specifier: Specifier): boolean {
  const wanted = specifier.version!;
  if (specifier.wildcard) return startsWith(version, wanted);
  return wanted.local === undefined ? comparePublic(version, wanted) === 0 : compareVersions(version, wanted) === 0;
}

function sameBase(a: Version, b: Version): boolean {
  return compareNumeric(a.epoch, b.epoch) === 0 && compareRelease(a.release, b.release) === 0;
}

/** Prefix match of `==1.2.*`: epoch and release numbers. */
function startsWith(version: Version, prefix: Version): boolean {
  if (compareNumeric(version.epoch, prefix.epoch) !== 0) return false;
  return prefix.release.every((number, i) => compareNumeric(version.release[i] ?? 0, number) === 0);
}
