/** The process as the commands see it. */
/** Variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface OutputStream {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface World {
  readonly argv: readonly string[];
  readonly environment: Environment;
  readonly cwd: string;
  /** Effective user id. */
  readonly uid: number;
  /** What is typed or piped in; asked for by commands that read it. */
  readonly stdin: () => NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Only data goes here. */
  readonly stdout: OutputStream;
  /** Progress, warnings, errors. */
  readonly stderr: OutputStream;
  /**
   * What an interruption does. Unless the session goes on after it, further signals than SIGINT count as well, and a second one
   * ends the process at once.
   */
  readonly onInterrupt: (interrupt: () => void, options?: { readonly goesOn: boolean }) => void;
}

/** Exit statuses; others are a program's own. */
export const exitStatus = { success: 0, failure: 1, usage: 2, bug: 70, interrupted: 130 } as const;
