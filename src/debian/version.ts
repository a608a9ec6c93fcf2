/**
 * The order of Debian's version numbers (Debian Policy 5.6.12), as dpkg compares them.
 */

interface VersionParts {
  readonly epoch: number;
  readonly upstream: string;
  readonly revision: string;
}

function parts(version: string): VersionParts {
  const colon = version.indexOf(":");
  const epoch = colon < 0 ? 0 : Number(version.slice(0, colon));
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  return dash < 0
    ? { epoch, upstream: rest, revision: "" }
    : { epoch, upstream: rest.slice(0, dash), revision: rest.slice(dash + 1) };
}

/** Weight of a character that is no digit: `~` before the end, the end before letters, letters before everything else. */
function weight(code: number): number {
  if (code === 0x7e) return -1;
  if ((code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)) return code;
  return code + 256;
}

const isDigit = (code: number) => code >= 0x30 && code <= 0x39;

/** Compares two upstream versions or two revisions: runs of other characters and runs of digits take turns. */
function compareParts(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a.charCodeAt(i))) || (j < b.length && !isDigit(b.charCodeAt(j)))) {
      const left = i < a.length && !isDigit(a.charCodeAt(i)) ? weight(a.charCodeAt(i)) : 0;
      const right = j < b.length && !isDigit(b.charCodeAt(j)) ? weight(b.charCodeAt(j)) : 0;
      if (left !== right) return left - right;
      i++;
      j++;
    }
    const fromI = i;
    const fromJ = j;
    while (i < a.length && isDigit(a.charCodeAt(i))) i++;
    while (j < b.length && isDigit(b.charCodeAt(j))) j++;
    // As text, since a run of digits may exceed what a number holds: a date with a time, a commit count.
    const left = a.slice(fromI, i).replace(/^0+/, "");
    const right = b.slice(fromJ, j).replace(/^0+/, "");
    if (left.length !== right.length) return left.length - right.length;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** Negative if `a` is the lower version, positive if it is the higher one, zero if neither. */
export function compareVersions(a: string, b: string): number {
  const left = parts(a);
  const right = parts(b);
  return (
    left.epoch - right.epoch ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  );
}

export type VersionRelation = "<<" | "<=" | "=" | ">=" | ">>";

/** Whether `version` stands in the relation to `bound`, as in `Depends: libc6 (>= 2.38)`. */
export function versionFits(version: string, relation: VersionRelation, bound: string): boolean {
  const order = compareVersions(version, bound);
  switch (relation) {
    case "<<":
      return order < 0;
    case "<=":
      return order <= 0;
    case "=":
      return order === 0;
    case ">=":
      return order >= 0;
    case ">>":
      return order > 0;
  }
}

/**
 * The upstream version within a Debian version, the one that a package's own build would show: no epoch, no revision, no
 * marks of repacking; of `1.3.dfsg+really1.3.1` what it really is.
 */
export function upstreamVersion(version: string): string {
  let upstream = parts(version).upstream.replace(/[+~]deb\d+u\d+$/, "");
  const really = /\+(?:\d+\.)?really\.?(.+)$/.exec(upstream);
  if (really !== null) upstream = really[1]!;
  return (
    upstream.replace(/[.+~-]?(dfsg|ds|repack|debian)[.+~-]?\d*([.+~].*)?$/, "").replace(/\+(git|svn|ndebian).*$/, "") ||
    upstream
  );
}
