import { describe, expect, it } from "vitest";
import { environmentOptions, joinEnvironmentOptions } from "./environment-options.ts";

const joined = (line: string): string => joinEnvironmentOptions(line.split(" ")).join(" ").replaceAll("\u0000", "|");

describe("joinEnvironmentOptions()", () => {
  it("knows Nix's other names, and joins two values", () => {
    expect(joined("develop --ignore-environment --keep A --unset B -s C 1")).toBe(
      "develop --ignore-env --keep-env-var A --unset-env-var B --set-env-var=C|1",
    );
    expect(() => joined("develop -s C")).toThrow("`-s` wants the name of a variable and its value");
  });

  it("leaves other commands and the words of programs alone", () => {
    expect(joined("build -s A 1")).toBe("build -s A 1");
    expect(joined("run -s A 1 --store --keep . -s B 2")).toBe("run --set-env-var=A|1 --store --keep . -s B 2");
    expect(joined("shell a -u --keep -s A 1 -- --keep")).toBe("shell a -u --keep --set-env-var=A|1 -- --keep");
  });
});

describe("environmentOptions()", () => {
  it("takes them apart and checks them", () => {
    expect(environmentOptions({ ignoreEnv: true, keepEnvVar: ["A"], setEnvVar: ["B\u00001=2"] })).toEqual({
      ignore: true,
      keep: ["A"],
      unset: [],
      set: [["B", "1=2"]],
    });
    expect(() => environmentOptions({ setEnvVar: ["B"] })).toThrow("wants the name");
    expect(() => environmentOptions({ keepEnvVar: ["B"] })).toThrow("no sense");
  });
});
