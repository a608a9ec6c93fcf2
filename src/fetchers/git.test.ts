import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silent } from "../base/index.ts";
import { fetchGit, type GitFetchRequest, readWorkingTree } from "./git.ts";

const environment = {
  PATH: process.env["PATH"],
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@example.org",
};

let folder: string;
let head: string;
let aside: string;
let fetches = 0;

const git = (cwd: string, ...args: string[]): string =>
  execFileSync("git", ["-c", "protocol.file.allow=always", "-C", cwd, ...args], {
    env: environment,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();

const repository = (name: string): string => {
  const path = join(folder, name);
  mkdirSync(path);
  git(path, "init", "-q", "-b", "main");
  return path;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "d2n-git-"));
  const part = repository("part");
  writeFileSync(join(part, "part.txt"), "part\n");
  git(part, "add", ".");
  git(part, "commit", "-qm", "part");
  const main = repository("main");
  writeFileSync(join(main, ".gitattributes"), "secret.txt export-ignore\ntests export-ignore\n");
  writeFileSync(join(main, "a.txt"), "a\n");
  writeFileSync(join(main, "secret.txt"), "s\n");
  mkdirSync(join(main, "tests"));
  writeFileSync(join(main, "tests/t.txt"), "t\n");
  git(main, "add", ".");
  git(main, "commit", "-qm", "first");
  git(main, "checkout", "-q", "-b", "aside");
  writeFileSync(join(main, "aside.txt"), "x\n");
  git(main, "add", ".");
  git(main, "commit", "-qm", "aside");
  aside = git(main, "rev-parse", "HEAD");
  git(main, "checkout", "-q", "main");
  git(main, "submodule", "add", "-q", "../part", "sub");
  git(main, "commit", "-qm", "with a submodule");
  head = git(main, "rev-parse", "HEAD");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function fetched(
  request: Omit<GitFetchRequest, "url">,
): Promise<{ files: string[]; revCount?: number | undefined }> {
  const destination = join(folder, `out${++fetches}`);
  const url = String(pathToFileURL(join(folder, "main")));
  const result = await fetchGit(
    { url, ...request },
    { environment, cacheDir: join(folder, "cache"), destination, sink: silent },
  );
  const files = readdirSync(destination, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(destination.length + 1))
    .sort();
  return { files, revCount: result.revCount };
}

describe("a commit", () => {
  test("has all its files", async () => {
    const { files, revCount } = await fetched({ rev: head });
    expect(files).toEqual([".gitattributes", ".gitmodules", "a.txt", "secret.txt", "tests/t.txt"]);
    expect(revCount).toBe(2);
  });

  test("without what is marked export-ignore", async () => {
    expect((await fetched({ rev: head, exportIgnore: true })).files).toEqual([
      ".gitattributes",
      ".gitmodules",
      "a.txt",
    ]);
  });

  test("with submodules that are named relative to the repository", async () => {
    expect((await fetched({ rev: head, submodules: true })).files).toContain("sub/part.txt");
    expect((await fetched({ rev: head, submodules: true, shallow: true })).files).toContain("sub/part.txt");
  });

  test("that the branch does not lead to", async () => {
    expect((await fetched({ rev: aside, ref: "main" })).files).toContain("aside.txt");
  });

  test("counts its history even after it was fetched without", async () => {
    expect((await fetched({ rev: head, shallow: true })).revCount).toBe(1);
    expect((await fetched({ rev: head })).revCount).toBe(2);
  });

  test("that there is none", async () => {
    await expect(fetched({ rev: "1".repeat(40) })).rejects.toMatchObject({ code: "git-failed" });
  });
});

test("the files of a checkout", async () => {
  const root = join(folder, "main");
  const names = async (options: { submodules?: boolean; exportIgnore?: boolean }): Promise<readonly string[]> =>
    (await readWorkingTree(root, { environment }, options)).files;
  expect(await names({})).toEqual([".gitattributes", ".gitmodules", "a.txt", "secret.txt", "tests/t.txt"]);
  expect(await names({ exportIgnore: true })).toEqual([".gitattributes", ".gitmodules", "a.txt"]);
  expect(await names({ submodules: true })).toContain("sub/part.txt");
});
