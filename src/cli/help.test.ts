import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { program } from "./command-line.ts";
import type { World } from "./world.ts";

/** The commands that one can type, with what stands in front of each. */
function leaves(command: Command, path: readonly string[] = []): [string, Command][] {
  return command.commands.flatMap((one): [string, Command][] => {
    const here = [...path, one.name()];
    if (one.commands.length > 0) return leaves(one, here);
    return "_hidden" in one && one._hidden === true ? [] : [[here.join(" "), one]];
  });
}

describe("the help", () => {
  let shown = "";
  const write = (text: string | Uint8Array): void => void (shown += String(text));
  const root = program({
    world: { stdout: { write }, stderr: { write } } as unknown as World,
    execute: () => Promise.resolve(),
  });

  it.each(leaves(root))("of %s has a description, meanings of all options, and examples", (name, command) => {
    expect(command.description()).toMatch(/^[A-Z].*\.$/);
    for (const option of command.options) expect(option.description, option.flags).not.toBe("");
    shown = "";
    command.outputHelp();
    expect(shown).toMatch(new RegExp(`Examples:\\n(.*\\n)*?.*d2n ${name}`));
  });
});
