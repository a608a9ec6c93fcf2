import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync, spawnSync } from "node:child_process";
import { createServer as createTlsServer } from "node:https";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { D2nError, Event } from "../base/index.ts";
import { formatHash, type Hash } from "../formats/index.ts";
import { type DownloadRequest, downloadFile } from "./index.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

const content = Buffer.alloc(300_000, "the quick brown fox ");
const sha256 = (data: Uint8Array): Hash => ({ algorithm: "sha256", bytes: createHash("sha256").update(data).digest() });

let directory: string;
let server: Server;
let handler: Handler;
let base: string;
let seen: { url: string; range?: string | undefined; headers: IncomingMessage["headers"] }[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "d2n-download-"));
  seen = [];
  handler = (_, response) => response.end(content);
  server = createServer((request, response) => {
    seen.push({ url: request.url!, range: request.headers.range, headers: request.headers });
    handler(request, response, seen.length);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  rmSync(directory, { recursive: true, force: true });
});

async function listen(some: NetServer): Promise<number> {
  await new Promise<void>((done) => some.listen(0, "127.0.0.1", done));
  return (some.address() as AddressInfo).port;
}

function get(path: string | readonly string[], more: Partial<DownloadRequest> = {}) {
  return downloadFile({
    urls: typeof path === "string" ? [new URL(path, base).href] : path,
    destination: join(directory, "file"),
    environment: {},
    retry: { delay: 5, stall: 2000 },
    sink: () => {},
    ...more,
  });
}

async function failure(promise: Promise<unknown>): Promise<D2nError> {
  try {
    await promise;
  } catch (error) {
    expect(readdirSync(directory).filter((name) => name.endsWith(".part"))).toEqual([]);
    return error as D2nError;
  }
  throw new Error("it succeeded");
}

describe("downloadFile()", () => {
  it("writes, hashes and reports", async () => {
    const events: Event[] = [];
    const result = await get("/a/file%20name.tar.gz", {
      expectedHash: sha256(content),
      algorithms: ["sha1"],
      sink: (e) => events.push(e),
    });
    expect(readFileSync(join(directory, "file")).equals(content)).toBe(true);
    expect(result.size).toBe(content.length);
    expect(formatHash(result.hashes.get("sha1")!, "base16")).toBe(createHash("sha1").update(content).digest("hex"));
    expect(events[0]).toMatchObject({ type: "activity-start", kind: "download", name: "file name.tar.gz" });
    expect(events.at(-2)).toMatchObject({ type: "activity-progress", done: content.length, total: content.length });
    expect(events.at(-1)).toMatchObject({ type: "activity-stop", ok: true });
    expect(readdirSync(directory)).toEqual(["file"]);
  });

  it("asks for the bytes as they are stored", async () => {
    await get("/x");
    expect(seen[0]!.headers["accept-encoding"]).toBe("identity");
  });

  it("resumes after a broken connection with the validator, and hashes all of it", async () => {
    handler = (request, response, count) => {
      response.setHeader("etag", '"one"');
      if (count === 1) {
        response.writeHead(200, { "content-length": content.length });
        response.write(content.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50));
        return;
      }
      expect(request.headers["if-range"]).toBe('"one"');
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range!)![1]);
      response.writeHead(206, {
        "content-range": `bytes ${from}-${content.length - 1}/${content.length}`,
        "content-length": content.length - from,
      });
      response.end(content.subarray(from));
    };
    await get("/x", { expectedHash: sha256(content) });
    expect(seen).toHaveLength(2);
    expect(seen[1]!.range).toBe("bytes=100000-");
  });

  it("starts again when the file has changed meanwhile", async () => {
    const other = Buffer.from("another file");
    handler = (_, response, count) => {
      if (count > 1) return void response.writeHead(200, { etag: '"two"' }).end(other);
      response.writeHead(200, { "content-length": content.length, etag: '"one"' });
      response.write(content.subarray(0, 1000), () => setTimeout(() => response.destroy(), 50));
    };
    expect((await get("/x")).size).toBe(other.length);
    expect(readFileSync(join(directory, "file")).equals(other)).toBe(true);
  });

  it("downloads all of it again when a piece-wise file has the wrong hash", async () => {
    handler = (request, response, count) => {
      if (count === 1) {
        response.writeHead(200, { "content-length": content.length });
        response.write(Buffer.alloc(1000, "x"), () => setTimeout(() => response.destroy(), 50));
      } else if (request.headers.range !== undefined) {
        response.writeHead(206, { "content-range": `bytes 1000-${content.length - 1}/${content.length}` });
        response.end(content.subarray(1000));
      } else response.end(content);
    };
    await get("/x", { expectedHash: sha256(content) });
    expect(seen.map(({ range }) => range)).toEqual([undefined, "bytes=1000-", undefined]);
  });

  it("copes with servers that answer 416 or with the wrong part", async () => {
    for (const wrong of [416, 206]) {
      seen = [];
      handler = (request, response, count) => {
        if (count === 1) {
          response.writeHead(200, { "content-length": content.length });
          response.write(content.subarray(0, 1000), () => setTimeout(() => response.destroy(), 50));
        } else if (request.headers.range !== undefined)
          response
            .writeHead(wrong, wrong === 206 ? { "content-range": `bytes 5-9/${content.length}` } : {})
            .end("12345");
        else response.end(content);
      };
      await get("/x", { expectedHash: sha256(content) });
      expect(seen).toHaveLength(3);
    }
  });

  it("retries 500 and 429, obeying Retry-After", async () => {
    const start = Date.now();
    handler = (_, response, count) => {
      if (count === 1) response.writeHead(500).end("oops");
      else if (count === 2) response.writeHead(429, { "retry-after": "1" }).end();
      else response.end(content);
    };
    await get("/x");
    expect(seen).toHaveLength(3);
    expect(Date.now() - start).toBeGreaterThan(900);
  });

  it("gives up after so many attempts", async () => {
    handler = (_, response) => response.writeHead(503).end();
    const error = await failure(get("/x", { retry: { attempts: 3, delay: 1 } }));
    expect(seen).toHaveLength(3);
    expect(error).toMatchObject({ code: "download-failed", status: 503 });
  });

  it("does not repeat what cannot succeed: 404", async () => {
    handler = (_, response) => response.writeHead(404).end();
    const error = await failure(get("/nothing-here"));
    expect(seen).toHaveLength(1);
    expect(error.message).toMatch(/no such file \(HTTP 404\)/);
  });

  it("tries the next address", async () => {
    handler = (request, response) =>
      void (request.url === "/bad" ? response.writeHead(404).end() : response.end(content));
    const result = await get([`${base}/bad`, `${base}/good`], { expectedHash: sha256(content) });
    expect(result.url).toBe(`${base}/good`);
  });

  it("shows both hashes of a mismatch, and keeps nothing", async () => {
    writeFileSync(join(directory, "file"), "as it was");
    const wanted = sha256(Buffer.from("something else"));
    const error = await failure(get("/x", { expectedHash: wanted }));
    expect(error.code).toBe("hash-mismatch");
    expect(error.details).toContain(formatHash(wanted, "sri"));
    expect(error.details).toContain(formatHash(sha256(content), "sri"));
    expect(readFileSync(join(directory, "file"), "utf8")).toBe("as it was");
    expect(seen).toHaveLength(1);
  });

  it("says all addresses when all fail, the hash mismatch first", async () => {
    handler = (request, response) => void (request.url === "/bad" ? response.writeHead(404).end() : response.end("x"));
    const error = await failure(get([`${base}/wrong`, `${base}/bad`], { expectedHash: sha256(content) }));
    expect(error.code).toBe("hash-mismatch");
    expect(error.details).toContain("/bad");
  });

  it("follows redirects, relative ones too, and notices loops", async () => {
    handler = (request, response) => {
      if (request.url === "/a") response.writeHead(302, { location: "b/../c" }).end();
      else if (request.url === "/loop") response.writeHead(307, { location: "/loop" }).end();
      else response.end(content);
    };
    expect((await get("/a")).url).toBe(`${base}/c`);
    expect((await failure(get("/loop"))).message).toMatch(/redirects/);
  });

  it("sends credentials of the URL, not to other hosts, and never shows them", async () => {
    handler = (request, response) =>
      void (request.url === "/a"
        ? response.writeHead(302, { location: `${base.replace("127.0.0.1", "localhost")}/b` }).end()
        : response.writeHead(404).end());
    const error = await failure(
      get([`${base.replace("//", "//user:s3cret@")}/a`], { headers: { authorization: "Bearer 1" } }),
    );
    expect(seen[0]!.headers.authorization).toBe("Bearer 1");
    expect(seen[1]!.headers.authorization).toBeUndefined();
    expect(`${error.message}${error.details}${error.hint}`).not.toContain("s3cret");
    seen = [];
    await failure(get([`${base.replace("//", "//us%40er:s3cret@")}/b`]));
    expect(seen[0]!.headers.authorization).toBe(`Basic ${Buffer.from("us@er:s3cret").toString("base64")}`);
  });

  it("uses a netrc file", async () => {
    writeFileSync(
      join(directory, ".netrc"),
      "# mine\nmachine other.example.org login a password b\nmachine 127.0.0.1\n  login me\n  password pw\n",
    );
    await get("/x", { environment: { HOME: directory } });
    expect(seen[0]!.headers.authorization).toBe(`Basic ${Buffer.from("me:pw").toString("base64")}`);
  });

  it("breaks off a connection that stalls", async () => {
    handler = (_, response, count) => {
      if (count > 1) return void response.end(content);
      response.writeHead(200, { "content-length": content.length });
      response.write("begun");
    };
    await get("/x", { retry: { delay: 1, stall: 300 } });
    expect(seen).toHaveLength(2);
  }, 10_000);

  it("notices an answer that ends early although the connection is closed properly", async () => {
    handler = (_, response, count) => {
      response.writeHead(200, { "content-length": content.length, connection: "close" });
      if (count > 1) response.end(content);
      else response.socket!.end(`HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nshort`);
    };
    const result = await get("/x");
    expect(result.size).toBe(content.length);
  });

  it("ends at once when it is aborted", async () => {
    handler = (_, response) => {
      response.writeHead(200);
      response.write("begun");
    };
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    expect((await failure(get("/x", { signal: controller.signal }))).code).toBe("interrupted");
  });

  it("limits the size", async () => {
    expect((await failure(get("/x", { maxBytes: 1000 }))).message).toMatch(/larger than/);
  });

  it("reads file: URLs", async () => {
    const path = join(directory, "a b");
    writeFileSync(path, content);
    await get([pathToFileURL(path).href], { expectedHash: sha256(content), offline: true });
    expect(readFileSync(join(directory, "file")).equals(content)).toBe(true);
    expect((await failure(get(["file:///nonexistent/x"]))).message).toMatch(/does not exist/);
  });

  it("explains refused connections, unknown hosts, odd schemes, offline", async () => {
    const refused = await failure(get(["http://127.0.0.1:1/x"], { retry: { attempts: 2, delay: 1 } }));
    expect(refused).toMatchObject({ code: "network-unreachable" });
    expect(refused.message).toMatch(/refuses connections/);
    const unknown = await failure(get(["http://no-such-host.invalid/x"], { retry: { attempts: 1 } }));
    expect(unknown.code).toBe("network-unreachable");
    expect(unknown.message).toContain("no-such-host.invalid");
    expect((await failure(get(["ftp://example.org/x"]))).message).toMatch(/scheme 'ftp'/);
    expect((await failure(get(["not a url"]))).message).toMatch(/not a URL/);
    expect((await failure(get("/x", { offline: true }))).message).toMatch(/offline/);
    expect(existsSync(join(directory, "file"))).toBe(false);
  });

  it("goes through the proxy that the environment names, and around it for NO_PROXY", async () => {
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      asked.push(request.url!);
      response.end(content);
    });
    const http_proxy = `http://127.0.0.1:${await listen(proxy)}`;
    try {
      await get(["http://somewhere.invalid/x"], { environment: { http_proxy } });
      expect(asked).toEqual(["http://somewhere.invalid/x"]);
      await get("/x", { environment: { http_proxy, NO_PROXY: "127.0.0.1" } });
      expect(asked).toHaveLength(1);
      expect(seen).toHaveLength(1);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  it("names the variable of a certificate file that cannot be read", async () => {
    const error = await failure(get("/x", { environment: { SSL_CERT_FILE: "/nonexistent.crt" } }));
    expect(error.message).toMatch(/SSL_CERT_FILE/);
  });

  it.skipIf(spawnSync("openssl", ["version"]).status !== 0)(
    "trusts the authorities that the environment names, also through a proxy",
    async () => {
      const [key, certificate] = [join(directory, "key.pem"), join(directory, "certificate.pem")];
      execFileSync(
        "openssl",
        [
          ...[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=test",
            "-addext",
            "subjectAltName=DNS:localhost",
          ],
          ...["-keyout", key, "-out", certificate],
        ],
        { stdio: "ignore" },
      );
      const secure = createTlsServer(
        { key: readFileSync(key), cert: readFileSync(certificate) },
        (_, response) => void response.end(content),
      );
      const url = `https://localhost:${await listen(secure)}/x`;
      const tunnels: string[] = [];
      const proxy = createServer();
      proxy.on("connect", (request: IncomingMessage, socket) => {
        tunnels.push(request.url!);
        const target = connect(Number(request.url!.split(":")[1]), "127.0.0.1", () => {
          socket.write("HTTP/1.1 200 OK\r\n\r\n");
          target.pipe(socket).pipe(target);
        });
        for (const end of [target, socket]) end.on("error", () => {});
      });
      const https_proxy = `http://127.0.0.1:${await listen(proxy)}`;
      try {
        const untrusted = await failure(get([url]));
        expect(untrusted.code).toBe("certificate-untrusted");
        expect(untrusted.hint).toContain("SSL_CERT_FILE");
        for (const variable of ["SSL_CERT_FILE", "NIX_SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"])
          expect((await get([url], { environment: { [variable]: certificate } })).size).toBe(content.length);
        await get([url], { environment: { SSL_CERT_FILE: certificate, https_proxy } });
        expect(tunnels).toEqual([new URL(url).host]);
        expect((await failure(get([url], { environment: { https_proxy } }))).code).toBe("certificate-untrusted");
      } finally {
        for (const some of [secure, proxy]) {
          some.closeAllConnections();
          some.close();
        }
      }
    },
  );
});
