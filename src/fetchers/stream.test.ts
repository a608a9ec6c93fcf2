import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { downloadStream } from "./index.ts";

const content = Buffer.alloc(200_000, "0123456789");
let server: Server;
let base: string;
let handler: (request: IncomingMessage, response: ServerResponse, count: number) => void;
let count: number;

beforeEach(async () => {
  count = 0;
  server = createServer((request, response) => handler(request, response, ++count));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function read(path: string, more = {}): Promise<Buffer | undefined> {
  const body = await downloadStream({
    url: `${base}${path}`,
    environment: {},
    retry: { delay: 1 },
    sink: () => {},
    ...more,
  });
  if (body === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Breaks off after the first half. */
function breakOff(response: ServerResponse, headers: Record<string, string>): void {
  response.writeHead(200, { "content-length": content.length, ...headers });
  response.write(content.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50));
}

describe("downloadStream()", () => {
  it("gives the bytes, nothing for 404, an error for 403", async () => {
    handler = (request, response) => {
      if (request.url === "/none") response.writeHead(404).end();
      else if (request.url === "/secret") response.writeHead(403).end();
      else response.end(content);
    };
    expect((await read("/x"))!.equals(content)).toBe(true);
    expect(await read("/none")).toBeUndefined();
    await expect(read("/secret")).rejects.toMatchObject({ code: "download-failed", status: 403 });
  });

  it("retries before the first byte", async () => {
    handler = (_, response, attempt) => void (attempt < 3 ? response.writeHead(502).end() : response.end(content));
    expect((await read("/x"))!.length).toBe(content.length);
  });

  it("resumes where the server vouches for the file", async () => {
    handler = (request, response, attempt) => {
      if (attempt === 1) return breakOff(response, { etag: '"1"' });
      expect(request.headers["if-range"]).toBe('"1"');
      const from = Number(/\d+/.exec(request.headers.range!)![0]);
      response.writeHead(206, { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` });
      response.end(content.subarray(from));
    };
    expect((await read("/x"))!.equals(content)).toBe(true);
    expect(count).toBe(2);
  });

  it("never joins two versions of a file", async () => {
    handler = (_, response, attempt) => {
      if (attempt === 1) return breakOff(response, { etag: '"1"' });
      response.writeHead(200, { etag: '"2"' }).end(content);
    };
    await expect(read("/x")).rejects.toMatchObject({ code: "download-failed" });
    count = 0;
    handler = (_, response) => breakOff(response, { etag: 'W/"1"' });
    await expect(read("/x")).rejects.toMatchObject({ code: "download-failed" });
    expect(count).toBe(1);
  });

  it("works offline for files only", async () => {
    await expect(read("/x", { offline: true })).rejects.toMatchObject({ code: "network-unreachable" });
    expect((await read("", { url: import.meta.url, offline: true }))!.toString()).toContain("works offline");
    expect(await read("", { url: "file:///nonexistent/x" })).toBeUndefined();
  });

  it("ends when it is aborted", async () => {
    handler = (_, response) => {
      response.writeHead(200);
      response.write("x");
    };
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    await expect(read("/x", { signal: controller.signal })).rejects.toMatchObject({ code: "interrupted" });
  });
});
