/** A project that pdm locks: with the real pdm out of the real index, from the template to the program. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasStack, Rig, shown } from "./rig.ts";

const rig = new Rig({ sharedStore: true });
afterAll(() => rig.remove());

let project: string;
const git = (...args: string[]) => rig.run(project, "git", args);

beforeAll(async () => {
  project = await rig.project({});
  const outcome = await rig.d2n(project, ["flake", "init", "-t", "pdm"]);
  expect(outcome.status, shown(outcome)).toBe(0);
  // A build system that no package set has, and a requirement that there is only the source of.
  const file = join(project, "pyproject.toml");
  writeFileSync(
    file,
    readFileSync(file, "utf8")
      .replace('requires = ["setuptools"]', 'requires = ["pdm-pep517>=1"]')
      .replace("setuptools.build_meta", "pdm.pep517.api")
      .replace('  "requests",', '  "requests",\n  "docopt==0.6.2",'),
  );
  await git("add", ".");
});

describe("the template pdm", { timeout: 900_000 }, () => {
  it("says how to lock before it is locked", async () => {
    const outcome = await rig.d2n(project, ["build", ".#default"]);
    expect(outcome.status, shown(outcome)).toBe(1);
    expect(outcome.stderr).toMatch(/pdm\.lock[\s\S]*d2n run \.#default\.lock/);
    expect(hasStack(outcome)).toBe(false);
  });

  it("is locked by a pdm that d2n.lock pins", async () => {
    const outcome = await rig.d2n(project, ["run", ".#default.lock"]);
    expect(outcome.status, shown(outcome)).toBe(0);
    expect(readFileSync(join(project, "pdm.lock"), "utf8")).toMatch(/^name = "requests"$/m);
    const { pip, python } = JSON.parse(readFileSync(join(project, "d2n.lock"), "utf8")) as {
      pip: Record<string, string>;
      python: Record<string, { sources: Record<string, { backend: string; inputs: string[] }> }>;
    };
    expect(Object.keys(python)).toEqual(["pdm.lock"]);
    const { sources } = python["pdm.lock"]!;
    expect(Object.keys(sources)).toEqual(["docopt==0.6.2", "my-tool"]);
    expect(sources["my-tool"]).toMatchObject({
      backend: "pdm.pep517.api",
      inputs: expect.arrayContaining([expect.stringMatching(/^pdm-pep517==1/)]) as string[],
    });
    expect(
      Object.keys(pip).filter((name) => /^pdm-cp\d+-\S+-linux\/pdm-[\d.]+-py3-none-any\.whl$/.test(name)),
    ).toHaveLength(1);
    expect(existsSync(join(project, ".pdm-python"))).toBe(false);
    const lock = readFileSync(join(project, "pdm.lock"));
    const again = await rig.d2n(project, ["run", ".#default.lock"]);
    expect(again.status, shown(again)).toBe(0);
    expect(readFileSync(join(project, "pdm.lock"))).toEqual(lock);
    await git("add", ".");
  });

  it("builds and runs", async () => {
    const outcome = await rig.d2n(project, ["build", ".#default"]);
    expect(outcome.status, shown(outcome)).toBe(0);
    const run = await rig.run(project, join(project, "result/bin/my-tool"), []);
    expect(run.status, shown(run)).toBe(0);
  });

  it("has a shell with the project and its packages", async () => {
    const outcome = await rig.d2n(project, [
      ...["develop", ".#default", "-c", "python", "-c"],
      "import docopt, my_tool, requests; print(my_tool.__file__)",
    ]);
    expect(outcome.status, shown(outcome)).toBe(0);
    expect(outcome.stdout.trim()).toBe(join(project, "src/my_tool/__init__.py"));
  });

  it("warns of a stale lock, and refuses one that lacks a group", async () => {
    writeFileSync(
      join(project, "pyproject.toml"),
      readFileSync(join(project, "pyproject.toml"), "utf8").replace('"requests"', '"requests>=2"'),
    );
    const stale = await rig.d2n(project, ["eval", ".#default.drvPath"]);
    expect(stale.status, shown(stale)).toBe(0);
    expect(stale.stderr).toContain("pdm.lock was made for another pyproject.toml");
    appendFileSync(join(project, "pyproject.toml"), '\n[dependency-groups]\nmore = ["simplejson"]\n');
    const file = join(project, "default.nix");
    writeFileSync(file, readFileSync(file, "utf8").replace("pdm.lockfile", 'pdm.group = "more";\n  pdm.lockfile'));
    const outcome = await rig.d2n(project, ["eval", ".#default.drvPath"]);
    expect(outcome.status, shown(outcome)).toBe(1);
    expect(outcome.stderr).toMatch(/has no `simplejson`, which pyproject\.toml requires/);
  });
});
