import type { Command } from "commander";
import { D2nError, isSystemError } from "../../base/index.ts";
import type { Invocation } from "../command-line.ts";
import { writeShims } from "../classic/shims.ts";

/** `d2n shims DIR`: launchers under the names of Nix's programs. */
export function addShims(root: Command, invocation: Invocation): void {
  const { world } = invocation;
  root
    .command("shims")
    .description(
      "Write launchers named nix, nix-instantiate, nix-build, … that run d2n, for scripts that call Nix's programs.",
    )
    .argument("<dir>", "folder for them; put it in front of PATH")
    .action((folder: string) => {
      try {
        for (const file of writeShims({ folder, cwd: world.cwd, node: process.execPath }))
          world.stdout.write(`${file}\n`);
      } catch (error) {
        if (!isSystemError(error)) throw error;
        throw new D2nError("file-access", `cannot write launchers to \`${folder}\`: ${error.code}`, {
          hint: "Choose a folder that you may write to.",
        });
      }
    });
}
