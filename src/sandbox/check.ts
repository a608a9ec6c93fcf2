/** Whether this machine lets a sandbox be made, and if not, why and what to change. */
import { existsSync, readFileSync } from "node:fs";
import { startBubblewrap } from "./bubblewrap.ts";
import { SandboxError } from "./errors.ts";
import type { SandboxTools } from "./types.ts";

/**
 * "user-namespace": the normal way. "root": user namespaces are not to be had, but this is root, who does not need them;
 * builders then run as user 0 without any capability.
 */
export type SandboxMode = "user-namespace" | "root";

const checked = new Map<string, Promise<SandboxMode>>();

/**
 * Tries the sandbox once per process.
 * @throws SandboxError that says what forbids it and what to change
 */
export function checkSandbox(tools: SandboxTools): Promise<SandboxMode> {
  const key = [...tools.bubblewrap, tools.shell].join("\0");
  let result = checked.get(key);
  if (result === undefined) {
    result = probe(tools);
    checked.set(key, result);
    result.catch(() => checked.delete(key));
  }
  return result;
}

async function probe(tools: SandboxTools): Promise<SandboxMode> {
  const first = await attempt(tools, ["--unshare-user", "--uid", "1000", "--gid", "100"]);
  if (first === undefined) return "user-namespace";
  if (process.getuid?.() === 0 && (await attempt(tools, ["--cap-drop", "ALL"])) === undefined) return "root";
  throw explain(first);
}

/** Undefined if it works, else what bubblewrap said. */
async function attempt(tools: SandboxTools, user: readonly string[]): Promise<string | undefined> {
  const { process: child, ended } = startBubblewrap(tools, {
    options: [
      ...user,
      ...[
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-uts",
        "--unshare-cgroup-try",
        "--die-with-parent",
        "--as-pid-1",
      ],
      ...[
        "--ro-bind",
        Buffer.from(tools.shell, "utf8").toString("latin1"),
        "/bin/sh",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
      ],
    ],
    command: ["/bin/sh", "-c", ":"],
    output: "pipe",
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => (said += text));
  const { commandStatus, code, signal } = await ended;
  if (commandStatus === 0) return undefined;
  return said.trim() || `bubblewrap ended with ${signal ?? `status ${code}`}`;
}

/** After a sandbox failed to start although the check passed, or passed long ago. */
export async function explainFailure(tools: SandboxTools, code: number | null): Promise<SandboxError> {
  checked.clear();
  try {
    await checkSandbox(tools);
  } catch (error) {
    if (error instanceof SandboxError) return error;
    throw error;
  }
  return new SandboxError(
    `the sandbox of the build could not be set up (bubblewrap ended with status ${code}); the log says why`,
  );
}

function setting(path: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${path}`, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** What bubblewrap said and what the kernel's settings tell, turned into advice. */
function explain(said: string): SandboxError {
  const details = said;
  if (setting("user/max_user_namespaces") === "0")
    return new SandboxError(
      "builds need user namespaces, and this machine allows none (user.max_user_namespaces is 0)",
      {
        hint: "Ask the administrator to run `sysctl -w user.max_user_namespaces=15000`, and to put that setting into /etc/sysctl.d to make it last.",
        details,
      },
    );
  if (setting("kernel/unprivileged_userns_clone") === "0")
    return new SandboxError(
      "builds need user namespaces, and this machine allows them to root only (kernel.unprivileged_userns_clone is 0)",
      {
        hint: "Ask the administrator to run `sysctl -w kernel.unprivileged_userns_clone=1`, and to put that setting into /etc/sysctl.d to make it last.",
        details,
      },
    );
  if (setting("kernel/apparmor_restrict_unprivileged_userns") === "1")
    return new SandboxError(
      "builds need user namespaces, and AppArmor restricts them on this machine (kernel.apparmor_restrict_unprivileged_userns is 1)",
      {
        hint: "Install the system's own bubblewrap if its AppArmor profile allows them, or ask the administrator to run `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, and to put that setting into /etc/sysctl.d to make it last.",
        details,
      },
    );
  const container = containerKind();
  if (container !== undefined) {
    const masked = /proc/i.test(said);
    return new SandboxError(
      masked
        ? `builds need a /proc of their own, and this ${container} forbids to mount one`
        : `builds need user namespaces, and this ${container} forbids them`,
      {
        hint: masked
          ? "Start the container so that /proc is not masked: `docker run --security-opt systempaths=unconfined --security-opt seccomp=unconfined …`, `podman run --security-opt unmask=ALL …`."
          : "Start the container with `--security-opt seccomp=unconfined --security-opt systempaths=unconfined` (and `--security-opt apparmor=unconfined` where there is AppArmor), or with `--privileged`.",
        details,
      },
    );
  }
  return new SandboxError("the build sandbox cannot be set up: the kernel refuses what bubblewrap asks for", {
    hint: "Builds need unprivileged user namespaces and a mountable /proc. Below is what bubblewrap says.",
    details,
  });
}

/** What kind of container this is, if it is one. */
function containerKind(): string | undefined {
  if (existsSync("/.dockerenv")) return "Docker container";
  if (existsSync("/run/.containerenv")) return "Podman container";
  try {
    const cgroups = readFileSync("/proc/1/cgroup", "utf8");
    if (/kubepods/.test(cgroups)) return "Kubernetes container";
    if (/docker|containerd|lxc|libpod/.test(cgroups)) return "container";
  } catch {
    // Not readable: then nothing is known.
  }
  return existsSync("/run/systemd/container") ? "container" : undefined;
}
