/** Which file of a release that pdm has locked is taken, and where it is. */
import type { PdmSource } from "./pdm-project.ts";
import { bestWheel, type WheelRanks } from "./wheel-tags.ts";

const sdistEndings = [".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz"];

export function isSourceDistribution(name: string): boolean {
  return sdistEndings.some((ending) => name.endsWith(ending));
}

/** The file that is taken of those of a release: the kind that is preferred, else the other; undefined if none fits. */
export function preferredFile(
  names: readonly string[],
  kind: "wheel" | "sdist",
  ranks: WheelRanks,
): string | undefined {
  const wheel = (): string | undefined => bestWheel(names, ranks);
  const sdist = (): string | undefined =>
    sdistEndings.map((ending) => names.find((file) => file.endsWith(ending))).find((file) => file !== undefined);
  return kind === "wheel" ? (wheel() ?? sdist()) : (sdist() ?? wheel());
}

/**
 * Where an index would have the file by the old convention, which nixpkgs still uses. d2n looks it up at the project's own
 * sources (`[[tool.pdm.source]]`, of which one called `pypi` stands for the usual index), and at the indexes that pip is
 * configured with.
 */
export function indexAddress(name: string, file: string, sources: readonly PdmSource[]): string {
  const kind = file.endsWith(".whl") ? (file.split("-").at(-3) ?? "py3") : "source";
  const address = `mirror://pypi/${kind}/${name[0]}/${name}/${encodeURIComponent(file)}`;
  if (sources.length === 0) return address;
  const query = new URLSearchParams(sources.map(({ kind: type, url }): [string, string] => [type, url]));
  if (sources.some((source) => source.name === "pypi")) query.append("only", "1");
  return `${address}?${query.toString()}`;
}
