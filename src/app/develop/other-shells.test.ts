import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { otherShell } from "./other-shells.ts";

const folder = mkdtempSync(join(tmpdir(), "d2n shells it's "));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const home = join(folder, "home");
const write = (file: string, text: string): string => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};
const shellAt = (shell: string | undefined): ReturnType<typeof otherShell> =>
  otherShell(shell, (name, text) => write(join(folder, name), text));

/** Lets the shell start as it would in a terminal, but read its commands from a text; fish does so only where it need not prompt. */
function type(shell: string, commands: string, environment: Record<string, string> = {}): string {
  const { script, words } = shellAt(shell)!;
  const result = spawnSync(
    "bash",
    [
      "--noprofile",
      "--norc",
      "-c",
      `_d2n_words=("$@"); PATH=/dev-shell/bin:$PATH; exec < <(printf %s "$COMMANDS"); unset COMMANDS; ${script}`,
      "bash",
      ...words.filter((word) => word !== "-i" || shell.endsWith("zsh")),
    ],
    {
      encoding: "utf8",
      cwd: folder,
      env: { PATH: "/usr/bin:/bin", HOME: home, TERM: "dumb", COMMANDS: commands, ...environment },
    },
  );
  return result.stdout;
}

describe("otherShell()", () => {
  it("is for zsh and fish", () => {
    expect(shellAt(undefined)).toBeUndefined();
    expect(shellAt("/bin/sh")).toBeUndefined();
    expect(shellAt("/nonexistent/zsh")).toBeUndefined();
  });

  it.skipIf(!existsSync("/usr/bin/zsh"))("lets zsh read the user's files, and puts the shell's programs first", () => {
    write(join(home, ".zshenv"), "ENVIRONMENT=read\n");
    write(join(home, ".zshrc"), "PATH=/version-manager/bin:$PATH\nSTARTUP=read\n");
    const commands = 'echo "$ENVIRONMENT $STARTUP ${ZDOTDIR-none} ${_D2N_PATH-none}"; echo "path $PATH"; exit\n';
    const shown = type("/usr/bin/zsh", commands);
    expect(shown).toContain("read read none none");
    expect(shown).toContain("path /dev-shell/bin:/usr/bin:/bin:/version-manager/bin\n");
    const other = join(folder, "other dot files");
    write(join(other, ".zshrc"), "STARTUP=other\n");
    expect(type("/usr/bin/zsh", commands, { ZDOTDIR: other })).toContain(` other ${other} none`);
  });

  it.skipIf(!existsSync("/usr/bin/fish"))("lets fish read the user's file, and puts the shell's programs first", () => {
    write(
      join(home, ".config/fish/config.fish"),
      "set -gx PATH /version-manager/bin $PATH\nset -g STARTUP read\nset -g fish_greeting\n",
    );
    const shown = type("/usr/bin/fish", 'echo "$STARTUP [$_D2N_PATH]"; echo "path $PATH"; exit\n');
    expect(shown).toContain("read []");
    expect(shown).toContain("path /dev-shell/bin:/usr/bin:/bin:/version-manager/bin\n");
  });
});
