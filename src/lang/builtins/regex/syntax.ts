/**
 * POSIX extended regular expressions as C++'s standard library takes them, which is what Nix uses: only special characters may
 * be escaped, quantifiers may follow each other, alternatives may be empty, there are no back references.
 */

/** One flag per byte. */
export type ByteSet = Uint8Array;

export type RegexNode =
  | { readonly kind: "empty" }
  | { readonly kind: "begin" }
  | { readonly kind: "end" }
  | { readonly kind: "bytes"; readonly set: ByteSet }
  | { readonly kind: "group"; readonly index: number; readonly body: RegexNode }
  | { readonly kind: "sequence"; readonly parts: readonly RegexNode[] }
  | { readonly kind: "choice"; readonly options: readonly RegexNode[] }
  /** `max` undefined: any number. `how` keeps `+` apart from `{1,}`, which have different automata. */
  | {
      readonly kind: "repeat";
      readonly body: RegexNode;
      readonly min: number;
      readonly max: number | undefined;
      readonly how: "*" | "+" | "?" | "{}";
    };

export interface ParsedRegex {
  readonly root: RegexNode;
  readonly groups: number;
}

/** The text is no regular expression, or one that is too big. */
export class RegexError extends Error {
  readonly tooBig: boolean;

  constructor(tooBig = false) {
    super(tooBig ? "regular expression too big" : "invalid regular expression");
    this.tooBig = tooBig;
  }
}

const SPECIAL = new Set(".[\\()*+?{|^$");
/** Nested groups are parsed recursively; deeper ones are refused rather than left to exhaust the stack. */
const MAX_NESTING = 1000;
const MAX_REPEAT = 100_000;

export function parseRegex(source: string): ParsedRegex {
  const parser = new Parser(source);
  const root = parser.choice();
  if (!parser.atEnd()) throw new RegexError();
  return { root, groups: parser.groups };
}

class Parser {
  readonly #source: string;
  #at = 0;
  #nesting = 0;
  groups = 0;

  constructor(source: string) {
    this.#source = source;
  }

  atEnd(): boolean {
    return this.#at === this.#source.length;
  }

  /** `sequence | sequence | …` */
  choice(): RegexNode {
    const options = [this.#sequence()];
    while (this.#take("|")) options.push(this.#sequence());
    return options.length === 1 ? options[0]! : { kind: "choice", options };
  }

  #sequence(): RegexNode {
    const parts: RegexNode[] = [];
    for (let part = this.#term(); part !== undefined; part = this.#term()) parts.push(part);
    return parts.length === 1 ? parts[0]! : parts.length === 0 ? { kind: "empty" } : { kind: "sequence", parts };
  }

  /** An anchor, or an atom with its quantifiers. Undefined where a sequence ends. */
  #term(): RegexNode | undefined {
    const next = this.#source[this.#at];
    if (next === undefined || next === "|" || next === ")") return undefined;
    if (this.#take("^")) return { kind: "begin" };
    if (this.#take("$")) return { kind: "end" };
    let node = this.#atom();
    for (let more = this.#quantified(node); more !== undefined; more = this.#quantified(node)) node = more;
    return node;
  }

  #atom(): RegexNode {
    const character = this.#source[this.#at++]!;
    switch (character) {
      case ".":
        return { kind: "bytes", set: complement(bytes("\0")) };
      case "[":
        return { kind: "bytes", set: this.#bracket() };
      case "(": {
        if (++this.#nesting > MAX_NESTING) throw new RegexError(true);
        const index = this.groups++;
        const body = this.choice();
        if (!this.#take(")")) throw new RegexError();
        this.#nesting--;
        return { kind: "group", index, body };
      }
      case "\\": {
        const escaped = this.#source[this.#at++];
        if (escaped === undefined || !SPECIAL.has(escaped)) throw new RegexError();
        return { kind: "bytes", set: bytes(escaped) };
      }
      case "*":
      case "+":
      case "?":
      case "{":
        throw new RegexError();
      default:
        return { kind: "bytes", set: bytes(character) };
    }
  }

  #quantified(body: RegexNode): RegexNode | undefined {
    if (this.#take("*")) return { kind: "repeat", body, min: 0, max: undefined, how: "*" };
    if (this.#take("+")) return { kind: "repeat", body, min: 1, max: undefined, how: "+" };
    if (this.#take("?")) return { kind: "repeat", body, min: 0, max: 1, how: "?" };
    if (!this.#take("{")) return undefined;
    const min = this.#number();
    if (min === undefined) throw new RegexError();
    let max: number | undefined = min;
    if (this.#take(",")) max = this.#number();
    if (!this.#take("}") || (max !== undefined && max < min)) throw new RegexError();
    if (min > MAX_REPEAT || (max ?? 0) > MAX_REPEAT) throw new RegexError(true);
    return { kind: "repeat", body, min, max, how: "{}" };
  }

  #number(): number | undefined {
    const start = this.#at;
    while (/[0-9]/.test(this.#source[this.#at] ?? "")) this.#at++;
    return start === this.#at ? undefined : Number(this.#source.slice(start, this.#at));
  }

  /** What follows `[`, up to and with the closing bracket. */
  #bracket(): ByteSet {
    const negated = this.#take("^");
    const set = new Uint8Array(256);
    let first = true;
    // The character before a `-` that may begin a range; undefined after a class or range, where a `-` is an error.
    for (;;) {
      if (this.atEnd()) throw new RegexError();
      if (!first && this.#take("]")) break;
      if (this.#source[this.#at] === "-" && !first && this.#source[this.#at + 1] !== "]") throw new RegexError();
      first = false;
      const low = this.#bracketElement(set);
      if (low === undefined) continue;
      if (this.#source[this.#at] === "-" && this.#at + 1 < this.#source.length && this.#source[this.#at + 1] !== "]") {
        this.#at++;
        const high = this.#rangeEnd();
        if (low > high) throw new RegexError();
        for (let code = low; code <= high; code++) set[code] = 1;
      } else set[low] = 1;
    }
    return negated ? complement(set) : set;
  }

  /** One character, whose code is returned, or a class, which goes to the set. */
  #bracketElement(set: ByteSet): number | undefined {
    if (this.#source[this.#at] === "[") {
      const kind = this.#source[this.#at + 1];
      if (kind === ":" || kind === "." || kind === "=") {
        const end = this.#source.indexOf(`${kind}]`, this.#at + 2);
        if (end < 0) throw new RegexError();
        const name = this.#source.slice(this.#at + 2, end);
        this.#at = end + 2;
        if (kind === ":") {
          const members = classes.get(name.toLowerCase());
          if (members === undefined) throw new RegexError();
          for (let code = 0; code < 128; code++) if (members.test(String.fromCharCode(code))) set[code] = 1;
          return undefined;
        }
        const code = name.length === 1 ? name.charCodeAt(0) : collatingNames.get(name);
        if (code === undefined) throw new RegexError();
        set[code] = 1;
        return undefined;
      }
    }
    return this.#source.charCodeAt(this.#at++);
  }

  #rangeEnd(): number {
    const next = this.#source[this.#at + 1];
    if (this.#source[this.#at] === "[" && (next === ":" || next === "." || next === "=")) throw new RegexError();
    return this.#source.charCodeAt(this.#at++);
  }

  #take(character: string): boolean {
    if (this.#source[this.#at] !== character) return false;
    this.#at++;
    return true;
  }
}

function bytes(characters: string): ByteSet {
  const set = new Uint8Array(256);
  for (let i = 0; i < characters.length; i++) set[characters.charCodeAt(i)] = 1;
  return set;
}

function complement(set: ByteSet): ByteSet {
  return set.map((flag) => 1 - flag);
}

/** Character classes in the C locale. `d`, `s` and `w` are C++'s own. */
const classes: ReadonlyMap<string, RegExp> = new Map([
  ["alnum", /[0-9A-Za-z]/],
  ["alpha", /[A-Za-z]/],
  ["blank", /[ \t]/],
  ["cntrl", /[\x00-\x1f\x7f]/],
  ["digit", /[0-9]/],
  ["graph", /[!-~]/],
  ["lower", /[a-z]/],
  ["print", /[ -~]/],
  ["punct", /[!-/:-@[-`{-~]/],
  ["space", /[ \t\n\v\f\r]/],
  ["upper", /[A-Z]/],
  ["xdigit", /[0-9A-Fa-f]/],
  ["d", /[0-9]/],
  ["s", /[ \t\n\v\f\r]/],
  ["w", /[0-9A-Za-z_]/],
]);

/** Names of characters in `[[.name.]]` (POSIX, "Portable Character Set"). */
const collatingNames: ReadonlyMap<string, number> = new Map(
  (
    "NUL SOH STX ETX EOT ENQ ACK alert backspace tab newline vertical-tab form-feed carriage-return SO SI DLE DC1 DC2 DC3 " +
    "DC4 NAK SYN ETB CAN EM SUB ESC IS4 IS3 IS2 IS1 space exclamation-mark quotation-mark number-sign dollar-sign " +
    "percent-sign ampersand apostrophe left-parenthesis right-parenthesis asterisk plus-sign comma hyphen period slash zero " +
    "one two three four five six seven eight nine colon semicolon less-than-sign equals-sign greater-than-sign question-mark " +
    "commercial-at A B C D E F G H I J K L M N O P Q R S T U V W X Y Z left-square-bracket backslash right-square-bracket " +
    "circumflex underscore grave-accent a b c d e f g h i j k l m n o p q r s t u v w x y z left-curly-bracket " +
    "vertical-line right-curly-bracket tilde DEL"
  )
    .split(" ")
    .map((name, code) => [name, code]),
);
