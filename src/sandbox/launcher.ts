/** Programs of a chroot store, started from outside. */
import { dirname, join } from "node:path";
import { writeFileAtomically, makeFolders } from "../base/index.ts";
import { enterScript, quoteShell } from "./enter-script.ts";
import type { SandboxTools } from "./types.ts";

export interface EnterProgram {
  /** The script to write; an empty folder `.<file>.root` appears beside it. */
  readonly file: string;
  /** Both must stay where they are as long as the script is used. */
  readonly tools: SandboxTools;
  /** The physical folder: `<root>/nix`. */
  readonly source: string;
  /** Where its paths say it is: `/nix`. A folder at the top of the file system, or one that exists. */
  readonly target: string;
}

/**
 * Writes a program that runs its arguments where the store is at its place. Gives the words of the command to put before a
 * program: they need nothing but /bin/sh.
 */
export function writeEnterProgram({ file, tools, source, target }: EnterProgram): string[] {
  const emptyFolder = join(dirname(file), `.${file.slice(file.lastIndexOf("/") + 1)}.root`);
  makeFolders(emptyFolder);
  const script = enterScript({ busybox: tools.shell, bubblewrap: tools.bubblewrap, source, target, emptyFolder });
  writeFileAtomically(
    file,
    `#!/bin/sh\n# Runs a program where ${oneLine(source)} is mounted at ${oneLine(target)}.\n${script}`,
    { mode: 0o755 },
  );
  return [file];
}

export interface Launcher {
  /** The script to write. */
  readonly file: string;
  /** Logical path of the program: `/nix/store/…/bin/x`. */
  readonly program: string;
  /** What to put before it to enter the store. */
  readonly command: readonly string[];
  readonly storeDir: string;
  /** A path that exists only where the store is mounted; the program itself, unless it lies elsewhere and only needs the store. */
  readonly inside?: string;
}

/**
 * Writes a script that starts a program of a chroot store, or simply executes it where the store is at its place already:
 * inside the namespace.
 */
export function writeLauncher({ file, program, command, storeDir, inside = program }: Launcher): void {
  const [there, started] = [inside, program].map(quoteShell);
  const script = `#!/bin/sh
# Starts ${oneLine(program)} where ${oneLine(storeDir)} is mounted.
if [ -e ${there} ] || [ -L ${there} ]; then exec ${started} "$@"; fi
exec ${[...command, program].map(quoteShell).join(" ")} "$@"
`;
  writeFileAtomically(file, script, { mode: 0o755 });
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, "?");
}
