/** Outlines of big source files, kept by content: see `syntax/deferred.ts` of the language. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "../../base/index.ts";
import type { OutlineCache } from "../../lang/index.ts";
import { version } from "../version.ts";

const DIGEST = 32;

/** A cache in a folder. What cannot be read or written is done without: it is only a cache. */
export function createOutlineCache(folder: string): OutlineCache {
  const fileFor = (text: string, circumstances: string): string => {
    const key = createHash("sha256")
      .update(`outline 1 ${version} ${circumstances}\0`)
      .update(text, "latin1")
      .digest("hex");
    return join(folder, key);
  };
  return {
    recall(text, circumstances) {
      try {
        const file = readFileSync(fileFor(text, circumstances));
        const content = Uint8Array.from(file.subarray(DIGEST));
        if (!sha256(content).equals(file.subarray(0, DIGEST)) || content.length % 4 !== 0) return undefined;
        return new Int32Array(content.buffer);
      } catch {
        return undefined;
      }
    },
    remember(text, circumstances, outline) {
      const content = new Uint8Array(outline.buffer, outline.byteOffset, outline.byteLength);
      try {
        writeFileAtomically(fileFor(text, circumstances), Buffer.concat([sha256(content), content]));
      } catch {
        // The next run parses the whole file again.
      }
    },
  };
}

function sha256(content: Uint8Array): Buffer {
  return createHash("sha256").update(content).digest();
}
