/**
 * The one error hierarchy of d2n.
 *
 * An error that a user can reach is a `D2nError`: it has a stable code (see `error-codes.ts`), a message that says what is
 * wrong with the current state, where it is (`location`), and the next step (`hint`). Anything else that is thrown is a bug
 * of d2n and shown as such. Only the command line turns errors into text.
 */
import type { ErrorCode } from "./error-codes.ts";

/** A place in a source file. Lines and columns count from 1; columns count bytes, as Nix's do. */
export interface SourceLocation {
  /** Path as a user knows it. */
  readonly file: string;
  readonly line: number;
  readonly column?: number | undefined;
  /** The text of the line, without its line end, if it could be read. */
  readonly text?: string | undefined;
  /** The lines before and after, where there are any and somebody may want to show them. */
  readonly previous?: string | undefined;
  readonly next?: string | undefined;
}

/** One step of the way to an error, outermost last: "while evaluating the attribute 'x'". */
export interface TraceFrame {
  readonly message: string;
  readonly location?: SourceLocation | undefined;
  /** A step that is of interest only when the whole trace is asked for, such as each function call. */
  readonly verbose?: boolean | undefined;
  /** A step of the user's own (`addErrorContext`), shown even where the trace is cut short. */
  readonly always?: boolean | undefined;
}

export interface D2nErrorOptions {
  /** The next step for the user, in one or two sentences. */
  readonly hint?: string | undefined;
  readonly location?: SourceLocation | undefined;
  readonly trace?: readonly TraceFrame[] | undefined;
  /** Text shown below the message as it is: the last lines of a log, both hashes, a list of definitions. */
  readonly details?: string | undefined;
  /** Names that may have been meant, nearest first. */
  readonly suggestions?: readonly string[] | undefined;
  readonly cause?: unknown;
  /** Exit status of the process; 1 unless said otherwise. */
  readonly exitCode?: number | undefined;
}

export class D2nError extends Error {
  override readonly name: string = "D2nError";
  readonly code: ErrorCode;
  hint: string | undefined;
  location: SourceLocation | undefined;
  /** The location is merely the nearest that is known, not what is wrong itself. */
  nearby = false;
  trace: readonly TraceFrame[];
  details: string | undefined;
  readonly suggestions: readonly string[];
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, options: D2nErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.location = options.location;
    this.trace = options.trace ?? [];
    this.details = options.details;
    this.suggestions = options.suggestions ?? [];
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The command line was used wrongly; exit status 2. */
export class UsageError extends D2nError {
  override readonly name = "UsageError";

  constructor(message: string, options: D2nErrorOptions = {}) {
    super("usage", message, { exitCode: 2, ...options });
  }
}

/** The user interrupted the work (Ctrl-C); exit status 130. */
export class InterruptedError extends D2nError {
  override readonly name = "InterruptedError";

  constructor(message = "interrupted by the user") {
    super("interrupted", message, { exitCode: 130 });
  }
}

/** Throws if a condition that the code relies on does not hold: a bug of d2n, never a user's mistake. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`internal error: ${message}`);
}

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new Error(`internal error: unexpected ${JSON.stringify(value)}`);
}

/** True for errors of Node's system calls, `code` being "ENOENT", "EACCES" and so on. */
export function isSystemError(error: unknown, code?: string): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && "syscall" in error && (code === undefined || error.code === code);
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
