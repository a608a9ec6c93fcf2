/**
 * Documentation comments (Nix's RFC 145): a comment that begins with two stars documents the definition or the function after
 * it. The parser passes them over like all comments; whoever wants one has the source read again, which happens in the
 * REPL only.
 */
import type { AttributeName, Expression, FormalsNode } from "./ast.ts";
import { Lexer } from "./lexer.ts";
import { parse, parseBindings } from "./parser.ts";
import { ParseError } from "./errors.ts";
import { CompletedSource, type Source } from "./source.ts";
import { T } from "./tokens.ts";

const COMMENT = /[ \t\r\n]+|#[^\r\n]*|\/\*([^*]|\*+[^*/])*\*+\//y;
const DOCUMENTATION = /^\/\*\*[^/*]/;

/** The text of each such comment by the offset of the token after it, without its indentation. */
export function docComments(source: Source): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  const lexer = new Lexer(source, { pipeOperators: true });
  let before = 0;
  for (;;) {
    const kind = lexer.next();
    // Only between the tokens of code, not in strings.
    const text = source.text.slice(before, lexer.start);
    const comment = text.includes("/**") ? lastComment(text) : undefined;
    if (comment !== undefined) found.set(lexer.start, comment);
    if (kind === T.end) return found;
    before = lexer.end;
  }
}

/** What documents the function at an offset: its own comment, that of the function it is the result of, or its definition's. */
export function functionComment(source: Source, offset: number): string | undefined {
  const comments = docComments(source);
  if (comments.size === 0) return undefined;
  let found: string | undefined;
  /** Explicit, since sources may nest deeply. */
  const open: [node: Expression, inherited: string | undefined][] = [[parseAny(source), undefined]];
  const visit = (node: Expression | undefined, inherited?: string): void => {
    if (node !== undefined) open.push([node, inherited]);
  };
  const names = (path: readonly AttributeName[]): void => {
    for (const name of path) if (typeof name !== "number") visit(name);
  };
  const formals = (node: FormalsNode | undefined): void => {
    for (const { fallback } of node?.formals ?? []) visit(fallback);
  };
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [node, inherited] = next;
    switch (node.kind) {
      case "lambda": {
        const comment = comments.get(node.offset) ?? inherited;
        if (node.offset === offset) found = comment;
        formals(node.formals);
        visit(node.body, node.body.kind === "lambda" ? comment : undefined);
        break;
      }
      case "attrs":
        for (const { value, offset: at } of node.statics.values()) visit(value, comments.get(at));
        for (const { name, value, offset: at } of node.dynamics) {
          visit(name);
          visit(value, comments.get(at));
        }
        for (const inner of node.sources) visit(inner);
        break;
      case "let":
        visit(node.bindings);
        visit(node.body);
        break;
      case "list":
        for (const element of node.elements) visit(element);
        break;
      case "interpolation":
        for (const part of node.parts) visit(part);
        break;
      case "call":
        visit(node.fn);
        for (const argument of node.args) visit(argument);
        break;
      case "select":
        visit(node.of);
        names(node.path);
        visit(node.fallback);
        break;
      case "has":
        visit(node.of);
        names(node.path);
        break;
      case "with":
        visit(node.scope);
        visit(node.body);
        break;
      case "if":
        visit(node.condition);
        visit(node.yes);
        visit(node.no);
        break;
      case "assert":
        visit(node.condition);
        visit(node.body);
        break;
      case "not":
      case "negate":
        visit(node.operand);
        break;
      case "binary":
        visit(node.left);
        visit(node.right);
        break;
      default:
    }
  }
  return found;
}

/** A file's text is an expression, a line of the REPL may be definitions. */
function parseAny(source: Source): Expression {
  try {
    return parse(source, { pipeOperators: true });
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    try {
      return parseBindings(source, { pipeOperators: true });
    } catch {
      return parseBindings(new CompletedSource(source.name, source.text), { pipeOperators: true });
    }
  }
}

/** The last documentation comment of what stands between two tokens, if only white space and other comments follow. */
function lastComment(between: string): string | undefined {
  let last: string | undefined;
  COMMENT.lastIndex = 0;
  for (let match = COMMENT.exec(between); match !== null; match = COMMENT.exec(between))
    if (DOCUMENTATION.test(match[0])) last = match[0];
  return last === undefined ? undefined : innerText(last);
}

/** Without stars and slashes, and without the indentation that all lines share. */
function innerText(comment: string): string {
  const lines = `   ${comment.slice(3, -2)}`.split("\n");
  const indents = lines.filter((line) => /\S/.test(line)).map((line) => line.search(/\S/));
  const indent = Math.min(...indents, Number.MAX_SAFE_INTEGER);
  return lines
    .map((line) => line.slice(Math.min(indent, line.length)))
    .join("\n")
    .trim();
}
