import { describe, expect, it } from "vitest";
import { commandFirst } from "./leading-options.ts";

describe("commandFirst()", () => {
  it("puts options in front of a command behind it, with their values", () => {
    expect(commandFirst(["--store", "/s", "-L", "build", "."])).toEqual(["build", "--store", "/s", "-L", "."]);
    expect(commandFirst(["--override-input", "a", "b", "store", "gc"])).toEqual([
      "store",
      "gc",
      "--override-input",
      "a",
      "b",
    ]);
    expect(commandFirst(["--store=/s", "run", ".#x", "--", "--store"])).toEqual([
      "run",
      "--store=/s",
      ".#x",
      "--",
      "--store",
    ]);
  });

  it("leaves everything else as it is", () => {
    for (const argv of [[], ["--help"], ["build", "--store", "x"], ["--", "x"], ["--store"], ["-L"]])
      expect(commandFirst(argv)).toEqual(argv);
  });
});
