/** The environment that pip locks in: clean, but with everything that says how to reach indexes and repositories. */

/** A user's environment, or part of it. */
export type Environment = Readonly<Record<string, string | undefined>>;

const kept = new Set([
  ..."HOME USER LOGNAME XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_CONFIG_DIRS XDG_CACHE_HOME XDG_DATA_HOME".split(" "),
  ..."DISPLAY WAYLAND_DISPLAY WAYLAND_SOCKET TERM TZ PAGER SHLVL LANG NO_COLOR NETRC".split(" "),
  ..."IN_NIX_SHELL NIX_SHELL_PRESERVE_PROMPT NIX_BUILD_SHELL IMPURE KEEP_VARS".split(" "),
  ..."SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NIX_SSL_CERT_FILE NODE_EXTRA_CA_CERTS".split(" "),
  ..."DBUS_SESSION_BUS_ADDRESS".split(" "),
]);
const keptPrefixes = ["PIP_", "GIT_", "SSH_", "LC_"];

/** Variables of a running git that would make another one work on the wrong repository. */
const repository = new Set(
  "GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX GIT_COMMON_DIR GIT_NAMESPACE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES".split(
    " ",
  ),
);

/** Settings that would make pip do something else than resolve. */
const unwanted =
  "PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REPORT PIP_PYTHON PIP_QUIET PIP_DRY_RUN PIP_REQUIRE_VIRTUALENV".split(" ");

/** Settings meant for the packages to lock, which must not keep pip itself from being fetched. */
const notForPip =
  "PIP_CONSTRAINT PIP_BUILD_CONSTRAINT PIP_REQUIREMENT PIP_EDITABLE PIP_NO_BINARY PIP_ONLY_BINARY PIP_REQUIRE_HASHES PIP_NO_DEPS PIP_PLATFORM PIP_PYTHON_VERSION PIP_ABI PIP_IMPLEMENTATION PIP_SRC PIP_DEST".split(
    " ",
  );

export interface CleanOptions {
  /** Set for fetching pip itself rather than for locking with it. */
  readonly fetchingPip?: boolean;
}

/** What pip gets of the user's environment: everything if IMPURE is set; also what KEEP_VARS names. */
export function cleanEnvironment(
  user: Environment,
  { fetchingPip = false }: CleanOptions = {},
): Record<string, string> {
  const extra = new Set((user["KEEP_VARS"] ?? "").split(/\s+/).filter((name) => name !== ""));
  const everything = (user["IMPURE"] ?? "") !== "";
  const drop = new Set([...unwanted, ...(fetchingPip ? notForPip : [])]);
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(user)) {
    if (value === undefined || drop.has(name) || repository.has(name)) continue;
    const wanted =
      everything ||
      extra.has(name) ||
      kept.has(name) ||
      /^(?:https?|ftp|all|no)_proxy$/i.test(name) ||
      keptPrefixes.some((prefix) => name.startsWith(prefix));
    if (wanted) clean[name] = value;
  }
  return clean;
}

/** Where systems keep their bundle of trusted certificates. */
export const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** Files that pip reads its settings from, those of the user and of the machine. */
export function pipConfigFiles(user: Environment): string[] {
  const home = user["HOME"];
  const config = user["XDG_CONFIG_HOME"] || (home === undefined ? undefined : `${home}/.config`);
  return [
    user["PIP_CONFIG_FILE"],
    "/etc/pip.conf",
    ...(user["XDG_CONFIG_DIRS"] || "/etc/xdg").split(":").map((folder) => `${folder}/pip/pip.conf`),
    home === undefined ? undefined : `${home}/.pip/pip.conf`,
    config === undefined ? undefined : `${config}/pip/pip.conf`,
  ].filter((path): path is string => path !== undefined && path !== "");
}

/**
 * The variable that tells pip which certificates to trust, where the user has not told pip already: pip brings its own list,
 * which lacks a company's.
 * @param readText the content of a file, undefined if it cannot be read
 * @param fallback a bundle of our own
 */
export function certificateVariables(
  user: Environment,
  readText: (path: string) => string | undefined,
  fallback?: string,
): Record<string, string> {
  if (user["PIP_CERT"] || user["REQUESTS_CA_BUNDLE"] || user["CURL_CA_BUNDLE"]) return {};
  if (pipConfigFiles(user).some((path) => /^\s*cert\s*[=:]/m.test(readText(path) ?? ""))) return {};
  const bundle =
    user["NIX_SSL_CERT_FILE"] ||
    user["SSL_CERT_FILE"] ||
    systemBundles.find((path) => readText(path)?.includes("BEGIN") === true) ||
    fallback;
  return bundle === undefined ? {} : { PIP_CERT: bundle };
}
