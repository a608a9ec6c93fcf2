import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Context } from "./context.ts";
import { indexResolver } from "./index-resolver.ts";

const folder = mkdtempSync(join(tmpdir(), "d2n-index-"));
const requests: string[] = [];
let server: Server;
let origin: string;

const pages: Readonly<Record<string, readonly [type: string, body: string]>> = {
  "/html/a-b/": ["text/html", '<a href="../../files/a_b-1-py3-none-any.whl#sha256=0">x</a>'],
  "/json/c/": [
    "application/vnd.pypi.simple.v1+json",
    '{"files": [{"filename": "c-1.tar.gz", "url": "/files/c-1.tar.gz"}]}',
  ],
};

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(`${request.headers.authorization ?? ""} ${request.url}`.trim());
    const page = pages[request.url!];
    response
      .writeHead(page === undefined ? 404 : 200, { "content-type": page?.[0] ?? "text/plain" })
      .end(page?.[1] ?? "");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  origin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  mkdirSync(join(folder, "wheels"));
  writeFileSync(join(folder, "wheels", "d-1+x-py3-none-any.whl"), "");
});

afterAll(async () => {
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true, force: true });
});

function resolver(environment: Record<string, string>, offline = false) {
  const context = new Context({
    environment: { HOME: folder, PIP_CONFIG_FILE: "/dev/null", ...environment },
    cwd: folder,
    sink: () => {},
    signal: new AbortController().signal,
    uid: 1000,
    options: { store: join(folder, "store"), offline },
  });
  const resolve = indexResolver(context);
  return async (url: string) => resolve({ url, hash: undefined });
}

describe("files of which only the name is known", () => {
  it("are looked up at the configured index, its extra ones, and in folders", async () => {
    const resolve = resolver({
      PIP_INDEX_URL: `http://${origin}/html`,
      PIP_EXTRA_INDEX_URL: `http://user:secret@${origin}/json/`,
      PIP_FIND_LINKS: "wheels",
    });
    expect(await resolve("mirror://pypi/py3/a/A_b/a_b-1-py3-none-any.whl")).toEqual([
      `http://${origin}/files/a_b-1-py3-none-any.whl`,
    ]);
    expect(await resolve("mirror://pypi/source/c/c/c-1.tar.gz")).toEqual([
      `http://user:secret@${origin}/files/c-1.tar.gz`,
    ]);
    expect(await resolve("mirror://pypi/py3/d/d/d-1%2Bx-py3-none-any.whl")).toEqual([
      `file://${folder}/wheels/d-1%2Bx-py3-none-any.whl`,
    ]);
    expect(await resolve("https://example.org/x")).toEqual(["https://example.org/x"]);
    const before = requests.length;
    await resolve("mirror://pypi/source/c/c/c-1.tar.gz");
    expect(requests.length).toBe(before);
  });

  it("are looked up at the project's own indexes first, whose variables are the user's", async () => {
    const resolve = resolver({ TOKEN: "t", PIP_NO_INDEX: "1" });
    const index = encodeURIComponent(`http://\${TOKEN}@${origin}/json`);
    expect(await resolve(`mirror://pypi/source/c/c/c-1.tar.gz?index=${index}&only=1`)).toEqual([
      `http://t@${origin}/files/c-1.tar.gz`,
    ]);
    expect(requests.at(-1)).toBe(`Basic ${Buffer.from("t:").toString("base64")} /json/c/`);
  });

  it("may be nowhere", async () => {
    const resolve = resolver({ PIP_INDEX_URL: `http://user:secret@${origin}/html` });
    const error: unknown = await resolve("mirror://pypi/source/a/a-b/a-b-2.tar.gz").catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "package-index", details: expect.stringContaining(origin) as string });
    expect(JSON.stringify(error)).not.toContain("secret");
    await expect(resolver({ PIP_NO_INDEX: "1" })("mirror://pypi/source/a/a/a-2.tar.gz")).rejects.toMatchObject({
      code: "package-index",
    });
  });
});
