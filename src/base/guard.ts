/** Children that end with this process, whatever ends it. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";

/** Reads to the end of its input: a line says that all is well, the end alone that whoever held the other side is gone. */
const WATCH = 'read -r _ || kill -KILL "$1" 2> /dev/null';

/**
 * Has a child killed when this process is, even by SIGKILL: a shell of its own session waits for the end of a pipe whose other end
 * only this process holds. (The kernel's own means, PR_SET_PDEATHSIG, cannot be had from Node.) It ends with the child.
 * @param group the child leads a process group, and all of that goes with it
 */
export function endWithThisProcess(child: ChildProcess, { group }: { readonly group: boolean }): void {
  // It could not be started.
  if (child.pid === undefined) return;
  const guard = spawn("/bin/sh", ["-c", WATCH, "sh", `${group ? "-" : ""}${child.pid}`], {
    cwd: "/",
    env: {},
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const pipe = guard.stdin as Socket;
  // Without a shell there is no guard, and nothing else is lost.
  guard.on("error", () => {});
  pipe.on("error", () => {});
  guard.unref();
  pipe.unref();
  child.once("exit", () => pipe.end("\n"));
}
