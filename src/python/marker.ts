/** Environment markers: `python_version >= "3.8" and extra == "test"` (PEP 508, "dependency specifiers"). */
import { PythonSyntaxError } from "./errors.ts";
import { canonicalName } from "./names.ts";
import { satisfies, tryParseSpecifier } from "./specifier.ts";
import { tryParseVersion } from "./version.ts";

export type MarkerOperator = "===" | "==" | "!=" | "<=" | ">=" | "<" | ">" | "~=" | "in" | "not in";

export type MarkerOperand = { readonly variable: string } | { readonly literal: string };

export type Marker =
  | { readonly left: MarkerOperand; readonly operator: MarkerOperator; readonly right: MarkerOperand }
  | { readonly all: readonly Marker[] }
  | { readonly any: readonly Marker[] };

/** Values of the variables, as pip's report gives them. `extra` is given apart. */
export type MarkerEnvironment = Readonly<Record<string, string>>;

const variables = new Set([
  "python_version",
  "python_full_version",
  "os_name",
  "sys_platform",
  "platform_release",
  "platform_system",
  "platform_version",
  "platform_machine",
  "platform_python_implementation",
  "implementation_name",
  "implementation_version",
  "extra",
]);

/** Spellings from before PEP 508 that metadata still holds. */
const aliases: Readonly<Record<string, string>> = {
  "os.name": "os_name",
  "sys.platform": "sys_platform",
  "platform.version": "platform_version",
  "platform.machine": "platform_machine",
  "platform.python_implementation": "platform_python_implementation",
  python_implementation: "platform_python_implementation",
};

/** Variables that hold versions; everything else is compared as text. */
const versionVariables = new Set([
  "python_version",
  "python_full_version",
  "implementation_version",
  "platform_release",
]);

type Token = { readonly kind: "literal" | "word" | "operator" | "(" | ")"; readonly text: string; readonly at: number };

const tokenPattern = /\s*(?:("[^"]*"|'[^']*')|([a-zA-Z_][a-zA-Z0-9_.]*)|(===|==|!=|<=|>=|~=|<|>)|([()]))/y;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  for (let at = 0; at < end;) {
    tokenPattern.lastIndex = at;
    const match = tokenPattern.exec(text);
    if (match === null) throw malformed(text, at);
    const [whole, literal, word, operator, bracket] = match;
    if (literal !== undefined) tokens.push({ kind: "literal", text: literal.slice(1, -1), at });
    else if (word !== undefined) tokens.push({ kind: "word", text: word, at });
    else if (operator !== undefined) tokens.push({ kind: "operator", text: operator, at });
    else tokens.push({ kind: bracket as "(" | ")", text: bracket!, at });
    at += whole.length;
  }
  return tokens;
}

function malformed(text: string, at: number, expected?: string): PythonSyntaxError {
  const rest = text.slice(at).trim();
  const where = rest === "" ? "at its end" : `at "${rest.slice(0, 40)}"`;
  return new PythonSyntaxError(
    `the environment marker "${text.trim()}" is malformed ${where}${expected === undefined ? "" : `: ${expected} expected`}`,
    {
      hint: 'Markers look like python_version >= "3.8" and sys_platform == "linux" (PEP 508).',
    },
  );
}

const deepest = 200;

/** @throws PythonSyntaxError */
export function parseMarker(text: string): Marker {
  const tokens = tokenize(text);
  let next = 0;
  const position = (): number => tokens[next]?.at ?? text.length;

  function word(wanted: string): boolean {
    const token = tokens[next];
    if (token?.kind !== "word" || token.text !== wanted) return false;
    next++;
    return true;
  }
  function either(depth: number): Marker {
    const parts = [both(depth)];
    while (word("or")) parts.push(both(depth));
    return parts.length === 1 ? parts[0]! : { any: parts };
  }
  function both(depth: number): Marker {
    const parts = [comparison(depth)];
    while (word("and")) parts.push(comparison(depth));
    return parts.length === 1 ? parts[0]! : { all: parts };
  }
  function comparison(depth: number): Marker {
    if (depth > deepest) throw malformed(text, position(), "less nesting");
    if (tokens[next]?.kind === "(") {
      next++;
      const inner = either(depth + 1);
      if (tokens[next]?.kind !== ")") throw malformed(text, position(), '")"');
      next++;
      return inner;
    }
    const left = operand();
    const operator = comparisonOperator();
    const right = operand();
    return { left, operator, right };
  }
  function operand(): MarkerOperand {
    const token = tokens[next];
    if (token?.kind === "literal") {
      next++;
      return { literal: token.text };
    }
    const name = token?.kind === "word" ? (aliases[token.text] ?? token.text) : undefined;
    if (name === undefined || !variables.has(name)) throw malformed(text, position(), "a variable or a quoted text");
    next++;
    return { variable: name };
  }
  function comparisonOperator(): MarkerOperator {
    const token = tokens[next];
    if (token?.kind === "operator") {
      next++;
      return token.text as MarkerOperator;
    }
    if (word("in")) return "in";
    if (word("not")) {
      if (word("in")) return "not in";
    }
    throw malformed(text, position(), "a comparison");
  }

  const marker = either(0);
  if (next < tokens.length) throw malformed(text, position(), '"and" or "or"');
  return marker;
}

/**
 * Whether a marker holds.
 * @param extra the extra that is asked for; "" for none
 * @throws PythonSyntaxError for a variable that the environment lacks and for `~=` between texts
 */
export function evaluateMarker(marker: Marker, environment: MarkerEnvironment, extra = ""): boolean {
  if ("all" in marker) return marker.all.every((part) => evaluateMarker(part, environment, extra));
  if ("any" in marker) return marker.any.some((part) => evaluateMarker(part, environment, extra));
  const { left, operator, right } = marker;
  const variable = "variable" in left ? left.variable : "variable" in right ? right.variable : "";
  let a = valueOf(left, environment, extra);
  let b = valueOf(right, environment, extra);
  if (variable === "extra") {
    a = canonicalName(a);
    b = canonicalName(b);
  } else if (versionVariables.has(variable)) {
    const specifier = operator === "in" || operator === "not in" ? undefined : tryParseSpecifier(operator + b);
    const version = tryParseVersion(a);
    if (specifier !== undefined && version !== undefined) return satisfies(version, [specifier], { preReleases: true });
  }
  return compareTexts(a, operator, b);
}

function valueOf(operand: MarkerOperand, environment: MarkerEnvironment, extra: string): string {
  if ("literal" in operand) return operand.literal;
  const { variable } = operand;
  if (variable === "extra") return extra;
  const value = Object.hasOwn(environment, variable) ? environment[variable]! : undefined;
  if (value === undefined)
    throw new PythonSyntaxError(`the value of the marker variable ${variable} is not known`, {
      hint: "pip's report lacks it; another version of pip may give it (option pip.pipVersion).",
    });
  // A Python built from a checkout reports 3.13.0+, which is no version.
  return variable === "python_full_version" && value.endsWith("+") ? `${value}local` : value;
}

function compareTexts(a: string, operator: MarkerOperator, b: string): boolean {
  switch (operator) {
    case "==":
    case "===":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    case "in":
      return b.includes(a);
    case "not in":
      return !b.includes(a);
    case "~=":
      throw new PythonSyntaxError(`the marker comparison "${a}" ~= "${b}" has no meaning`, {
        hint: "~= compares versions only (PEP 440).",
      });
  }
}
