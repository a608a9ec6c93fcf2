import { describe, expect, it } from "vitest";
import { commandOf, joinCommand } from "./develop.ts";

describe("joinCommand()", () => {
  const parse = (...argv: string[]): readonly (string | readonly string[])[] => {
    const joined = joinCommand(argv);
    const last = joined.at(-1)!;
    return last.startsWith("--command=")
      ? [...joined.slice(0, -1), commandOf({ command: last.slice("--command=".length) })!]
      : joined;
  };

  it("takes everything behind -c as the command", () => {
    expect(parse("develop", ".#a", "-c", "python", "-c", "print(1)", "--offline", "")).toEqual([
      "develop",
      ".#a",
      ["python", "-c", "print(1)", "--offline", ""],
    ]);
    expect(parse("shell", "--offline", "--command", "ls")).toEqual(["shell", "--offline", ["ls"]]);
  });

  it("leaves other commands and words behind -- alone", () => {
    expect(parse("run", ".#a", "-c", "x")).toEqual(["run", ".#a", "-c", "x"]);
    expect(parse("develop", "--", "-c", "x")).toEqual(["develop", "--", "-c", "x"]);
    expect(parse("develop")).toEqual(["develop"]);
  });

  it("refuses -c without a command", () => {
    expect(() => joinCommand(["develop", "-c"])).toThrow("`-c` wants a command");
  });
});
