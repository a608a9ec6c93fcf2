/** `nix repl` of the shims beside real Nix's, byte for byte, input coming from a pipe. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Rig } from "../e2e/rig.ts";
import { sessions, started } from "./repl-sessions.ts";

const oracle = process.env["NIX_ORACLE"];
const rig = new Rig();
afterAll(() => rig.remove());

describe.skipIf(!oracle)("nix repl", () => {
  const project = join(rig.folder, "project");
  const shims = join(rig.folder, "shims");
  const features = ["--extra-experimental-features", "nix-command flakes"];

  beforeAll(async () => {
    mkdirSync(project);
    const files = {
      "set.nix": "{ a = 1; b = { c = 2; d = [ 1 2 { e = 3; } ]; }; f = x: x; }\n",
      "fn.nix": "{ y ? 2 }: { z = y; }\n",
      "bad.nix": "{ a = ; }\n",
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
    await rig.d2n(rig.folder, ["shims", shims]);
  });

  function both(args: readonly string[], input: string): void {
    const run = (program: string, first: readonly string[]): unknown => {
      const { status, stdout, stderr } = spawnSync(program, [...first, ...features, "repl", ...args], {
        cwd: project,
        env: { ...rig.environment, NIX_PATH: "" },
        input: Buffer.from(input, "latin1"),
        encoding: "latin1",
      });
      return { status, stdout: stdout.split("\n"), stderr: stderr.split("\n") };
    };
    const ours = run(join(shims, "nix"), []);
    expect(ours).toEqual(run(oracle!, ["nix", "--store", join(rig.folder, "theirs")]));
  }

  const bytes = (lines: readonly string[]): string =>
    Buffer.from(lines.map((line) => `${line}\n`).join(""), "utf8").toString("latin1");

  it.each(Object.keys(sessions))("says the same: %s", (name) => both([], bytes(sessions[name]!)));

  it.each(started)("says the same: $args", ({ args, lines }) => both(args, bytes(lines)));

  it("takes bytes that are no text", () => both([], '"\xff"\nthrow "\xff"\n{ "\xe4" = 1; }\n'));

  it("takes an input that never ends", () => both([], "{ a ="));
});
