import { describe, expect, it } from "vitest";
import { createEvaluator, type Lints } from "./index.ts";
import { MemoryHost } from "./testing.ts";

function parsed(text: string, lints: Lints): string[] {
  const host = new MemoryHost({ environment: { HOME: "/home/me" } });
  createEvaluator({ host, lints }).normalForm(text, { basePath: "/base" });
  return host.messages;
}

describe("lints", () => {
  it("say nothing unless asked", () => {
    expect(parsed("[ a/b /c ~/d http://example.org/ ]", { url: "ignore" })).toEqual([]);
  });

  it("warn with the place", () => {
    expect(parsed("[ a/b ./c ../d ]", { shortPath: "warn" })).toEqual([
      "warning: relative path literal 'a/b' should be prefixed with '.' for clarity: './a/b' (lint-short-path-literals)\n         at «string»:1:3",
    ]);
    expect(parsed("[ /a/b ~/c ./d ]", { absolutePath: "warn" })).toHaveLength(2);
  });

  it("refuse", () => {
    expect(() => parsed("http://example.org/", { url: "fatal" })).toThrow(
      'URL literals are disallowed. Consider using a string literal "http://example.org/" instead (lint-url-literals)',
    );
    expect(() => parsed("~/x", { absolutePath: "fatal" })).toThrow("home path literals are not portable");
    expect(parsed('"http://example.org/"', { url: "fatal" })).toEqual([]);
  });
});
