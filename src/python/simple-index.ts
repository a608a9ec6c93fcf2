/** Pages of package indexes: the simple API as HTML (PEP 503) and as JSON (PEP 691), and any page with links. */
import * as v from "valibot";
import { fileNameOf } from "./pdm-lock.ts";

/** What to send as `Accept`: JSON rather than HTML, as pip asks. */
export const simpleIndexAccept =
  "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.1, text/html;q=0.01";

export interface IndexedFile {
  readonly name: string;
  /** Absolute, without fragment. */
  readonly url: string;
}

const json = v.looseObject({ files: v.array(v.looseObject({ filename: v.string(), url: v.string() })) });

/**
 * The files that a page lists.
 * @param url the page's own address, after redirects: links may be relative to it
 */
export function parseIndexPage(content: string, url: string): IndexedFile[] {
  return /^\s*\{/.test(content) ? parseJsonPage(content, url) : parseHtmlPage(content, url);
}

function parseJsonPage(content: string, url: string): IndexedFile[] {
  let data: unknown;
  try {
    data = JSON.parse(content);
  } catch {
    return [];
  }
  const parsed = v.safeParse(json, data);
  if (!parsed.success) return [];
  return parsed.output.files.flatMap(({ filename, url: link }) => {
    const target = absolute(link, url);
    return target === undefined ? [] : [{ name: filename, url: target }];
  });
}

function parseHtmlPage(content: string, url: string): IndexedFile[] {
  const base = attribute(/<base\b[^>]*>/i.exec(content)?.[0] ?? "", "href");
  const start = base === undefined ? url : (absolute(base, url) ?? url);
  const files: IndexedFile[] = [];
  for (const [tag] of content.matchAll(/<a\b[^>]*>/gi)) {
    const link = attribute(tag, "href");
    const target = link === undefined ? undefined : absolute(link, start);
    if (target !== undefined) files.push({ name: fileNameOf(target), url: target });
  }
  return files;
}

function attribute(tag: string, name: string): string | undefined {
  const match = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, "i").exec(tag);
  const value = match?.[1] ?? match?.[2] ?? match?.[3];
  return value?.replace(
    /&(amp|lt|gt|quot|#39|#x27|#43|#x2b);/gi,
    (_, entity: string) => entities[entity.toLowerCase()]!,
  );
}

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#39": "'",
  "#x27": "'",
  "#43": "+",
  "#x2b": "+",
};

function absolute(link: string, base: string): string | undefined {
  try {
    const url = new URL(link.trim(), base);
    if (!["http:", "https:", "file:"].includes(url.protocol)) return undefined;
    url.hash = "";
    return url.href;
  } catch {
    return undefined;
  }
}

/** The address of a project's page below an index's. */
export function projectPage(index: string, project: string): string {
  const [, address, query = ""] = /^([^?#]*)(\?[^#]*)?/.exec(index)!;
  return `${address!.replace(/\/+$/, "")}/${encodeURIComponent(project)}/${query}`;
}
