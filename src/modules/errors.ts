/** Every message of the module system that a user can reach. `tryEval` catches them, as it does nixpkgs' own. */
import { suggestions } from "../base/index.ts";
import { type Evaluator, force, fromUtf8, isInteger, type LazyPosition, NixFloat, ThrownError } from "../lang/index.ts";
import { showPretty } from "../lib/index.ts";
import { locate, locateFirst, showDefinitions, showFiles, showOption, showPlace } from "./show.ts";
import type { Definition, OptionPath } from "./types.ts";

const PRIORITY_HINT = "Use `lib.mkForce value` or `lib.mkDefault value` to change the priority of one of them.";

function name(path: OptionPath): string {
  return `\`${fromUtf8(showOption(path))}'`;
}

export interface UnknownOption {
  readonly path: OptionPath;
  readonly definitions: readonly Definition[];
}

export function optionUnknown(
  ev: Evaluator,
  prefix: OptionPath,
  unknown: UnknownOption,
  others: readonly UnknownOption[],
  siblings: readonly string[],
): ThrownError {
  const { path, definitions } = unknown;
  const parent = path.slice(0, -1);
  const candidates = parent.length === 0 ? siblings.filter((sibling) => sibling !== "_module") : siblings;
  const near = suggestions(path.at(-1) ?? "", candidates).map(
    (sibling) => `\`${fromUtf8(showOption([...parent, sibling]))}\``,
  );
  const last = near.pop();
  const hints: string[] = [];
  if (last !== undefined) hints.push(`did you mean ${near.length > 0 ? `${near.join(", ")} or ${last}` : last}?`);
  else if (candidates.length === 0)
    hints.push(
      prefix.length === 0
        ? "No options are declared at all: a declaration belongs under `options`, not under `config`."
        : `No options are declared in ${name(prefix)}: a submodule's declarations belong under \`options\`, not under \`config\`.`,
    );
  const also = others.map(
    (other) =>
      `${name(other.path)} (${other.definitions.map((definition) => fromUtf8(showPlace(definition))).join(", ")})`,
  );
  const more = also.length === 0 ? "" : `\nNor do these exist: ${also.join(", ")}`;
  return new ThrownError(`The option ${name(path)} does not exist`, {
    code: "option-unknown",
    location: locateFirst(ev, definitions),
    details: `Definition values:\n${showDefinitions(definitions)}${more}`,
    hint: hints.join(" ") || undefined,
  });
}

export function optionType(
  ev: Evaluator,
  path: OptionPath,
  description: string,
  definitions: readonly Definition[],
): ThrownError {
  return new ThrownError(`A definition for option ${name(path)} is not of type \`${fromUtf8(description)}'`, {
    code: "option-type",
    location: locateFirst(ev, definitions),
    details: `Definition values:\n${showDefinitions(definitions)}`,
    hint: typeHint(description, definitions),
  });
}

/** The commonest slip: a version number without quotes. */
function typeHint(description: string, [first]: readonly Definition[]): string | undefined {
  const value = first === undefined ? null : force(first.value);
  const isNumber = isInteger(value) || value instanceof NixFloat;
  return isNumber && /\bstring\b/.test(description) ? `Put it in quotes: \`"${showPretty(value)}"\`.` : undefined;
}

export function optionMissing(path: OptionPath): ThrownError {
  return new ThrownError(`The option ${name(path)} was accessed but has no value defined`, {
    code: "option-missing",
    hint: `Nothing defines it and it has no default: set \`${fromUtf8(showOption(path))}\`.`,
  });
}

export function optionConflict(ev: Evaluator, path: OptionPath, definitions: readonly Definition[]): ThrownError {
  return new ThrownError(`The option ${name(path)} has conflicting definition values`, {
    code: "option-conflict",
    location: locateFirst(ev, definitions),
    details: `Definition values:\n${showDefinitions(definitions)}`,
    hint: PRIORITY_HINT,
  });
}

export function optionNotUnique(
  ev: Evaluator,
  path: OptionPath,
  definitions: readonly Definition[],
  message: string,
): ThrownError {
  return new ThrownError(
    `The option ${name(path)} is defined multiple times while it's expected to be unique${message === "" ? "" : `: ${message}`}`,
    {
      code: "option-conflict",
      location: locateFirst(ev, definitions),
      details: `Definition values:\n${showDefinitions(definitions)}`,
      hint: PRIORITY_HINT,
    },
  );
}

export function optionMixed(
  ev: Evaluator,
  path: OptionPath,
  definitions: readonly Definition[],
  what: string,
): ThrownError {
  return new ThrownError(`The option ${name(path)} ${what}`, {
    code: "option-conflict",
    location: locateFirst(ev, definitions),
    details: `Definition values:\n${showDefinitions(definitions)}`,
  });
}

export function optionReadOnly(ev: Evaluator, path: OptionPath, definitions: readonly Definition[]): ThrownError {
  return new ThrownError(`The option ${name(path)} is read-only, but it's set multiple times`, {
    code: "option-read-only",
    // The last definitions are the user's; the default, if there is one, comes first.
    location: locateFirst(ev, [...definitions].reverse()),
    details: `Definition values:\n${showDefinitions(definitions)}`,
  });
}

export function optionRedeclared(path: OptionPath, file: string, declarations: readonly string[]): ThrownError {
  return new ThrownError(
    `The option ${name(path)} in \`${fromUtf8(file)}' is already declared in ${fromUtf8(showFiles(declarations))}`,
    {
      code: "option-declaration",
    },
  );
}

export function declarationInvalid(
  ev: Evaluator,
  message: string,
  position?: LazyPosition,
  hint?: string,
): ThrownError {
  return new ThrownError(message, { code: "option-declaration", location: locatePosition(ev, position), hint });
}

export function moduleInvalid(ev: Evaluator, message: string, hint?: string, position?: LazyPosition): ThrownError {
  return new ThrownError(message, { code: "module-invalid", hint, location: locatePosition(ev, position) });
}

export function definitionNotSet(ev: Evaluator, path: OptionPath, definition: Definition, kind: string): ThrownError {
  const at = path.length === 0 ? "the configuration" : `the option ${name(path)}`;
  return new ThrownError(
    `In module \`${fromUtf8(definition.file)}', a value of type ${kind} is defined rather than an attribute set for ${at}`,
    {
      code: "option-type",
      location: locateFirst(ev, [definition]),
      details: `Definition values:\n${showDefinitions([definition])}`,
      hint: path.length === 0 ? undefined : `There are options inside of ${name(path)}: set one of them.`,
    },
  );
}

function locatePosition(ev: Evaluator, position: LazyPosition): ReturnType<typeof locate> {
  return locate(ev, typeof position === "function" ? position() : position);
}
