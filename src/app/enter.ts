/** Running programs of the store: directly where it lies at its own name, through a mount namespace where it does not. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { writeEnterProgram } from "../sandbox/index.ts";
import { sandboxTools } from "./bootstrap.ts";
import type { Context } from "./context.ts";

/** Words to put before a program of the store; none where its path is its place. */
export async function enterStore(context: Context): Promise<readonly string[]> {
  return context.chroot ? enterCommand(context) : [];
}

/** The same for what is written to disk and started later. */
export async function enterCommand(context: Context): Promise<readonly string[]> {
  const target = `/${context.storeDir.split("/")[1]}`;
  const id = createHash("sha256").update(context.storeRoot).digest("hex").slice(0, 12);
  return writeEnterProgram({
    file: join(context.directories.data, "enter", id),
    tools: await sandboxTools(context),
    source: join(context.storeRoot, target),
    target,
  });
}
