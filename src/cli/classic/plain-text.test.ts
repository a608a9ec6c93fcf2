import { describe, expect, it } from "vitest";
import { plainText } from "./plain-text.ts";

describe("plainText", () => {
  it("drops colours, links, carriage returns and bells", () => {
    expect(plainText("\u001b[31;1mred\u001b[0m \u001b]8;;file:x\u0007link\u001b]8;;\u001b\\ a\rb\u0007")).toBe(
      "red link ab",
    );
  });

  it("expands tabs by columns that lines do not start anew", () => {
    expect(plainText("trace: a\tb\n\tcccccccc\td")).toBe("trace: a        b\n       cccccccc        d");
  });

  it("knows how wide characters are", () => {
    expect(plainText("漢\tc")).toBe("漢      c");
    expect(plainText("e\u0301\td")).toBe("e\u0301       d");
  });
});
