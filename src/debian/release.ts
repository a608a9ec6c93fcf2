/**
 * A suite's signed index, `InRelease`: signature, date and identity are checked before anything in it is believed.
 */
import { readdirSync, readFileSync } from "node:fs";
import { D2nError, messageOf } from "../base/index.ts";
import { parseStanza } from "./stanzas.ts";

export interface ReleaseFile {
  /** Base 16. */
  readonly sha256: string;
  readonly size: number;
}

export interface Release {
  /** `trixie`, `trixie-updates`, `trixie-security`. */
  readonly codename: string;
  readonly date: Date;
  readonly validUntil: Date | undefined;
  readonly architectures: readonly string[];
  readonly components: readonly string[];
  /** Indexes may be asked for by their hash, which still works when the mirror has moved on. */
  readonly byHash: boolean;
  /** By path relative to the distribution's folder. */
  readonly files: ReadonlyMap<string, ReleaseFile>;
}

function parseDate(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = Date.parse(text.replace(/ UTC$/, " GMT"));
  return Number.isNaN(time) ? undefined : new Date(time);
}

/** Reads the text of a `Release` file whose signature has been checked. */
export function parseRelease(text: string): Release {
  const fields = parseStanza(text);
  const codename = fields.get("codename");
  const date = parseDate(fields.get("date"));
  const validUntil = parseDate(fields.get("valid-until"));
  if (codename === undefined || date === undefined || (fields.has("valid-until") && validUntil === undefined))
    throw new D2nError("debian-archive", "the archive's Release file lacks a code name or has no readable date");
  const files = new Map<string, ReleaseFile>();
  for (const line of (fields.get("sha256") ?? "").split("\n")) {
    const match = /^([0-9a-f]{64})\s+(\d+)\s+(\S+)$/.exec(line);
    if (match !== null) files.set(match[3]!, { sha256: match[1]!, size: Number(match[2]) });
  }
  const words = (name: string) => (fields.get(name) ?? "").split(/\s+/).filter((word) => word !== "");
  return {
    codename,
    date,
    validUntil,
    architectures: words("architectures"),
    components: words("components"),
    byHash: fields.get("acquire-by-hash") === "yes",
    files,
  };
}

/** The archive's public keys that d2n carries (folder `keys`), ASCII-armoured. */
export function archiveKeys(): string[] {
  const folder = new URL("./keys/", import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".asc"))
    .sort()
    .map((name) => readFileSync(new URL(name, folder), "utf8"));
}

export interface VerifyOptions {
  /** The distribution that was asked for; the file must say that it is this one. */
  readonly distribution: string;
  readonly now: Date;
  /** ASCII-armoured public keys of which one must have signed; Debian's unless given. */
  readonly keys?: readonly string[] | undefined;
  /** Where it came from, for messages. */
  readonly origin: string;
}

const clockHint =
  "If the machine's clock is right, the mirror lags behind or somebody serves an old copy: try another mirror (`d2n config debian-mirror URL`).";

/**
 * Checks a clear-signed `InRelease` and reads what the signature covers.
 * @throws D2nError `debian-signature` if no known key signed it or it comes from the future, `debian-expired` if it has expired;
 *   `debian-archive` if it is that of another distribution.
 */
export async function verifyInRelease(content: Uint8Array, options: VerifyOptions): Promise<Release> {
  const { distribution, now, origin } = options;
  const text = Buffer.from(content).toString("utf8");
  if (!text.startsWith("-----BEGIN PGP SIGNED MESSAGE-----"))
    throw new D2nError("debian-signature", `${origin} is not a signed index of a Debian archive`);
  const openpgp = await import("openpgp");
  let signed: string;
  try {
    const message = await openpgp.readCleartextMessage({ cleartextMessage: text });
    const verificationKeys = (
      await Promise.all((options.keys ?? archiveKeys()).map((armoredKeys) => openpgp.readKeys({ armoredKeys })))
    ).flat();
    const result = await openpgp.verify({ message, verificationKeys, date: now });
    await Promise.any(result.signatures.map(({ verified }) => verified));
    // What openpgp hands back is what was signed; anything around it in the file is not looked at.
    signed = result.data;
  } catch (error) {
    const reasons = error instanceof AggregateError ? error.errors.map(messageOf) : [messageOf(error)];
    throw new D2nError("debian-signature", `${origin} is not signed by a key of the Debian archive`, {
      details: [...new Set(reasons)].join("\n"),
      hint: "Name a mirror that serves Debian itself (`d2n config debian-mirror URL`), and check the machine's clock.",
      cause: error,
    });
  }
  const release = parseRelease(signed);
  if (release.codename !== distribution)
    throw new D2nError("debian-archive", `${origin} describes '${release.codename}', not '${distribution}'`);
  if (release.validUntil !== undefined && release.validUntil.getTime() < now.getTime())
    throw new D2nError("debian-expired", `${origin} expired on ${release.validUntil.toISOString()}`, {
      hint: clockHint,
    });
  if (release.date.getTime() > now.getTime() + 24 * 3600 * 1000)
    throw new D2nError("debian-signature", `${origin} is dated ${release.date.toISOString()}, which is in the future`, {
      hint: clockHint,
    });
  return release;
}
