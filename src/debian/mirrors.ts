/**
 * Finding a mirror: what the user configured, else what the machine's own apt uses. No address is built in.
 */
import { D2nError, type EventSink, explainFileError, messageOf, warn } from "../base/index.ts";
import { fetchInRelease } from "./archive.ts";
import { parseStanzas } from "./stanzas.ts";
import type { MirrorFetch, Mirrors, Suite } from "./types.ts";

export interface MirrorSettings {
  /** From the environment or the configuration file; beats what apt says. */
  readonly main?: string | undefined;
  readonly security?: string | undefined;
}

/** A file of apt's sources: `sources.list`, `sources.list.d/*.list`, `sources.list.d/*.sources`. */
export interface AptSourceFile {
  readonly name: string;
  readonly text: string;
}

/** Base URIs worth a try, best first, without duplicates. */
export interface MirrorCandidates {
  readonly main: readonly string[];
  readonly security: readonly string[];
}

interface AptEntry {
  readonly uri: string;
  readonly suites: readonly string[];
}

function parseOneLine(text: string): AptEntry[] {
  const entries: AptEntry[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line.replace(/#.*/, ""));
    if (match !== null) entries.push({ uri: match[1]!, suites: [match[2]!] });
  }
  return entries;
}

function parseDeb822(text: string): AptEntry[] {
  const entries: AptEntry[] = [];
  const words = (field: string | undefined) => (field ?? "").split(/\s+/).filter((word) => word !== "");
  // A comment line may stand within a paragraph without ending it.
  for (const stanza of parseStanzas(text.replace(/^#.*\n?/gm, ""))) {
    if (!words(stanza.get("types")).includes("deb")) continue;
    if (/^(no|false|without|off|disable|0)$/i.test(stanza.get("enabled") ?? "yes")) continue;
    for (const uri of words(stanza.get("uris"))) entries.push({ uri, suites: words(stanza.get("suites")) });
  }
  return entries;
}

/** `https://host/debian`, or undefined for what can be no mirror of ours: cdrom, tor, mirror lists. */
function baseUri(uri: string): string | undefined {
  return /^https?:\/\/[^\s]+$/.test(uri) ? uri.replace(/\/+$/, "") : undefined;
}

/** What the settings and apt's sources suggest. */
export function mirrorCandidates(settings: MirrorSettings, aptSources: readonly AptSourceFile[]): MirrorCandidates {
  const main = new Set<string>();
  const security = new Set<string>();
  if (settings.security !== undefined) security.add(settings.security.replace(/\/+$/, ""));
  if (settings.main !== undefined) {
    const base = settings.main.replace(/\/+$/, "");
    main.add(base);
    // Whoever mirrors both archives names them alike.
    if (settings.security === undefined) security.add(`${base}-security`);
    return { main: [...main], security: [...security] };
  }
  const entries = aptSources.flatMap(({ name, text }) =>
    name.endsWith(".sources") ? parseDeb822(text) : name.endsWith(".list") ? parseOneLine(text) : [],
  );
  const isSecurity = (suite: string) => suite.endsWith("-security") || suite.endsWith("/updates");
  for (const { uri, suites } of entries) {
    const base = baseUri(uri);
    if (base === undefined) continue;
    if (suites.some((suite) => !isSecurity(suite))) main.add(base);
    if (suites.some(isSecurity) && settings.security === undefined) security.add(base);
  }
  if (settings.security === undefined) for (const base of main) security.add(`${base}-security`);
  return { main: [...main], security: [...security] };
}

export interface DiscoveryOptions {
  readonly candidates: MirrorCandidates;
  /** The suite that must be there. */
  readonly suite: Suite;
  readonly fetch: MirrorFetch;
  readonly now: Date;
  readonly sink: EventSink;
  readonly keys?: readonly string[] | undefined;
}

const howToName =
  "Name a mirror of the Debian archive once: `d2n config debian-mirror URL`, or set the environment variable D2N_DEBIAN_MIRROR.";

/**
 * The first candidates that serve the suite, signed by Debian. (Apt's sources of a derivative name archives that do not, and
 * those of an older Debian name one that does, though apt uses another suite of it.)
 * @throws D2nError `debian-mirror` if there is none; its details say what was tried. No security archive is only a warning.
 */
export async function discoverMirrors(options: DiscoveryOptions): Promise<Mirrors> {
  const { candidates, suite, fetch, now, sink, keys } = options;
  const tried: string[] = [];
  const first = async (bases: readonly string[], distribution: string): Promise<string | undefined> => {
    for (const base of bases) {
      try {
        if ((await fetchInRelease(fetch, base, distribution, { now, keys })) !== undefined) return base;
        tried.push(`${base}: has no '${distribution}'`);
      } catch (error) {
        // Nothing that another mirror could do better.
        const file = explainFileError(error);
        if (file !== undefined) throw file;
        tried.push(`${base}: ${messageOf(error)}`);
      }
    }
    return undefined;
  };
  if (candidates.main.length === 0)
    throw new D2nError(
      "debian-mirror",
      "no Debian mirror is configured, and the machine has no apt sources that name one",
      {
        hint: howToName,
      },
    );
  const main = await first(candidates.main, suite);
  if (main === undefined)
    throw new D2nError("debian-mirror", `no mirror was found that serves Debian's suite '${suite}', signed by Debian`, {
      hint: howToName,
      details: tried.join("\n"),
    });
  const security = await first(candidates.security, `${suite}-security`);
  if (security === undefined)
    warn(
      sink,
      `no Debian security archive was found, ${suite} is used without its security updates (\`d2n config debian-security-mirror URL\` names one)`,
    );
  return { main, security };
}
