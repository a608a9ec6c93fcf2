/** Contracts of the sandbox. */

/**
 * How to start bubblewrap: `["/usr/bin/bwrap"]`, or an unpacked one through its own loader:
 * `[ld.so, "--library-path", dirs, bwrap]`.
 */
export type BubblewrapCommand = readonly string[];

export interface SandboxTools {
  readonly bubblewrap: BubblewrapCommand;
  /** A statically linked busybox on this machine: builders see it as /bin/sh, and it enters chroot stores. */
  readonly shell: string;
}

/** A path of this machine, visible at another in a sandbox. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  /** Left out if it does not exist. */
  readonly optional?: boolean | undefined;
}

/** What a build may see and do. Strings of derivations are byte strings: one code unit a byte. */
export interface BuildSandbox {
  readonly tools: SandboxTools;
  /** Logical store directory, `/nix/store`. */
  readonly storeDir: string;
  /**
   * An empty folder of this machine that becomes the store directory: inputs are mounted into it, outputs are found in it
   * afterwards, beside empty mount points.
   */
  readonly scratchStore: string;
  /** Store paths that may be read: logical target, physical source. */
  readonly inputs: Iterable<Mount>;
  /** Becomes `/build`; with `machine` it stays where it is, which must not be in the store directory. */
  readonly buildDirectory: string;
  /**
   * What Nix calls no sandbox: the machine's files and network are there, with the right to write of whoever builds. The store
   * still shows the inputs only.
   */
  readonly machine?: boolean | undefined;
  /** An empty folder for what the sandbox needs besides: /tmp, /etc. */
  readonly scratch: string;
  /** Further read-only mounts. */
  readonly mounts?: readonly Mount[] | undefined;
  /** The host's network and name resolution: for fixed outputs only. */
  readonly network: boolean;
  /** With `network`: a bundle of certificate authorities to be seen at /etc/ssl/certs/ca-certificates.crt. */
  readonly certificates?: string | undefined;
  /** Path of the builder in the sandbox. */
  readonly builder: string;
  /** Without argv[0], which is the builder's base name. */
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: ReadonlyMap<string, string>;
  /** Standard output and standard error, in one stream. */
  readonly onOutput: (bytes: Buffer) => void;
  /** Milliseconds that it may take in all. */
  readonly timeout?: number | undefined;
  /** Milliseconds that it may be silent. */
  readonly maxSilent?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a build ended. No process of it is left then. */
export type BuildEnd =
  | { readonly type: "exited"; readonly code: number }
  | { readonly type: "killed"; readonly signal: number }
  | { readonly type: "timeout" }
  | { readonly type: "silence" };
