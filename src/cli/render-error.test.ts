import { describe, expect, it } from "vitest";
import { D2nError } from "../base/index.ts";
import { renderError } from "./render-error.ts";

const plain = { color: false, showTrace: false, debug: false };

describe("renderError()", () => {
  it("shows message, place, line, details and hint", () => {
    const error = new D2nError("evaluation", "undefined variable 'x'", {
      location: { file: "/p/default.nix", line: 3, column: 5, text: "  a = x;" },
      details: "more",
      hint: "Define it.",
    });
    expect(renderError(error, plain)).toBe(
      [
        "error: undefined variable 'x'",
        "       at /p/default.nix:3:5",
        "            3 |   a = x;",
        "              |     ^",
        "",
        "       more",
        "",
        "hint: Define it.",
        "",
      ].join("\n"),
    );
  });

  it("shows no JavaScript stack unless asked for", () => {
    const bug = new Error("oops");
    expect(renderError(bug, plain)).not.toMatch(/^ +at /m);
    expect(renderError(bug, plain)).toContain("bug");
    expect(renderError(bug, { ...plain, debug: true })).toContain("render-error.test");
  });

  it("survives lines without end", () => {
    const error = new D2nError("syntax", "bad", {
      location: { file: "f", line: 1, column: 100_000, text: "x".repeat(200_000) },
    });
    expect(renderError(error, plain).length).toBeLessThan(1000);
  });
});
