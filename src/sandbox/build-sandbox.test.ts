import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BuildEnd, type BuildSandbox, runBuild, type SandboxTools } from "./index.ts";

const bubblewrap = process.env.D2N_TEST_BWRAP;
const shell = process.env.D2N_TEST_BUSYBOX;

describe.skipIf(!bubblewrap || !shell)("runBuild()", () => {
  const tools: SandboxTools = { bubblewrap: bubblewrap?.split(" ") ?? [], shell: shell ?? "" };
  let directory: string;
  const folder = (...parts: string[]) => join(directory, ...parts);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "d2n-sandbox-"));
  });
  afterEach(() => {
    execFileSync("chmod", ["-R", "u+rwX", directory]);
    rmSync(directory, { recursive: true, force: true });
  });

  async function build(script: string, more: Partial<BuildSandbox> = {}): Promise<{ end: BuildEnd; log: string }> {
    for (const name of ["store", "build", "scratch"]) {
      rmSync(folder(name), { recursive: true, force: true });
      mkdirSync(folder(name));
    }
    const chunks: Buffer[] = [];
    const end = await runBuild({
      tools,
      storeDir: "/nix/store",
      scratchStore: folder("store"),
      buildDirectory: folder("build"),
      scratch: folder("scratch"),
      inputs: [],
      network: false,
      builder: "/bin/sh",
      args: ["-c", script],
      env: new Map([["PATH", "/path-not-set"]]),
      onOutput: (bytes) => chunks.push(bytes),
      ...more,
    });
    return { end, log: Buffer.concat(chunks).toString("latin1") };
  }

  const busybox = { mounts: [{ source: tools.shell, target: "/box/busybox" }] };
  const applets = (names: string) => `for a in ${names}; do eval "$a() { /box/busybox $a \\"\\$@\\"; }"; done; `;

  it("runs as user 1000 of group 100 on localhost, process 1, in /build, without network", async () => {
    const { end, log } = await build(
      `${applets("id hostname ls ip cat")} id -u; id -g; hostname; echo $$; pwd; ls /; ls /etc /nix/store; cat /etc/hosts; ip -o link | /box/busybox wc -l`,
      busybox,
    );
    expect(end).toEqual({ type: "exited", code: 0 });
    expect(log).toBe(
      "1000\n100\nlocalhost\n1\n/build\nbin\nbox\nbuild\ndev\netc\nnix\nproc\ntmp\n/etc:\ngroup\nhosts\npasswd\n\n/nix/store:\n127.0.0.1 localhost\n::1 localhost\n1\n",
    );
  });

  it("gives the environment as it is, bytes included, and nothing else", async () => {
    const env = new Map([
      ["PATH", "/path-not-set"],
      ["LD_LIBRARY_PATH", "/nonexistent"],
      ["bytes", "\xff\xfe a\nb"],
      ["empty", ""],
      ["out", "/nix/store/x"],
    ]);
    const { log } = await build("/box/busybox tr '\\0' ';' < /proc/1/environ; :", { ...busybox, env });
    expect(log.split(";").filter(Boolean).sort()).toEqual(
      [...env]
        .map(([name, value]) => `${name}=${value}`)
        .concat("PWD=/build")
        .sort(),
    );
  });

  it("shows the inputs and nothing else, read-only, links too", async () => {
    mkdirSync(folder("in"));
    writeFileSync(folder("in/file"), "content");
    writeFileSync(folder("plain"), "plain");
    symlinkSync("elsewhere", folder("link"));
    const { log } = await build(
      `${applets("cat ls readlink touch")} cd /nix/store; ls; cat a-in/file b-plain; readlink c-link; touch a-in/new || echo refused; echo x > b-plain || echo refused; touch /new || echo refused; echo made > /nix/store/d-out; echo t > /tmp/t; echo b > /build/b`,
      {
        ...busybox,
        inputs: [
          { source: folder("in"), target: "/nix/store/a-in" },
          { source: folder("plain"), target: "/nix/store/b-plain" },
          { source: folder("link"), target: "/nix/store/c-link" },
        ],
      },
    );
    expect(log).toContain("a-in\nb-plain\nc-link\ncontentplainelsewhere\n");
    expect(log.match(/refused/g)).toHaveLength(3);
    expect(readFileSync(folder("store/d-out"), "utf8")).toBe("made\n");
    expect(statSync(folder("store/d-out")).uid).toBe(process.getuid!());
    expect(readdirSync(folder("in"))).toEqual(["file"]);
    expect(readFileSync(folder("build/b"), "utf8")).toBe("b\n");
  });

  it("has the usual devices; /dev/stderr can be opened; output stays in order", async () => {
    const { log } = await build(
      `for d in null zero full random urandom tty ptmx; do [ -e /dev/$d ] || echo no $d; done; for i in 1 2 3; do echo o$i; echo e$i >&2; echo s$i > /dev/stderr; done; read x || echo eof; echo $(/box/busybox ls /proc/self/fd)`,
      busybox,
    );
    expect(log).toBe("o1\ne1\ns1\no2\ne2\ns2\no3\ne3\ns3\neof\n0 1 2 3\n");
  });

  it("refuses setuid bits and extended attributes", async () => {
    const { log } = await build(
      `${applets("chmod touch stat")} touch f; chmod 755 f && echo plain; chmod 4755 f || echo refused; chmod g+s f || echo refused; stat -c %a f`,
      busybox,
    );
    expect(log.replace(/^chmod.*\n/gm, "")).toBe("plain\nrefused\nrefused\n755\n");
  });

  it("tells how the builder ended", async () => {
    expect((await build("exit 7")).end).toEqual({ type: "exited", code: 7 });
    expect((await build("/box/busybox sh -c 'kill -9 $$'; exit $?", busybox)).end).toEqual({
      type: "killed",
      signal: 9,
    });
    const missing = await build("", { builder: "/nix/store/nothing" });
    expect(missing.end).not.toEqual({ type: "exited", code: 0 });
    expect(missing.log).toMatch(/No such file/);
  });

  it("ends with the builder, though it left a process behind", async () => {
    const start = Date.now();
    await build("/box/busybox sleep 30 & exit 0", busybox);
    expect(Date.now() - start).toBeLessThan(5000);
  });

  it("limits time and silence", async () => {
    expect((await build("/box/busybox sleep 30", { ...busybox, timeout: 300 })).end).toEqual({ type: "timeout" });
    expect(
      (await build("while :; do echo x; /box/busybox sleep 0.1; done", { ...busybox, maxSilent: 2000, timeout: 1000 }))
        .end,
    ).toEqual({ type: "timeout" });
    expect((await build("echo x; /box/busybox sleep 30", { ...busybox, maxSilent: 300 })).end).toEqual({
      type: "silence",
    });
  });

  it("leaves no process when it is aborted", async () => {
    const controller = new AbortController();
    const mark = `${31_000_000 + process.pid}`;
    setTimeout(() => controller.abort(), 500);
    await expect(
      build(`trap '' TERM INT; (/box/busybox setsid /box/busybox sleep ${mark}) & /box/busybox sleep ${mark}`, {
        ...busybox,
        signal: controller.signal,
      }),
    ).rejects.toMatchObject({ code: "interrupted" });
    expect(spawnSync("pgrep", ["-f", `sleep ${mark}`]).stdout.toString()).toBe("");
  });

  it("has name resolution and certificates for fixed outputs only", async () => {
    writeFileSync(folder("ca.crt"), "certificates");
    const { log } = await build("/box/busybox ls /etc; /box/busybox cat /etc/ssl/certs/ca-certificates.crt", {
      ...busybox,
      network: true,
      certificates: folder("ca.crt"),
    });
    expect(log).toContain("nsswitch.conf");
    expect(log).toContain("certificates");
  });

  it("says what is wrong with bubblewrap", async () => {
    await expect(build("", { tools: { ...tools, bubblewrap: ["/nonexistent/bwrap"] } })).rejects.toMatchObject({
      code: "sandbox-unavailable",
    });
    chmodSync(directory, 0o755);
    await expect(build("", { tools: { ...tools, bubblewrap: ["/bin/false"] } })).rejects.toMatchObject({
      code: "sandbox-unavailable",
    });
    expect(existsSync(folder("store"))).toBe(true);
  });
});
