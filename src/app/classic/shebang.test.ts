import { describe, expect, it } from "vitest";
import { interpreterCommand, readShebang, shellWords } from "./shebang.ts";

describe("words of a script's first lines", () => {
  it("are a shell's", () => {
    expect(shellWords(`-i bash  -p 'a b' "c \\" d" e\\ f`)).toEqual(["-i", "bash", "-p", "a b", 'c " d', "e f"]);
    expect(shellWords("x=''y")).toEqual(["x=y"]);
    expect(() => shellWords("'open")).toThrow("unterminated quote in shebang line");
  });

  it("are looked for in scripts only", () => {
    expect(readShebang([])).toBeUndefined();
    expect(readShebang(["/nonexistent/script"])).toBeUndefined();
    expect(readShebang([import.meta.filename])).toBeUndefined();
  });

  it("make perl and ruby leave the first line alone", () => {
    const shebang = { script: "it's", words: [], scriptArguments: ["a b"] };
    expect(interpreterCommand("python3 -u", shebang)).toBe(`exec  python3 -u 'it'\\''s' 'a b'`);
    expect(interpreterCommand("perl", shebang)).toBe(`exec -a PERL perl 'it'\\''s' 'a b'`);
    expect(interpreterCommand("ruby", shebang)).toContain("ruby -e 'load(ARGV.shift)' -- 'it'");
  });
});
