/**
 * The way into a chroot store: a shell script for busybox that mounts the store where its paths say it is and executes a
 * program there.
 *
 * The program takes the place of the script: the same process, terminal, session, files, environment, user and group. Nothing
 * stays in between, so signals, job control and exit codes are the program's own. bubblewrap cannot do that (it stays as the
 * parent and dies of the Ctrl-C that the program wanted), so it is used only where busybox may not make user namespaces:
 * AppArmor may allow them to the system's bubblewrap alone.
 *
 * How: a user namespace in which the user is root (or, for root, none) and a mount namespace; the mounts; then a second user
 * namespace that maps root back to the user. Only a process outside of that one may write its map; it is a helper that ends
 * then.
 */

/** Where things are on this machine. */
export interface EnterPlaces {
  /** The static busybox. */
  readonly busybox: string;
  /** Command words of bubblewrap. */
  readonly bubblewrap: readonly string[];
  /** The physical folder that becomes `target`: `…/nix`. */
  readonly source: string;
  /** Where it belongs: `/nix`. */
  readonly target: string;
  /** An existing empty folder, used as mount point of a new root where `target` does not exist. */
  readonly emptyFolder: string;
}

/** One word for a shell. */
export function quoteShell(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * The script's arguments are the program and its arguments; it needs no environment. Variables of its own are not exported
 * and have names that nobody exports.
 */
export function enterScript({ busybox, bubblewrap, source, target, emptyFolder }: EnterPlaces): string {
  const [box, from, to, base] = [busybox, source, target, emptyFolder].map(quoteShell);
  const mounts = `
_d2n_mounts() (
  set -e
  if [ -d ${to} ] && [ ! -L ${to} ]; then exec ${box} mount -o rbind ${from} ${to}; fi
  ${box} mount -t tmpfs -o mode=755 none ${base}
  for _d2n_entry in /* /.[!.]*; do
    [ "$_d2n_entry" != ${to} ] || continue
    if [ -L "$_d2n_entry" ]; then ${box} cp -P "$_d2n_entry" ${base}"$_d2n_entry"
    elif [ -d "$_d2n_entry" ]; then ${box} mkdir ${base}"$_d2n_entry"; ${box} mount -o rbind "$_d2n_entry" ${base}"$_d2n_entry" || ${box} rmdir ${base}"$_d2n_entry"
    elif [ -e "$_d2n_entry" ]; then : > ${base}"$_d2n_entry"; ${box} mount -o bind "$_d2n_entry" ${base}"$_d2n_entry" || ${box} rm ${base}"$_d2n_entry"
    fi
  done
  ${box} mkdir -p ${base}${to}
  ${box} mount -o rbind ${from} ${base}${to}
  cd ${base}
  ${box} pivot_root . .
  ${box} umount -l .
)`;
  // What runs after the mounts, in their namespace: back to the folder, to the user, to the program.
  const inside = `${mounts}
_d2n_user=$1 _d2n_group=$2 _d2n_level=$3; shift 3
_d2n_mounts || { echo "d2n: cannot mount the store at ${target.replaceAll(/["$`\\]/g, "\\$&")}" >&2; exit 126; }
_d2n_old=\${OLDPWD-} _d2n_had=\${OLDPWD+x}
cd "$PWD" 2> /dev/null || cd /
if [ -n "$_d2n_had" ]; then OLDPWD=$_d2n_old; else unset OLDPWD; fi
if [ "$_d2n_user" = root ]; then ${restoreLevel} exec "$@"; fi
_d2n_self=$$
( (
  while read -r _ < /proc/$_d2n_self/uid_map; do :; done
  until echo deny > /proc/$_d2n_self/setgroups; do [ -d /proc/$_d2n_self ] || exit; done
  echo "$_d2n_group 0 1" > /proc/$_d2n_self/gid_map
  echo "$_d2n_user 0 1" > /proc/$_d2n_self/uid_map
) > /dev/null 2>&1 < /dev/null & )
exec ${box} unshare -U ${box} sh -c 'while ! read -r _ < /proc/self/uid_map; do :; done; _d2n_level=$1; shift; ${restoreLevel} exec "$@"' sh "$_d2n_level" "$@"`;
  return `${bubblewrapFunction(bubblewrap, source, target)}
if [ "$(${box} id -u)" = 0 ] && ${box} unshare -m ${box} true 2> /dev/null; then
  exec ${box} unshare -m ${box} sh -c ${quoteShell(inside)} sh root root "\${SHLVL-}" "$@"
elif ${box} unshare -r -m ${box} true 2> /dev/null; then
  exec ${box} unshare -r -m ${box} sh -c ${quoteShell(inside)} sh "$(${box} id -u)" "$(${box} id -g)" "\${SHLVL-}" "$@"
else
  _d2n_bubblewrap "$@"
fi
`;
}

/** Each shell on the way counts itself there. */
const restoreLevel = 'if [ -n "$_d2n_level" ]; then SHLVL=$_d2n_level; else unset SHLVL; fi;';

function bubblewrapFunction(bubblewrap: readonly string[], source: string, target: string): string {
  const words = bubblewrap.map(quoteShell).join(" ");
  return `_d2n_bubblewrap() {
  if [ -d ${quoteShell(target)} ]; then exec ${words} --die-with-parent --dev-bind / / --bind ${quoteShell(source)} ${quoteShell(target)} "$@"; fi
  _d2n_count=$#
  for _d2n_entry in /* /.[!.]*; do
    if [ -L "$_d2n_entry" ]; then set -- "$@" --symlink "$(readlink "$_d2n_entry")" "$_d2n_entry"
    elif [ -e "$_d2n_entry" ]; then set -- "$@" --dev-bind "$_d2n_entry" "$_d2n_entry"
    fi
  done
  # The options have come behind the program: turn them around.
  set -- "$@" --die-with-parent --bind ${quoteShell(source)} ${quoteShell(target)} --chdir "$PWD"
  while [ $_d2n_count -gt 0 ]; do _d2n_word=$1; shift; set -- "$@" "$_d2n_word"; _d2n_count=$((_d2n_count - 1)); done
  exec ${words} "$@"
}`;
}
