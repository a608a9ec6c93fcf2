/** Requirements: `name[extra] >= 1.0 ; marker`, `name @ https://… ; marker` (PEP 508). */
import { PythonSyntaxError } from "./errors.ts";
import { type Marker, parseMarker } from "./marker.ts";
import { canonicalName } from "./names.ts";
import { parseSpecifiers, type Specifier } from "./specifier.ts";

export interface Requirement {
  /** As written; `canonicalName` gives the key. */
  readonly name: string;
  readonly extras: readonly string[];
  /** After `@`. */
  readonly url: string | undefined;
  /** As written, without brackets; "" if any version will do. */
  readonly specifierText: string;
  readonly marker: Marker | undefined;
}

const head = /^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*/;

/**
 * Reads a requirement. The version specifiers are kept as text: metadata of old releases holds some that no rule allows, and
 * who only wants the name must not stumble over them. `requirementSpecifiers` reads them.
 * @throws PythonSyntaxError
 */
export function parseRequirement(text: string): Requirement {
  const match = head.exec(text);
  if (match === null) throw wrong(text, "it does not begin with a name");
  const [whole, name, bracket] = match;
  const extras =
    bracket === undefined || bracket.trim() === ""
      ? []
      : bracket.split(",").map((extra) => extraName(text, extra.trim()));
  const rest = text.slice(whole.length);

  if (rest.startsWith("@")) {
    const url = /^@\s*(\S+)/.exec(rest);
    if (url === null) throw wrong(text, "an address is missing after @");
    // A semicolon is part of the address unless a space precedes it.
    const after = rest.slice(url[0].length).trimStart();
    if (after !== "" && !after.startsWith(";"))
      throw wrong(text, `"${after}" after the address is neither a marker nor anything else`);
    return { name: name!, extras, url: url[1]!, specifierText: "", marker: markerOf(text, after) };
  }

  const semicolon = rest.indexOf(";");
  let specifierText = (semicolon < 0 ? rest : rest.slice(0, semicolon)).trim();
  if (specifierText.startsWith("(")) {
    if (!specifierText.endsWith(")")) throw wrong(text, "a bracket is not closed");
    specifierText = specifierText.slice(1, -1).trim();
  }
  if (specifierText !== "" && !/^[<>=!~]/.test(specifierText))
    throw wrong(text, `"${specifierText}" is no version specifier`);
  return {
    name: name!,
    extras,
    url: undefined,
    specifierText,
    marker: markerOf(text, semicolon < 0 ? "" : rest.slice(semicolon)),
  };
}

/** @throws PythonSyntaxError */
export function requirementSpecifiers(requirement: Requirement): Specifier[] {
  return parseSpecifiers(requirement.specifierText);
}

function extraName(text: string, extra: string): string {
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(extra))
    throw wrong(text, `"${extra}" is not the name of an extra`);
  return extra;
}

function markerOf(text: string, after: string): Marker | undefined {
  if (after === "") return undefined;
  const marker = after.slice(1).trim();
  if (marker === "") throw wrong(text, "nothing follows the semicolon");
  return parseMarker(marker);
}

function wrong(text: string, why: string): PythonSyntaxError {
  return new PythonSyntaxError(`"${text.trim()}" is not a requirement: ${why}`, {
    hint: 'Requirements look like requests[socks]>=2.31,<3 ; python_version >= "3.8" or name @ https://… (PEP 508).',
  });
}

/** The key under which a requirement's project is found. */
export function requirementKey(requirement: Requirement): string {
  return canonicalName(requirement.name);
}
