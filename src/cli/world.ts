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
  /** Only data goes here. */
  readonly stdout: OutputStream;
  /** Progress, warnings, errors. */
  readonly stderr: OutputStream;
  readonly onInterrupt: (interrupt: () => void) => void;
}

/** Exit statuses; others are a program's own. */
export const exitStatus = { success: 0, failure: 1, usage: 2, bug: 70, interrupted: 130 } as const;
