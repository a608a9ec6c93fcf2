import { describe, expect, it } from "vitest";
import { didYouMean, editDistance, redactCredentials } from "./index.ts";

describe("suggestions", () => {
  it("editDistance() counts a transposition as one", () => {
    expect(editDistance("biuld", "build")).toBe(1);
    expect(editDistance("", "abc")).toBe(3);
  });
  it("didYouMean() names the nearest candidates first", () => {
    expect(didYouMean("requirementList", ["requirementsList", "requirementsFiles", "name"])).toBe(
      "did you mean `requirementsList` or `requirementsFiles`?",
    );
    expect(didYouMean("xyz", ["requirementsList"])).toBeUndefined();
  });
});

describe("redactCredentials()", () => {
  it("hides user and password of URLs and leaves the rest", () => {
    expect(redactCredentials("from https://user:secret@example.org/simple and git+ssh://git@h/x")).toBe(
      "from https://***@example.org/simple and git+ssh://***@h/x",
    );
  });
});
