/** Replaces the credentials of every URL in a text by `***`, so that it can be shown, logged or written to a lock file. */
export function redactCredentials(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'<>]+@/gi, "$1***@");
}
