import { describe, expect, it } from "vitest";
import { checkEnvironmentOptions, chosenEnvironment, type EnvironmentOptions } from "./environment-options.ts";

const none: EnvironmentOptions = { ignore: false, keep: [], unset: [], set: [] };
const user = { HOME: "/home/u", PATH: "/usr/bin", SECRET: "s", OTHER: "o" };

describe("chosenEnvironment()", () => {
  it("is the user's, unless options say otherwise", () => {
    expect(chosenEnvironment(user, none)).toEqual(user);
    expect(chosenEnvironment(user, { ...none, unset: ["SECRET"], set: [["OTHER", "1"]] })).toEqual({
      HOME: "/home/u",
      PATH: "/usr/bin",
      OTHER: "1",
    });
  });

  it("is a terminal's and what is kept, if the user's is ignored", () => {
    expect(chosenEnvironment(user, { ...none, ignore: true })).toEqual({ HOME: "/home/u", PATH: "" });
    expect(chosenEnvironment(user, { ...none, ignore: true, keep: ["PATH", "OTHER"], set: [["A", ""]] })).toEqual({
      HOME: "/home/u",
      PATH: "/usr/bin",
      OTHER: "o",
      A: "",
    });
  });
});

describe("checkEnvironmentOptions()", () => {
  it.each([
    [{ ignore: true, unset: ["A"] }, "no sense with `--ignore-env`"],
    [{ keep: ["A"] }, "no sense without `--ignore-env`"],
    [{ unset: ["A"], set: [["A", "1"]] }, "both set and unset"],
    [
      {
        set: [
          ["A", "1"],
          ["A", "2"],
        ],
      },
      "twice",
    ],
  ] as readonly [Partial<EnvironmentOptions>, string][])("refuses contradictions: %j", (options, message) => {
    expect(() => checkEnvironmentOptions({ ...none, ...options })).toThrow(message);
  });
});
