/** Without the user's environment, but with a terminal and a home: what `nix-shell --pure` leaves. */
const KEPT = new Set([
  "DISPLAY",
  "HOME",
  "LOGNAME",
  "PAGER",
  "TERM",
  "TZ",
  "USER",
  "WAYLAND_DISPLAY",
  "XDG_CACHE_HOME",
  "XDG_RUNTIME_DIR",
]);

/** @param more names of variables to keep besides */
export function cleanEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  more: readonly string[],
): Record<string, string | undefined> {
  const kept = Object.entries(environment).filter(([name]) => KEPT.has(name) || more.includes(name));
  // Without any, bash takes one of its own making.
  return { PATH: "", ...Object.fromEntries(kept) };
}
