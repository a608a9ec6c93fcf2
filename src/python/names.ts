/** Names of projects and extras (PEP 503, PEP 685). */

/** Lower case, runs of `-`, `_` and `.` become one `-`: PEP 503. Extras are normalised alike (PEP 685). */
export function canonicalName(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}

/** Whether a text is a name that PEP 508 allows, in any spelling. */
export function isValidName(name: string): boolean {
  return /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/i.test(name);
}
