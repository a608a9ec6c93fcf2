/** An index that wants a password, which pip is configured with: nobody but pip may get to know it. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Outcome, program, repository, Rig, shown } from "./rig.ts";

const rig = new Rig({ sharedStore: true });
const password = "s3cr3t-of-mine";
const lockName = "lock.x86_64-linux.json";
let project: string;
let server: Server;
let env: Record<string, string>;
/** Paths that were asked for with the right password. */
const asked: string[] = [];
/** Called when somebody asks for the package that never comes. */
let onHang = (_socket: Socket): void => {};

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  rig.remove();
});

beforeAll(async () => {
  const sources = await rig.project({
    "withheld-1.0/pyproject.toml":
      '[build-system]\nrequires = ["setuptools>=61"]\n[project]\nname = "withheld"\nversion = "1.0"\n',
    "withheld-1.0/withheld.py": "",
  });
  expect((await rig.run(sources, "tar", ["-czf", "withheld-1.0.tar.gz", "withheld-1.0"])).status).toBe(0);
  const archive = readFileSync(join(sources, "withheld-1.0.tar.gz"));
  const sha256 = createHash("sha256").update(archive).digest("hex");
  server = createServer((request, response) => {
    const expected = `Basic ${Buffer.from(`me:${password}`).toString("base64")}`;
    if (request.headers.authorization !== expected) {
      response.writeHead(401, { "www-authenticate": "Basic" }).end();
      return;
    }
    asked.push(request.url!);
    if (request.url === "/simple/withheld/")
      response
        .writeHead(200, { "content-type": "text/html" })
        .end(`<a href="/files/withheld-1.0.tar.gz#sha256=${sha256}" data-yanked="">withheld-1.0.tar.gz</a>`);
    else if (request.url === "/files/withheld-1.0.tar.gz") response.end(archive);
    else if (request.url === "/simple/hangs/") onHang(request.socket);
    else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  env = { PIP_EXTRA_INDEX_URL: `http://me:${password}@127.0.0.1:${port}/simple` };
  project = await rig.project({
    "flake.nix": readFileSync(join(repository, "examples/pillow/flake.nix"), "utf8"),
    "default.nix": `{ config, dream2nix, ... }: {
  imports = [ dream2nix.modules.dream2nix.pip ];
  deps = { nixpkgs, ... }: { python = nixpkgs.python3; };
  name = "withheld";
  version = "1.0";
  pip.requirementsList = [ "withheld==1.0" ];
}
`,
  });
});

const secretFree = (outcome: Outcome): void => {
  expect(outcome.stderr + outcome.stdout).not.toContain(password);
};

describe("a private index", { timeout: 900_000 }, () => {
  it("is used for locking, and leaves no trace of its password", async () => {
    const outcome = await rig.d2n(project, ["run", "-v", ".#default.lock"], { env });
    expect(outcome.status, shown(outcome)).toBe(0);
    secretFree(outcome);
    expect(outcome.stderr).toContain("withdrawn (yanked)");
    const lock = readFileSync(join(project, lockName), "utf8");
    expect(lock).toContain("/files/withheld-1.0.tar.gz");
    for (const text of [lock, readFileSync(join(project, "d2n.lock"), "utf8")]) expect(text).not.toMatch(/s3cr3t|me:/);
  });

  it("is not asked again for what locking has fetched", async () => {
    const before = asked.length;
    const unseen = await rig.d2n(project, ["build"]);
    expect(unseen.stderr).toContain(`the lock file ${lockName} of withheld is not tracked by git`);
    expect(unseen.stderr).toContain(`git -C ${project} add ${lockName}`);
    expect((await rig.run(project, "git", ["add", lockName])).status).toBe(0);
    const outcome = await rig.d2n(project, ["build"]);
    expect(outcome.status, shown(outcome)).toBe(0);
    expect(asked.slice(before)).toEqual([]);
    secretFree(outcome);
  });

  it("does not give its password away when locking fails", async () => {
    const file = join(project, "default.nix");
    writeFileSync(file, readFileSync(file, "utf8").replace("withheld==1.0", "withheld==9"));
    const outcome = await rig.d2n(project, ["run", "-v", ".#default.lock"], { env });
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain("withheld==9");
    secretFree(outcome);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 130],
    ["SIGKILL", 128],
  ] as const)("that never answers is left behind by %s, and the lock file as it was", async (signal, exitStatus) => {
    const file = join(project, "default.nix");
    writeFileSync(file, readFileSync(file, "utf8").replace("withheld==9", "hangs"));
    const before = readFileSync(join(project, lockName), "utf8");
    const pid = join(rig.folder, "pid");
    let disconnected: Promise<unknown> = Promise.reject(new Error("pip has not asked"));
    disconnected.catch(() => {});
    onHang = (socket) => {
      disconnected = once(socket, "close");
      process.kill(Number(readFileSync(pid, "utf8")), signal);
    };
    const command = `echo $$ > '${pid}'; exec '${process.execPath}' '${program}' run .#default.lock`;
    const outcome = await rig.run(project, "/bin/sh", ["-c", command], { env });
    expect(outcome.status, shown(outcome)).toBe(exitStatus);
    expect(readFileSync(join(project, lockName), "utf8")).toBe(before);
    const status = await rig.run(project, "git", ["status", "--porcelain"]);
    expect(status.stdout).not.toMatch(/^\?\? (?!result)/m);
    // pip is gone as well, however d2n ended.
    await disconnected;
  });
});
