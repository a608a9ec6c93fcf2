import { describe, expect, it } from "vitest";
import { builtInIndex, pipIndexes } from "./pip-configuration.ts";
import { parseIndexPage, projectPage } from "./simple-index.ts";

const indexes = (environment: Record<string, string>, files: Record<string, string> = {}) =>
  pipIndexes({ environment, readText: (path) => files[path] });

describe("pip's configuration", () => {
  const files = {
    "/etc/pip.conf": "[global]\nindex-url = https://machine.example.org/simple\nfind-links =\n    /a\n    /b\n",
    "/home/me/.config/pip/pip.conf":
      "# mine\n[global]\nindex_url: https://me.example.org/simple\n[install]\nextra-index-url = https://x.example.org/1 https://x.example.org/2\n[freeze]\nindex-url = https://wrong.example.org\n",
    "/given.conf": "[global]\nno-index = yes\n",
  };

  it("is empty where there is none", () => {
    expect(indexes({})).toEqual({ indexUrl: undefined, extraIndexUrls: [], findLinks: [], noIndex: false });
  });

  it("is read from the machine's files, then the user's, then variables", () => {
    expect(indexes({ HOME: "/home/me" }, files)).toEqual({
      indexUrl: "https://me.example.org/simple",
      extraIndexUrls: ["https://x.example.org/1", "https://x.example.org/2"],
      findLinks: ["/a", "/b"],
      noIndex: false,
    });
    expect(indexes({ HOME: "/home/me", PIP_INDEX_URL: "https://e.example.org" }, files).indexUrl).toBe(
      "https://e.example.org",
    );
    expect(indexes({ PIP_PYPI_URL: "https://e.example.org" }, files).indexUrl).toBe("https://e.example.org");
    expect(indexes({ HOME: "/home/me", PIP_FIND_LINKS: "/c  /d" }, files).findLinks).toEqual(["/c", "/d"]);
    expect(indexes({ HOME: "/root", XDG_CONFIG_HOME: "/home/me/.config" }, files).indexUrl).toBe(
      "https://me.example.org/simple",
    );
  });

  it("leaves out the user's files where PIP_CONFIG_FILE names one, and all for /dev/null", () => {
    expect(indexes({ HOME: "/home/me", PIP_CONFIG_FILE: "/given.conf" }, files)).toMatchObject({
      indexUrl: "https://machine.example.org/simple",
      noIndex: true,
    });
    expect(indexes({ HOME: "/home/me", PIP_CONFIG_FILE: "/dev/null" }, files).indexUrl).toBeUndefined();
    expect(indexes({ HOME: "/home/me", PIP_CONFIG_FILE: "/not/there" }, files).indexUrl).toBe(
      "https://me.example.org/simple",
    );
  });

  it("survives nonsense", () => {
    expect(
      indexes({}, { "/etc/pip.conf": "index-url = https://no.section\n[global\n[x]\n=\n  continued\n" }).indexUrl,
    ).toBeUndefined();
  });
});

describe("the built-in index", () => {
  it("is found in pip's source", () => {
    const source = 'PyPI = PackageIndex("https://index.example.org/", file_storage_domain="files.example.org")\n';
    expect(builtInIndex(source)).toBe("https://index.example.org/simple");
    expect(builtInIndex("PyPI = PackageIndex(\n    'https://index.example.org/',\n)")).toBe(
      "https://index.example.org/simple",
    );
    expect(builtInIndex("TestPyPI = PackageIndex('https://test.example.org/')")).toBeUndefined();
  });
});

describe("pages of an index", () => {
  it("are HTML", () => {
    const page = `<!DOCTYPE html><html><head><base href="https://files.example.org/x/"></head><body>
      <a href="../y/a-1%2Bcpu-py3-none-any.whl#sha256=00" data-requires-python="&gt;=3">a-1+cpu-py3-none-any.whl</a>
      <A class=b HREF='/b-1.tar.gz?x=1&amp;y=2'>b</A> <a>none</a> <a href="javascript:x()">no</a> <a href=c-1.zip>c</a></body>`;
    expect(parseIndexPage(page, "https://example.org/simple/a/")).toEqual([
      { name: "a-1+cpu-py3-none-any.whl", url: "https://files.example.org/y/a-1%2Bcpu-py3-none-any.whl" },
      { name: "b-1.tar.gz", url: "https://files.example.org/b-1.tar.gz?x=1&y=2" },
      { name: "c-1.zip", url: "https://files.example.org/x/c-1.zip" },
    ]);
  });

  it("are JSON", () => {
    const page = {
      meta: { "api-version": "1.1" },
      files: [{ filename: "a-1.zip", url: "../../f/a-1.zip#x", hashes: {} }],
    };
    expect(parseIndexPage(JSON.stringify(page), "https://example.org/simple/a/")).toEqual([
      { name: "a-1.zip", url: "https://example.org/f/a-1.zip" },
    ]);
  });

  it.each(["", "{", '{"files": 1}', "<a href='http://['>x</a>", "\0\0"])("may be nonsense: %j", (page) => {
    expect(parseIndexPage(page, "https://example.org/")).toEqual([]);
  });

  it("are below the index", () => {
    expect(projectPage("https://u:p@example.org/simple", "a-b")).toBe("https://u:p@example.org/simple/a-b/");
    expect(projectPage("https://example.org/simple/?t=1", "a")).toBe("https://example.org/simple/a/?t=1");
  });
});
