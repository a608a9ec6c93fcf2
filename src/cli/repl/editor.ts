/** Opening files in the user's editor. */
import { spawn } from "node:child_process";
import { basename } from "node:path";
import { D2nError } from "../../base/index.ts";
import type { Environment } from "../world.ts";

/** Editors that take `+LINE`. */
const GO_TO_LINE = /^(emacs|nano|vim|nvim|vi|kak|micro)/;

/** Waits until the editor is closed. @throws D2nError `settings` if there is none, or it fails */
export async function openEditor(environment: Environment, file: string, line: number): Promise<void> {
  const editor = environment["EDITOR"] || environment["VISUAL"] || "cat";
  const [program = "cat", ...args] = editor.split(/\s+/).filter((word) => word !== "");
  if (line > 0 && GO_TO_LINE.test(basename(program))) args.push(`+${line}`);
  const failed = await new Promise<string | undefined>((resolve) => {
    const child = spawn(program, [...args, file], { stdio: "inherit" });
    child.on("error", (error) => resolve(error.message));
    child.on("close", (status) => resolve(status === 0 ? undefined : `it ended with status ${status}`));
  });
  if (failed !== undefined)
    throw new D2nError("settings", `the editor \`${editor}\` failed: ${failed}`, {
      hint: "Set the environment variable EDITOR to an editor.",
    });
}
