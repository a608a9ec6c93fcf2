import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { Context } from "../context.ts";
import type { Job, JobResult, ProjectMessage } from "./protocol.ts";
import { recallResult, recallUnchanged, rememberResult } from "./result-cache.ts";

const top = mkdtempSync(join(tmpdir(), "d2n-results-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));

describe("kept results", () => {
  let folder: string;
  let context: Context;
  let job: Job;
  let project: ProjectMessage;
  const result: JobResult = {
    value: { type: "text", text: "42", context: [] },
    newLockFile: undefined,
    lockChanges: [],
    newPins: undefined,
    impure: false,
  };
  const locked = { ...result, newLockFile: "{}" };
  const write = (name: string, text = ""): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    utimesSync(file, 1_000_000_000, 1_000_000_000);
    return file;
  };
  const known = (): boolean => recallResult(context, job) !== undefined;
  const remember = async (
    given: { watched?: readonly string[]; unlocked?: boolean } = {},
    kept: JobResult = result,
  ): Promise<boolean> => {
    expect(known()).toBe(false);
    // What was written at this very moment might have changed since.
    const { ctimeMs } = statSync(join(folder, "project/flake.nix"));
    while (Date.now() <= ctimeMs + 30);
    fresh();
    known();
    await rememberResult(context, job, { project, watched: [], unlocked: false, ...given }, kept);
    return known();
  };
  const fresh = (options: { noWriteLockFile?: boolean } = {}): void => {
    context = new Context({
      environment: { HOME: folder, D2N_STORE: join(folder, "store") },
      cwd: join(folder, "project"),
      sink: () => {},
      signal: new AbortController().signal,
      uid: 1000,
      options,
    });
  };

  beforeEach(() => {
    folder = mkdtempSync(join(top, "world-"));
    for (const name of ["project", "input"]) mkdirSync(join(folder, name));
    fresh();
    const settings = { pure: true, cwd: context.cwd } as Job["settings"];
    job = { kind: "metadata", reference: ".", settings };
    const root = join(folder, "project");
    project = {
      tree: { outPath: "/nix/store/x-source", locked: [], info: [] },
      dir: "",
      display: "project",
      lockFile: undefined,
      root,
    };
    write("project/flake.nix", "{ }");
  });

  it("hold while nothing changes", async () => {
    expect(await remember()).toBe(true);
    write("project/flake.nix", "{  }");
    expect(known()).toBe(false);
  });

  it("hold no longer once d2n.lock of an input on this machine changes, comes or goes", async () => {
    const file = write("input/d2n.lock", "1");
    const gone = join(folder, "input/sub/d2n.lock");
    expect(await remember({ watched: [file, gone] })).toBe(true);
    expect(recallUnchanged(context, job, project)).toMatchObject({ watched: [file, gone] });
    write("input/d2n.lock", "2");
    expect(known()).toBe(false);
    expect(recallUnchanged(context, job, project)).toBeUndefined();
    write("input/d2n.lock", "1");
    // Touched only: a closer look tells.
    expect(known()).toBe(false);
    expect(recallUnchanged(context, job, project)).toBeDefined();
    mkdirSync(join(folder, "input/sub"));
    write("input/sub/d2n.lock");
    expect(known()).toBe(false);
    expect(recallUnchanged(context, job, project)).toBeUndefined();
  });

  it("hold no longer once a lock changes that a link leads to", async () => {
    const target = write("elsewhere", "1");
    symlinkSync(target, join(folder, "project/d2n.lock"));
    expect(await remember()).toBe(true);
    const other = write("other", "2");
    renameSync(other, target);
    expect(known()).toBe(false);
  });

  it("are not kept of inputs that no lock names", async () => {
    expect(await remember({ unlocked: true })).toBe(false);
    expect(await remember({ unlocked: true }, locked)).toBe(true);
  });

  it("are not kept where the lock was not written", async () => {
    fresh({ noWriteLockFile: true });
    known();
    await rememberResult(context, job, { project, watched: [], unlocked: true }, locked);
    expect(known()).toBe(false);
  });

  it("are not kept of files that changed meanwhile", async () => {
    known();
    const { ctimeMs } = statSync(join(folder, "project/flake.nix"));
    while (Date.now() <= ctimeMs + 30);
    fresh();
    known();
    const file = write("input/d2n.lock", "1");
    await rememberResult(context, job, { project, watched: [file], unlocked: false }, result);
    expect(known()).toBe(false);
  });
});
