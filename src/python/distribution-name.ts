/** File names of wheels and source distributions: PEP 427, PEP 425, PEP 625. */
import { PythonSyntaxError } from "./errors.ts";
import { canonicalName } from "./names.ts";
import { parseVersion, tryParseVersion, type Version } from "./version.ts";

export interface WheelTag {
  readonly interpreter: string;
  readonly abi: string;
  readonly platform: string;
}

export interface WheelName {
  /** Canonical name of the project. */
  readonly name: string;
  readonly version: Version;
  /** Number and rest, `1` and `abc` of `1abc`. */
  readonly build: readonly [number: number, text: string] | undefined;
  /** Every combination that a compressed set such as `py2.py3-none-any` stands for. */
  readonly tags: readonly WheelTag[];
}

/** @throws PythonSyntaxError */
export function parseWheelName(fileName: string): WheelName {
  if (!fileName.endsWith(".whl")) throw invalid(fileName, "it does not end in .whl");
  const parts = fileName.slice(0, -4).split("-");
  if (parts.length !== 5 && parts.length !== 6) throw invalid(fileName, `it has ${parts.length} parts, not 5 or 6`);
  const [name, version] = parts as [string, string];
  if (name.includes("__") || !/^[\w.]+$/u.test(name)) throw invalid(fileName, "its first part is no project name");
  const build = parts.length === 6 ? /^(\d+)(.*)$/.exec(parts[2]!) : undefined;
  if (build === null) throw invalid(fileName, "its build number does not begin with a digit");
  const [interpreters, abis, platforms] = parts.slice(-3).map((part) => part.toLowerCase().split("."));
  const tags: WheelTag[] = [];
  for (const interpreter of interpreters!)
    for (const abi of abis!) for (const platform of platforms!) tags.push({ interpreter, abi, platform });
  return {
    name: canonicalName(name),
    version: parseVersion(version),
    build: build === undefined ? undefined : [Number(build[1]), build[2]!],
    tags,
  };
}

export interface SdistName {
  readonly name: string;
  readonly version: Version;
}

/** Reads `name-1.0.tar.gz` or `.zip`; undefined if it is no such name. */
export function parseSdistName(fileName: string): SdistName | undefined {
  const stem = /^(.+)\.(?:tar\.gz|zip)$/.exec(fileName)?.[1];
  const dash = stem?.lastIndexOf("-") ?? -1;
  if (stem === undefined || dash < 1) return undefined;
  const version = tryParseVersion(stem.slice(dash + 1));
  return version === undefined ? undefined : { name: canonicalName(stem.slice(0, dash)), version };
}

function invalid(fileName: string, why: string): PythonSyntaxError {
  return new PythonSyntaxError(`"${fileName}" is not the file name of a wheel: ${why}`, {
    hint: "Wheels are named name-version(-build)-python-abi-platform.whl (PEP 427).",
  });
}
