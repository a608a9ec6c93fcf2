/** Strings, paths and attribute names: whatever may hold `${…}`. */
import { symbol } from "../values/attrs.ts";
import type { AttributeName, Expression } from "./ast.ts";
import { ParseError } from "./errors.ts";
import { type IndentedPart, stripIndentation, unescape } from "./strings.ts";
import { TokenReader } from "./token-reader.ts";
import { T, tokenNames } from "./tokens.ts";

const OR = symbol("or");

export abstract class LiteralParser extends TokenReader {
  abstract expr(): Expression;

  protected string(): Expression {
    const { start } = this.tokens;
    this.tokens.advance();
    const result = this.stringParts(start);
    this.expect(T.quote);
    return result;
  }

  /** What is between quotes; one literal piece stays a plain string. */
  stringParts(offset: number): Expression {
    const parts: Expression[] = [];
    const starts: number[] = [];
    this.interpolated(parts, starts, false);
    if (parts.length === 0) return { kind: "string", offset, value: "" };
    const [first] = parts;
    if (parts.length === 1 && first!.kind === "string" && first.offset >= 0) return first;
    return { kind: "interpolation", offset, parts: parts.map(unmark), starts, path: false };
  }

  /** Literal pieces and `${…}` until something else comes. Literals of interpolations are marked: `"${"a"}"` is no literal. */
  protected interpolated(parts: Expression[], starts: number[], path: boolean): void {
    const tokens = this.tokens;
    while (tokens.kind === T.text || tokens.kind === T.interpolation) {
      const offset = tokens.start;
      starts.push(offset);
      if (tokens.kind === T.text) {
        const raw = this.slice();
        const value = path ? raw : unescape(raw);
        if (value.includes("\0")) this.nulByte(value, offset);
        parts.push({ kind: "string", offset, value });
        tokens.advance();
      } else {
        tokens.advance();
        const inner = this.expr();
        this.expect(T.braceClose);
        parts.push(inner.kind === "string" ? { ...inner, offset: -2 - inner.offset } : inner);
      }
    }
  }

  protected nulByte(value: string, offset: number): never {
    const shown = value.length > 1000 ? `${value.slice(0, 1000)}…` : value;
    const message = `input string '${shown.replaceAll("\0", "␀")}' cannot be represented as Nix string because it contains null bytes`;
    throw new ParseError(message, this.source, offset);
  }

  protected indentedString(): Expression {
    const tokens = this.tokens;
    const offset = tokens.start;
    tokens.advance();
    const parts: IndentedPart[] = [];
    for (;;) {
      const at = tokens.start;
      if (tokens.kind === T.indentedText) {
        const text = this.slice();
        if (text.includes("\0")) this.nulByte(text, at);
        parts.push({ text, indented: true, offset: at });
        tokens.advance();
      } else if (tokens.kind === T.indentedEscape) {
        parts.push({ text: indentedEscape(this.slice()), indented: false, offset: at });
        tokens.advance();
      } else if (tokens.kind === T.interpolation) {
        tokens.advance();
        const expression = this.expr();
        this.expect(T.braceClose);
        parts.push({ expression, offset: at });
      } else break;
    }
    this.expect(T.indentedClose, T.indentedText, T.interpolation, T.indentedClose);
    const { parts: stripped, starts } = stripIndentation(parts);
    if (stripped.length === 0) return { kind: "string", offset, value: "" };
    const [first] = stripped;
    if (stripped.length === 1 && first!.kind === "string") return first;
    return { kind: "interpolation", offset, parts: stripped, starts, path: false };
  }

  protected path(): Expression {
    const tokens = this.tokens;
    const offset = tokens.start;
    const home = tokens.kind === T.homePath;
    const first: Expression = { kind: "path", offset, text: this.slice(), home };
    this.lint?.({ kind: home ? "home-path" : "path", text: first.text, source: this.source, offset });
    tokens.advance();
    const parts: Expression[] = [first];
    const starts = [offset];
    this.interpolated(parts, starts, true);
    // `a//b`: a second piece without an interpolation. Nix's grammar has no such path.
    if (parts.length === 2 && parts[1]!.kind === "string" && parts[1].offset >= 0)
      throw new ParseError("syntax error, unexpected end of path, expecting '${'", this.source, offset);
    this.expect(T.pathEnd);
    return parts.length === 1 ? first : { kind: "interpolation", offset, parts: parts.map(unmark), starts, path: true };
  }

  attrpath(): AttributeName[] {
    const path = [this.attributeName()];
    while (this.tokens.kind === T.dot) {
      this.tokens.advance();
      path.push(this.attributeName());
    }
    return path;
  }

  /** `name`, `or`, `"name"`, `"na${me}"`, `${name}`. */
  protected attributeName(): AttributeName {
    const tokens = this.tokens;
    let name: Expression;
    switch (tokens.kind) {
      case T.identifier:
        return this.identifier();
      case T.or:
        tokens.advance();
        return OR;
      case T.quote:
        name = this.string();
        break;
      case T.interpolation:
        tokens.advance();
        name = this.expr();
        this.expect(T.braceClose);
        break;
      default:
        return this.unexpected(...[T.identifier, T.or, T.interpolation, T.quote].map((wanted) => tokenNames[wanted]));
    }
    return name.kind === "string" ? symbol(name.value) : name;
  }
}

function unmark(part: Expression): Expression {
  return part.kind === "string" && part.offset < -1 ? { ...part, offset: -2 - part.offset } : part;
}

/** `''$`, `$`, `'''`, `'`, `''\n` in a `''` string. */
function indentedEscape(raw: string): string {
  if (raw.startsWith("''\\")) return unescape(raw.slice(2));
  if (raw === "'''") return "''";
  return raw === "''$" ? "$" : raw;
}
