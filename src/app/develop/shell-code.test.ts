import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { interactiveCode, shellCode } from "./shell-code.ts";

const run = (code: string, env: Record<string, string> = {}): string => {
  const { stdout, stderr, status } = spawnSync("bash", ["--noprofile", "--norc", "-c", code], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"]!, ...env },
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout;
};

const options = { outputs: new Map<string, string>(), outputsFolder: "/p/outputs", projectFolder: "/p" };

describe("shellCode()", () => {
  it("puts the user's PATH behind the shell's", () => {
    const code = shellCode({ ...options, environment: "export PATH='/s/bin'\nexport XDG_DATA_DIRS='/s/share'\n" });
    expect(run(`PATH=/u/bin; XDG_DATA_DIRS=/u/share; ${code}\necho "$PATH $XDG_DATA_DIRS"`)).toBe(
      "/s/bin:/u/bin /s/share:/u/share\n",
    );
    expect(run(`unset PATH XDG_DATA_DIRS; ${code}\necho "$PATH $XDG_DATA_DIRS"`)).toBe("/s/bin /s/share\n");
  });

  it("leaves PATH alone where the environment has none", () => {
    expect(
      run(`PATH=/u/bin; ${shellCode({ ...options, environment: "a='1'" })}\necho "$PATH $a \${XDG_DATA_DIRS-none}"`),
    ).toBe("/u/bin 1 none\n");
  });

  it("runs the hook last, and only its own", () => {
    expect(
      run(shellCode({ ...options, environment: "a='1'\nexport shellHook='echo hook $a $D2N_PROJECT_ROOT'" })),
    ).toBe("hook 1 /p\n");
    expect(run(shellCode({ ...options, environment: "a='1'" }), { shellHook: "echo inherited" })).toBe("");
  });

  it("writes no output to the store", () => {
    const code = shellCode({
      ...options,
      environment: "export out='/nix/store/x-a'\nexport flags='-rpath /nix/store/x-a/lib'",
      outputs: new Map([["out", "/nix/store/x-a"]]),
      outputsFolder: "/it's here/outputs",
    });
    expect(run(`${code}\necho "$out|$flags"`)).toBe("/it's here/outputs/out|-rpath /it's here/outputs/out/lib\n");
  });

  it("knows no project folder for a flake from elsewhere", () => {
    const code = shellCode({ ...options, environment: "", projectFolder: undefined });
    expect(run(`${code}\necho "\${D2N_PROJECT_ROOT-none}"`, { D2N_PROJECT_ROOT: "/other" })).toBe("none\n");
    expect(
      run(`${shellCode({ ...options, environment: "", projectFolder: "/a'b c" })}\necho "$D2N_PROJECT_ROOT"`),
    ).toBe("/a'b c\n");
  });
});

describe("interactiveCode()", () => {
  it("keeps the user's prompt", () => {
    const code = interactiveCode(
      shellCode({ ...options, environment: "PS1='changed'\nexport PS2='changed'\nPROMPT_COMMAND='changed'" }),
      { usersOwn: true },
    );
    expect(
      run(`PS1='me> ' PS2='more> '; ${code}\necho "$PS1|$PS2|\${PROMPT_COMMAND-none}"`, { HOME: "/nonexistent" }),
    ).toBe("me> |more> |none\n");
  });
});
