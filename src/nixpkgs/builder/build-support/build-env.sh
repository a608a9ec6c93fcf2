# shellcheck shell=bash
# buildEnv: one tree of links out of many packages.
#
# `chosenOutputs`: words `PRIORITY PATH`; of two files in the same place the one with the lower number wins. `pathsToLink`,
# `extraPrefix`, `ignoreCollisions` (1: the first stays, with a warning; 2: silently), `checkCollisionContents`, `includeClosures`.

declare -A _priorities=() _visited=()
declare -a _postponed=()

_isWanted() { # RELATIVE: below one of pathsToLink
  local _path
  for _path in $pathsToLink; do
    if [ "$_path" = / ] || [ "$1" = "$_path" ] || [[ $1 == "$_path"/* ]]; then return 0; fi
  done
  return 1
}

_leadsToWanted() { # RELATIVE: above one of pathsToLink
  local _path
  for _path in $pathsToLink; do if [[ $_path == "$1"/* ]]; then return 0; fi; done
  return 1
}

_isIgnored() {
  case $1 in
    /propagated-build-inputs | /nix-support | */info/dir | */perllocal.pod | */log | /manifest.nix | /manifest.json) return 0 ;;
    /share/mime/packages | /share/mime/packages/*) return 1 ;;
    /share/mime/*) return 0 ;;
    *) return 1 ;;
  esac
}

# A link to a whole directory becomes a directory of links, so that others can add to it.
_openDirectory() { # RELATIVE
  local _target=$_root$1 _source _priority=${_priorities[$1]:-5} _entry
  if [ ! -L "$_target" ]; then return 0; fi
  _source=$(readlink -f -- "$_target")
  rm -- "$_target"
  mkdir -p -- "$_target"
  for _entry in "$_source"/* "$_source"/.[!.]* "$_source"/..?*; do
    if [ -e "$_entry" ] || [ -L "$_entry" ]; then
      if _isIgnored "$1/${_entry##*/}"; then continue; fi
      ln -s -- "$_entry" "$_target/${_entry##*/}"
      _priorities[$1/${_entry##*/}]=$_priority
    fi
  done
}

_addEntry() { # SOURCE RELATIVE PRIORITY
  local _source=$1 _relative=$2 _priority=$3 _target=$_root$2 _entry
  if [ -n "$_relative" ] && _isIgnored "$_relative"; then return 0; fi
  local _wanted=
  if _isWanted "${_relative:-/}" || [ "$pathsToLink" = / ]; then _wanted=1; elif ! _leadsToWanted "$_relative"; then return 0; fi

  if [ -d "$_source" ] && { [ -z "$_wanted" ] || [ -z "$_relative" ] || { [ -d "$_target" ] && [ -e "$_target" ]; }; }; then
    # Merge, unless both are the same directory.
    if [ -L "$_target" ]; then
      if [ "$(readlink -f -- "$_target")" = "$(readlink -f -- "$_source")" ]; then return 0; fi
      _openDirectory "$_relative"
    fi
    mkdir -p -- "$_target"
    for _entry in "$_source"/* "$_source"/.[!.]* "$_source"/..?*; do
      if [ -e "$_entry" ] || [ -L "$_entry" ]; then _addEntry "$_entry" "$_relative/${_entry##*/}" "$_priority"; fi
    done
    return 0
  fi

  if [ ! -e "$_target" ] && [ ! -L "$_target" ]; then
    mkdir -p -- "${_target%/*}"
    ln -s -- "$_source" "$_target"
    _priorities[$_relative]=$_priority
    return 0
  fi

  local _old _oldPriority=${_priorities[$_relative]:-5}
  _old=$(readlink -f -- "$_target")
  if [ "$_old" = "$(readlink -f -- "$_source")" ]; then return 0; fi
  if [ "$_priority" -lt "$_oldPriority" ]; then
    rm -rf -- "$_target"
    ln -s -- "$_source" "$_target"
    _priorities[$_relative]=$_priority
    return 0
  fi
  if [ "$_priority" -gt "$_oldPriority" ]; then return 0; fi
  if [ -n "${checkCollisionContents:-}" ] && [ -f "$_source" ] && [ -f "$_old" ] && cmp -s -- "$_source" "$_old" &&
    { [ -x "$_source" ] && [ -x "$_old" ] || { [ ! -x "$_source" ] && [ ! -x "$_old" ]; }; }; then
    return 0
  fi
  if [ -d "$_source" ] || [ -d "$_target" ]; then
    die "collision between a directory and a file: '$_source' and '$(readlink -- "$_target" || echo "$_target")'"
  fi
  case ${ignoreCollisions:-0} in
    1) echo "warning: collision between '$_source' and '$(readlink -- "$_target")'" >&2 ;;
    2) ;;
    *)
      echo "error: collision between '$_source' and '$(readlink -- "$_target")'" >&2
      echo "Both want to be '$_target'. Leave one out, give one of them another meta.priority (lib.hiPrio, lib.lowPrio), or set ignoreCollisions = true." >&2
      exit 1
      ;;
  esac
}

_addPackage() { # PATH PRIORITY
  local _package=$1 _next
  if [ -n "${_visited[$_package]:-}" ]; then return 0; fi
  _visited[$_package]=1
  [ -e "$_package" ] || die "buildEnv: $_package does not exist"
  if [ -f "$_package" ]; then die "The store path $_package is a file and can't be merged into an environment using buildEnv"; fi
  _addEntry "$_package" "" "$2"
  if [ -f "$_package/nix-support/propagated-user-env-packages" ]; then
    for _next in $(<"$_package/nix-support/propagated-user-env-packages"); do _postponed+=("$_next"); done
  fi
}

linkEnvironment() {
  _root=$out${extraPrefix:-}
  mkdir -p "$_root"
  : "${pathsToLink:=/}"
  local _priority _path
  while read -r _priority _path; do
    if [ -n "$_path" ]; then _addPackage "$_path" "$_priority"; fi
  done <<<"$chosenOutputs"
  # What packages want beside them loses against everything that was named.
  local _level=1000
  while [ "${#_postponed[@]}" -gt 0 ]; do
    local -a _now=("${_postponed[@]}")
    _postponed=()
    for _path in "${_now[@]}"; do
      _addPackage "$_path" "$_level"
      _level=$((_level + 1))
    done
  done
}
