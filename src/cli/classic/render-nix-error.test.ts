import { describe, expect, it } from "vitest";
import { D2nError, type TraceFrame } from "../../base/index.ts";
import { renderNixError } from "./render-nix-error.ts";

const location = { file: "/a.nix", line: 2, column: 3, text: "  x", previous: "let", next: "in" };
const plain = { showTrace: false, color: false };

function failure(trace: readonly TraceFrame[] = [], message = "bad"): D2nError {
  return new D2nError("evaluation", message, { trace });
}

describe("renderNixError", () => {
  it("shows a message alone", () => {
    expect(renderNixError(failure([], "first\nsecond"), plain)).toBe("error: first\n       second\n");
  });

  it("shows the place with its neighbours, and suggestions", () => {
    const error = new D2nError("evaluation", "attribute 'b' missing", { location, suggestions: ["a", "c", "d"] });
    expect(renderNixError(error, plain)).toBe(`error: attribute 'b' missing
       at /a.nix:2:3:
            1| let
            2|   x
             |   ^
            3| in
       Did you mean one of a, c or d?
`);
  });

  it("shows the outermost step first", () => {
    const error = failure([{ message: "inner", location }, { message: "outer" }]);
    expect(renderNixError(error, plain)).toBe(`error:
       … outer

       … inner
         at /a.nix:2:3:
            1| let
            2|   x
             |   ^
            3| in

       error: bad
`);
  });

  it("cuts the trace short, but for what the user added", () => {
    const steps = Array.from({ length: 9 }, (_, i): TraceFrame => ({ message: `step ${i}` }));
    const text = renderNixError(failure([{ message: "mine", always: true }, ...steps]), plain);
    expect(text.match(/step/g)).toHaveLength(4);
    expect(text).toContain("… mine");
    expect(text).toContain("(stack trace truncated; use '--show-trace' to show the full, detailed trace)");
    expect(renderNixError(failure(steps), { ...plain, showTrace: true }).match(/step/g)).toHaveLength(9);
  });

  it("leaves calls out unless all is wanted", () => {
    const error = failure([{ message: "from call site", verbose: true }]);
    expect(renderNixError(error, plain)).not.toContain("call site");
    expect(renderNixError(error, { ...plain, showTrace: true })).toContain("call site");
  });

  it("counts what repeats", () => {
    const frames = Array.from({ length: 20 }, (): TraceFrame => ({ message: "again", location }));
    const text = renderNixError(failure(frames), { ...plain, showTrace: true });
    expect(text.match(/… again/g)).toHaveLength(1);
    expect(text).toContain("(19 duplicate frames omitted)");
    expect(renderNixError(failure(frames.slice(0, 4)), { ...plain, showTrace: true }).match(/… again/g)).toHaveLength(
      4,
    );
  });

  it("lets nothing through that moves a terminal's cursor", () => {
    expect(renderNixError(failure([], "a\u001b[2Jb\r\u0007c\td"), plain)).toBe("error: abc      d\n");
  });

  it("calls bugs bugs, without a stack", () => {
    const text = renderNixError(new TypeError("x is undefined"), plain);
    expect(text).toContain("bug of d2n");
    expect(text).not.toMatch(/^ +at /m);
  });
});
