/** A small archive for tests: signed with a key of its own, served from memory. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { MirrorFetch } from "./types.ts";

/** An xz stream that holds the bytes uncompressed. */
export function storeAsXz(content: Uint8Array): Buffer {
  const padded = (parts: Uint8Array[]) => {
    const whole = Buffer.concat(parts);
    return Buffer.concat([whole, Buffer.alloc((4 - (whole.length % 4)) % 4)]);
  };
  const checksum = (bytes: Uint8Array) => {
    const out = Buffer.alloc(4);
    out.writeUInt32LE(crc32(bytes));
    return out;
  };
  const variable = (value: number) => {
    const bytes: number[] = [];
    for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
    return Buffer.from([...bytes, value]);
  };
  const flags = Buffer.from([0, 1]); // checks: CRC-32
  const header = Buffer.concat([Buffer.from("fd377a585a00", "hex"), flags, checksum(flags)]);
  const blockHead = Buffer.from([2, 0, 0x21, 1, 0x16, 0, 0, 0]);
  const chunks: Buffer[] = [];
  for (let at = 0; at < content.length; at += 0x10000) {
    const part = content.subarray(at, at + 0x10000);
    const size = part.length - 1;
    chunks.push(Buffer.from([at === 0 ? 1 : 2, size >> 8, size & 0xff]), Buffer.from(part));
  }
  const data = Buffer.concat([...chunks, Buffer.from([0])]);
  const block = Buffer.concat([padded([blockHead, checksum(blockHead), data]), checksum(content)]);
  const unpadded = blockHead.length + 4 + data.length + 4;
  const index = padded([Buffer.from([0, 1]), variable(unpadded), variable(content.length)]);
  const indexWhole = Buffer.concat([index, checksum(index)]);
  const backward = Buffer.alloc(4);
  backward.writeUInt32LE(indexWhole.length / 4 - 1);
  const footer = Buffer.concat([checksum(Buffer.concat([backward, flags])), backward, flags, Buffer.from("YZ")]);
  return Buffer.concat([header, block, indexWhole, footer]);
}

export interface TestArchive {
  readonly publicKey: string;
  /** By URL; may be changed. */
  readonly files: Map<string, Buffer>;
  /** Addresses in the order in which they were asked for. */
  readonly requests: string[];
  readonly fetch: MirrorFetch;
  /** Signs and publishes a distribution: its `InRelease` and its one index. */
  publish(base: string, distribution: string, packages: string, options?: PublishOptions): Promise<void>;
}

export interface PublishOptions {
  readonly date?: string;
  readonly validUntil?: string;
  readonly codename?: string;
  /** Publishes other bytes than those that were signed. */
  readonly tamper?: boolean;
}

/** An archive whose signatures are made at `now`. */
export async function createTestArchive(now: Date): Promise<TestArchive> {
  const openpgp = await import("openpgp");
  const { privateKey, publicKey } = await openpgp.generateKey({
    userIDs: [{ name: "A test archive" }],
    date: new Date(now.getTime() - 3600_000),
    format: "object",
  });
  const files = new Map<string, Buffer>();
  const requests: string[] = [];
  const rfc = (date: Date) => date.toUTCString().replace("GMT", "UTC");
  return {
    publicKey: publicKey.armor(),
    files,
    requests,
    async fetch(url) {
      requests.push(url);
      const content = files.get(url);
      if (content === undefined) return undefined;
      return (async function* () {
        for (let at = 0; at < content.length; at += 1000) yield content.subarray(at, at + 1000);
      })();
    },
    async publish(base, distribution, packages, options = {}) {
      const index = storeAsXz(Buffer.from(packages, "utf8"));
      const sha256 = createHash("sha256").update(index).digest("hex");
      const folder = `${base}/dists/${distribution}`;
      const text = [
        "Origin: Test",
        `Codename: ${options.codename ?? distribution}`,
        `Date: ${options.date ?? rfc(new Date(now.getTime() - 60_000))}`,
        ...(options.validUntil === undefined ? [] : [`Valid-Until: ${options.validUntil}`]),
        "Acquire-By-Hash: yes",
        "Architectures: all amd64",
        "Components: main",
        "SHA256:",
        ` ${sha256} ${index.length} main/binary-amd64/Packages.xz`,
        "",
      ].join("\n");
      const message = await openpgp.createCleartextMessage({ text });
      const signed = await openpgp.sign({ message, signingKeys: privateKey, date: new Date(now.getTime() - 60_000) });
      files.set(`${folder}/InRelease`, Buffer.from(signed));
      const served = options.tamper === true ? storeAsXz(Buffer.from(`${packages}\n`, "utf8")) : index;
      files.set(`${folder}/main/binary-amd64/Packages.xz`, served);
      files.set(`${folder}/main/binary-amd64/by-hash/SHA256/${sha256}`, served);
    },
  };
}

/** A paragraph of a `Packages` file. */
export function stanza(name: string, version: string, fields: Readonly<Record<string, string>> = {}): string {
  const sha256 = createHash("sha256").update(`${name} ${version}`).digest("hex");
  return [
    `Package: ${name}`,
    `Version: ${version}`,
    "Architecture: amd64",
    ...Object.entries(fields).map(([field, value]) => `${field}: ${value}`),
    `Filename: pool/main/x/${name}_${version.replace(/^\d+:/, "")}_amd64.deb`,
    "Size: 1234",
    `SHA256: ${sha256}`,
    `Description: the package ${name}`,
    "",
    "",
  ].join("\n");
}
