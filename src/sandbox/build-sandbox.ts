/**
 * The sandbox of builds, as Nix's: an empty root with the inputs at their store paths, `/build`, a private `/tmp`, a minimal
 * `/dev`, its own `/proc`; no network; user 1000, group 100; host name "localhost"; the builder is process 1 of a session of
 * its own.
 */
import { closeSync } from "node:fs";
import { chmod, lstat, mkdir, readFile, readlink, realpath, symlink, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import { constants } from "node:os";
import { basename, join } from "node:path";
import { InterruptedError } from "../base/index.ts";
import { bubblewrapFeatures, startBubblewrap } from "./bubblewrap.ts";
import { checkSandbox, explainFailure } from "./check.ts";
import { openOutputPipe } from "./pipes.ts";
import { buildFilter } from "./seccomp.ts";
import type { BuildEnd, BuildSandbox } from "./types.ts";

/** Where the build directory is in the sandbox. */
export const sandboxBuildDirectory = "/build";

const uid = 1000;
const gid = 100;

const passwd = `root:x:0:0:Nix build user:/build:/noshell
nixbld:x:${uid}:${gid}:Nix build user:/build:/noshell
nobody:x:65534:65534:Nobody:/:/noshell
`;

const group = `root:x:0:
nixbld:!:${gid}:
nogroup:x:65534:
`;

/**
 * Runs a builder to its end. When the promise settles no process of it is left.
 * @throws SandboxError if the sandbox cannot be set up; InterruptedError when aborted
 */
export async function runBuild(build: BuildSandbox): Promise<BuildEnd> {
  const { tools, signal } = build;
  const [mode, known] = await Promise.all([checkSandbox(tools), bubblewrapFeatures(tools.bubblewrap)]);
  signal?.throwIfAborted();
  const options =
    build.machine === true
      ? [
          ...(mode === "user-namespace" ? ["--unshare-user"] : []),
          ...["--unshare-pid", "--die-with-parent", "--new-session", "--as-pid-1", "--dev-bind", "/", "/"],
          ...["--proc", "/proc", ...(await storeMounts(build)), "--chdir", bytes(build.buildDirectory)],
        ]
      : [
          ...(mode === "user-namespace"
            ? ["--unshare-user", "--uid", `${uid}`, "--gid", `${gid}`]
            : ["--cap-drop", "ALL"]),
          ...["--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"],
          ...(build.network ? [] : ["--unshare-net"]),
          ...["--hostname", "localhost", "--die-with-parent", "--new-session", "--as-pid-1"],
          ...(await mounts(build)),
          ...["--proc", "/proc", "--dev", "/dev"],
          ...[...(known.has("--perms") ? ["--perms", "1777"] : []), "--tmpfs", "/dev/shm"],
          ...["--remount-ro", "/", "--chdir", sandboxBuildDirectory],
        ];
  // Before version 0.5: what the shell on the way may have set.
  if (known.has("--clearenv")) options.push("--clearenv");
  else for (const name of ["PATH", "PWD", "OLDPWD", "SHLVL", "_"]) options.push("--unsetenv", name);
  for (const [name, value] of build.env) options.push("--setenv", name, value);
  if (known.has("--argv0")) options.push("--argv0", basename(build.builder));

  const pipe = await openOutputPipe(tools.shell, build.scratch);
  const output = new Socket({ fd: pipe.reader, readable: true, writable: false });
  let complete = false;
  let lastOutput = Date.now();
  let end = Buffer.alloc(0);
  const drained = new Promise<void>((resolve) => {
    output.on("data", (bytes: Buffer) => {
      lastOutput = Date.now();
      end = Buffer.concat([end.subarray(-2048), bytes.subarray(-2048)]);
      build.onOutput(bytes);
    });
    output.once("close", () => resolve());
    output.on("error", () => {});
  });

  let running: ReturnType<typeof startBubblewrap>;
  try {
    running = startBubblewrap(tools, {
      options,
      command: [build.builder, ...build.args],
      seccomp: buildFilter(process.arch),
      output: pipe.writer,
    });
  } catch (error) {
    output.destroy();
    pipe.release(false);
    throw error;
  } finally {
    closeSync(pipe.writer);
  }
  const { process: child, ended } = running;
  let why: "timeout" | "silence" | undefined;
  const started = Date.now();
  // Its death takes the whole process namespace along.
  const kill = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  const { timeout, maxSilent } = build;
  const timer =
    timeout === undefined && maxSilent === undefined
      ? undefined
      : setInterval(
          () => {
            if (timeout !== undefined && Date.now() - started > timeout) why = "timeout";
            else if (maxSilent !== undefined && Date.now() - lastOutput > maxSilent) why = "silence";
            if (why !== undefined) kill();
          },
          Math.min(250, timeout ?? 250, maxSilent ?? 250),
        );
  try {
    const { commandStatus, code, signal: killer } = await ended;
    // Everything that held the other end is dead: what is left in the pipe is all.
    await drained;
    complete = true;
    if (signal?.aborted === true)
      throw signal.reason instanceof Error && signal.reason.name !== "AbortError"
        ? signal.reason
        : new InterruptedError();
    if (why !== undefined) return { type: why };
    // The sandbox was ready, but its builder could not be executed.
    if (commandStatus === undefined && killer === null && /bwrap: execvp .*\n$/.test(end.toString("latin1")))
      return { type: "exited", code: 127 };
    if (commandStatus === undefined && killer === null) throw await explainFailure(tools, code);
    if (killer !== null) return { type: "killed", signal: constants.signals[killer] };
    return commandStatus! > 128
      ? { type: "killed", signal: commandStatus! - 128 }
      : { type: "exited", code: commandStatus! };
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", kill);
    output.destroy();
    pipe.release(complete);
    // So that its owner can delete it.
    await chmod(join(build.scratch, "etc"), 0o755).catch(() => {});
  }
}

async function mounts(build: BuildSandbox): Promise<string[]> {
  const { scratch, storeDir } = build;
  const etc = join(scratch, "etc");
  const tmp = join(scratch, "tmp");
  await Promise.all([mkdir(etc), mkdir(tmp)]);
  await chmod(tmp, 0o1777);
  await Promise.all([writeFile(join(etc, "passwd"), passwd), writeFile(join(etc, "group"), group)]);
  const options = [
    // Created on the way to a mount, they would be closed to all but their owner.
    ...["--dir", "/bin", ...parents(storeDir).flatMap((folder) => ["--dir", folder])],
    ...["--bind", bytes(build.buildDirectory), sandboxBuildDirectory, "--bind", bytes(tmp), "/tmp"],
    ...["--ro-bind", bytes(etc), "/etc"],
  ];
  if (build.network) {
    await writeFile(join(etc, "nsswitch.conf"), "hosts: files dns\nservices: files\n");
    // Copies rather than mounts: often they are links to places that the sandbox does not have.
    for (const name of ["resolv.conf", "services", "hosts"]) {
      const content = await readFile(`/etc/${name}`).catch(() => undefined);
      if (content !== undefined) await writeFile(join(etc, name), content);
    }
    const content =
      build.certificates === undefined ? undefined : await readFile(build.certificates).catch(() => undefined);
    if (content !== undefined) {
      await mkdir(join(etc, "ssl/certs"), { recursive: true });
      await writeFile(join(etc, "ssl/certs/ca-certificates.crt"), content);
    }
  } else await writeFile(join(etc, "hosts"), "127.0.0.1 localhost\n::1 localhost\n");
  await chmod(etc, 0o555);
  options.push(...(await storeMounts(build)));
  for (const { source, target, optional } of build.mounts ?? []) {
    const real = await realpath(source).catch((error: unknown) => {
      if (optional === true) return undefined;
      throw error;
    });
    if (real !== undefined) options.push("--ro-bind", bytes(real), target);
  }
  if (!(build.mounts ?? []).some(({ target }) => target === "/bin" || target === "/bin/sh"))
    options.push("--ro-bind", bytes(await realpath(build.tools.shell)), "/bin/sh");
  return options;
}

/** The store directory of a build: its inputs, and room for its outputs. */
async function storeMounts({ scratchStore, storeDir, inputs }: BuildSandbox): Promise<string[]> {
  await chmod(scratchStore, 0o1775);
  const options = ["--bind", bytes(scratchStore), storeDir];
  for (const { source, target } of inputs) {
    const status = await lstat(source);
    if (status.isSymbolicLink()) {
      // A link cannot be mounted; a copy of it is the same.
      await symlink(await readlink(source), join(scratchStore, basename(target)));
      continue;
    }
    options.push("--ro-bind", bytes(source), target);
  }
  return options;
}

function parents(path: string): string[] {
  const folders: string[] = [];
  for (let slash = path.indexOf("/", 1); slash > 0; slash = path.indexOf("/", slash + 1))
    folders.push(path.slice(0, slash));
  return folders;
}

/** A path of this machine as a byte string. */
function bytes(path: string): string {
  return Buffer.from(path, "utf8").toString("latin1");
}
