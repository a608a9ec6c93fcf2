# shellcheck shell=bash
# The standard environment: what every builder sources. This part: messages, hooks, variables, and how inputs reach the
# environment. `text.sh` and `phases.sh` follow it in the same file; the interface (names of functions, variables and files) is
# nixpkgs', for packages and hooks that rely on it.
set -eo pipefail

: "${NIX_DEBUG:=0}"
: "${NIX_LOG_FD:=2}"

# With structured attributes, the attributes are in a file of bash declarations instead of the environment.
__structuredAttrs=
if [ -n "${NIX_ATTRS_SH_FILE:-}" ] && [ -e "$NIX_ATTRS_SH_FILE" ]; then
  # shellcheck disable=SC1090
  . "$NIX_ATTRS_SH_FILE"
  __structuredAttrs=1
else
  : "${outputs:=out}"
fi

# ---------------------------------------------------------------------------------------------------------------- attributes

if [ -n "${__structuredAttrs:-}" ]; then
  for _name in "${!outputs[@]}"; do export "$_name=${outputs[$_name]}"; done
  # shellcheck disable=SC2154 # `env` comes from the attributes
  if [[ $(declare -p env 2>/dev/null) == "declare -A"* ]]; then
    for _name in "${!env[@]}"; do export "$_name=${env[$_name]}"; done
  fi
  unset _name
fi

getAllOutputNames() {
  if [ -n "${__structuredAttrs:-}" ]; then echo "${!outputs[*]}"; else echo "$outputs"; fi
}

# ------------------------------------------------------------------------------------------------------------------ messages

nixLog() { [ -z "${NIX_LOG_LEVEL_SILENT:-}" ] && printf '%s\n' "$*" >&"$NIX_LOG_FD"; return 0; }
nixErrorLog() { nixLog "error: $*"; }
nixWarnLog() { nixLog "warning: $*"; }
nixInfoLog() { if (( NIX_DEBUG >= 3 )); then nixLog "$*"; fi; }
echoCmd() {
  printf '%s:' "$1"
  shift
  if [ "$#" -gt 0 ]; then printf ' %q' "$@"; fi
  echo
}
header() { echo "$1"; }
stopNest() { :; }
closeNest() { :; }
die() {
  echo "error: $*" >&2
  exit 1
}

# Tells Nix what is going on: its progress display shows the phase.
_nixAction() {
  case $1 in
    *[\"\\]*) ;;
    *) printf '@nix {"action":"setPhase","phase":"%s"}\n' "$1" >&"$NIX_LOG_FD" ;;
  esac
}

# ------------------------------------------------------------------------------------------------------------------ variables

isDeclaredArray() {
  local declaration
  declaration=$(declare -p "$1" 2>/dev/null) && [[ $declaration =~ ^declare\ -[^\ ]*a ]]
}

# appendToVar NAME VALUE...: to an array, or to a string that is a list of words.
appendToVar() {
  local -n _variable=$1
  local _type
  _type=$(declare -p "$1" 2>/dev/null || true)
  shift
  if [[ $_type =~ ^declare\ -[^\ ]*A ]]; then die "appendToVar: ${!_variable} is an associative array"; fi
  if [[ $_type =~ ^declare\ -[^\ ]*a || -n "${__structuredAttrs:-}" ]]; then
    # shellcheck disable=SC2206 # a string of words becomes an array
    [[ $_type =~ ^declare\ -[^\ ]*a ]] || _variable=(${_variable-})
    _variable+=("$@")
  else
    _variable="${_variable-}${_variable:+ }$*"
  fi
}

prependToVar() {
  local -n _variable=$1
  local _type
  _type=$(declare -p "$1" 2>/dev/null || true)
  shift
  if [[ $_type =~ ^declare\ -[^\ ]*A ]]; then die "prependToVar: ${!_variable} is an associative array"; fi
  if [[ $_type =~ ^declare\ -[^\ ]*a || -n "${__structuredAttrs:-}" ]]; then
    # shellcheck disable=SC2206
    [[ $_type =~ ^declare\ -[^\ ]*a ]] || _variable=(${_variable-})
    _variable=("$@" "${_variable[@]}")
  else
    _variable="$*${_variable:+ }${_variable-}"
  fi
}

# concatTo TARGET NAME[=DEFAULT]...: appends what the variables hold to the array TARGET. Strings are lists of words; but a
# variable called `…Array` is always an array. DEFAULT stands in for one that is unset or empty.
concatTo() {
  local -n _target=$1
  shift
  local _name _default
  for _name in "$@"; do
    _default=
    if [[ $_name == *=* ]]; then
      _default=${_name#*=}
      _name=${_name%%=*}
    fi
    if isDeclaredArray "$_name"; then
      local -n _source=$_name
      if [ "${#_source[@]}" -gt 0 ] && { [ "${#_source[@]}" -gt 1 ] || [ -n "${_source[0]}" ]; }; then
        _target+=("${_source[@]}")
      elif [ -n "$_default" ]; then
        _target+=("$_default")
      fi
      unset -n _source
    elif [ -n "${!_name-}" ]; then
      # shellcheck disable=SC2206
      _target+=(${!_name})
    elif [ -n "$_default" ]; then
      _target+=("$_default")
    fi
  done
}

concatStringsSep() {
  local separator=$1 name=$2 word result='' first=1
  if isDeclaredArray "$name"; then
    local -n _list=$name
    for word in "${_list[@]}"; do
      if [ -n "$first" ]; then result=$word; first=; else result+=$separator$word; fi
    done
  else
    for word in ${!name-}; do
      if [ -n "$first" ]; then result=$word; first=; else result+=$separator$word; fi
    done
  fi
  printf '%s' "$result"
}

# The old way to the same end: accumFlagsArray VAR... fills flagsArray.
accumFlagsArray() { concatTo flagsArray "$@"; }
_accumFlagsArray() { concatTo flagsArray "$@"; }

addToSearchPathWithCustomDelimiter() {
  local delimiter=$1 variable=$2 directory=$3
  if [[ -d $directory && :${!variable-}: != *":$directory:"* ]]; then
    export "$variable=${!variable:+${!variable}$delimiter}$directory"
  fi
}

addToSearchPath() { addToSearchPathWithCustomDelimiter : "$@"; }

# ---------------------------------------------------------------------------------------------------------------------- hooks

# Locals of functions that run other people's code start with an underscore: bash's scopes are dynamic, and a hook means the
# package's $name, not ours.

# Evaluates code or calls a function.
_eval() {
  if declare -F "$1" >/dev/null; then "$@"; else eval "$1"; fi
}

# What carries the name itself: a function, or a variable with code. Otherwise the status given.
_callImplicitHook() {
  local _default=$1 _hook=$2
  shift 2
  if declare -F "$_hook" >/dev/null; then
    "$_hook" "$@"
  elif [ -n "${!_hook:-}" ]; then
    eval "${!_hook}"
  else
    return "$_default"
  fi
}

# Runs all hooks of the name: the implicit one, then the array `…Hooks`; arguments are passed on.
runHook() {
  local _hookName=$1 _hook
  shift
  local -a _hookList=()
  _copyArray "${_hookName%Hook}Hooks" _hookList
  _callImplicitHook 0 "$_hookName" "$@"
  for _hook in "${_hookList[@]}"; do _eval "$_hook" "$@"; done
  return 0
}

# Runs hooks until one succeeds.
runOneHook() {
  local _hookName=$1 _hook
  shift
  local -a _hookList=()
  _copyArray "${_hookName%Hook}Hooks" _hookList
  if _callImplicitHook 1 "$_hookName" "$@"; then return 0; fi
  for _hook in "${_hookList[@]}"; do
    if _eval "$_hook" "$@"; then return 0; fi
  done
  return 1
}

_copyArray() {
  if declare -p "$1" >/dev/null 2>&1; then
    local -n _from=$1 _to=$2
    _to=("${_from[@]}")
  fi
}

# Without local variables and without runHook: when `set -e` ends the shell in the middle of an `eval`, bash has lost its function
# contexts by the time it runs the trap.
exitHandler() {
  _exitStatus=$?
  set +e
  if [ "$_exitStatus" -ne 0 ]; then _exitHook=failureHook; else _exitHook=exitHook; fi
  if declare -F "$_exitHook" >/dev/null; then "$_exitHook"; elif [ -n "${!_exitHook:-}" ]; then eval "${!_exitHook}"; fi
  if [ "$_exitHook" = failureHook ]; then
    for _exitHook in "${failureHooks[@]}"; do eval "$_exitHook"; done
  else
    for _exitHook in "${exitHooks[@]}"; do eval "$_exitHook"; done
  fi
  if [ -n "${showBuildStats:-}" ]; then
    echo "build times (shell, children):"
    times
  fi
  exit "$_exitStatus"
}
trap exitHandler EXIT

# --------------------------------------------------------------------------------------------------------------------- inputs

# Platforms a package may run on or produce code for, as offsets: -1 build, 0 host, 1 target.
declare -a pkgsBuildBuild=() pkgsBuildHost=() pkgsBuildTarget=() pkgsHostHost=() pkgsHostTarget=() pkgsTargetTarget=()
declare -a envBuildBuildHooks=() envBuildHostHooks=() envBuildTargetHooks=() envHostHostHooks=() envHostTargetHooks=() envTargetTargetHooks=()

# list of packages : hooks : host offset : target offset : file with what such a dependency propagates
_dependencyKinds=(
  "pkgsBuildBuild envBuildBuildHooks -1 -1 propagated-build-build-deps"
  "pkgsBuildHost envBuildHostHooks -1 0 propagated-native-build-inputs"
  "pkgsBuildTarget envBuildTargetHooks -1 1 propagated-build-target-deps"
  "pkgsHostHost envHostHostHooks 0 0 propagated-host-host-deps"
  "pkgsHostTarget envHostTargetHooks 0 1 propagated-build-inputs"
  "pkgsTargetTarget envTargetTargetHooks 1 1 propagated-target-target-deps"
)

# addEnvHooks OFFSET HOOK...: to be called with each package whose host is at that offset from ours.
addEnvHooks() {
  local offset=$1 kind packages hooks host target file
  shift
  for kind in "${_dependencyKinds[@]}"; do
    read -r packages hooks host target file <<<"$kind"
    if [ "$host" -eq "$offset" ]; then
      local -n _list=$hooks
      _list+=("$@")
      unset -n _list
    fi
  done
}

# findInputs PACKAGE HOST TARGET: takes a package and all that it propagates.
findInputs() {
  local package=$1 hostOffset=$2 targetOffset=$3
  local kind packages hooks host target file list= dependency
  for kind in "${_dependencyKinds[@]}"; do
    read -r packages hooks host target file <<<"$kind"
    if [ "$host" -eq "$hostOffset" ] && [ "$target" -eq "$targetOffset" ]; then list=$packages; fi
  done
  [ -n "$list" ] || return 0
  local -n _found=$list
  local known
  for known in "${_found[@]}"; do if [ "$known" = "$package" ]; then return 0; fi; done
  [ -e "$package" ] || die "build input $package does not exist"
  _found+=("$package")
  unset -n _found

  for kind in "${_dependencyKinds[@]}"; do
    read -r packages hooks host target file <<<"$kind"
    [ -f "$package/nix-support/$file" ] || continue
    # Offsets in that file are seen from the package: move them to where it stands.
    local newHost newTarget
    if [ "$host" -le 0 ]; then newHost=$((hostOffset + host)); else newHost=$((targetOffset + host - 1)); fi
    if [ "$target" -le 0 ]; then newTarget=$((hostOffset + target)); else newTarget=$((targetOffset + target - 1)); fi
    if [ "$newHost" -lt -1 ] || [ "$newHost" -gt 1 ] || [ "$newTarget" -lt -1 ] || [ "$newTarget" -gt 1 ]; then continue; fi
    for dependency in $(<"$package/nix-support/$file"); do
      findInputs "$dependency" "$newHost" "$newTarget"
    done
  done
}

_findAll() {
  local host=$1 target=$2 name list
  shift 2
  for name in "$@"; do
    list=()
    concatTo list "$name"
    local package
    for package in "${list[@]}"; do findInputs "$package" "$host" "$target"; done
  done
}

# Puts one package into the environment: its programs and its setup hook.
_activatePackage() {
  local _package=$1
  # shellcheck disable=SC2034 # for the setup hook
  local hostOffset=$2 targetOffset=$3
  if [ -f "$_package" ]; then
    # shellcheck disable=SC1090
    source "$_package"
    return 0
  fi
  # When native and host dependencies are not kept apart strictly, programs of both can be run.
  if [ "$hostOffset" -le -1 ] || [ -z "${strictDeps:-}" ]; then addToSearchPath _PATH "$_package/bin"; fi
  if [ "$hostOffset" -le -1 ]; then addToSearchPath _XDG_DATA_DIRS "$_package/share"; fi
  if [ "$hostOffset" -eq 0 ]; then addToSearchPath HOST_PATH "$_package/bin"; fi
  if [ -f "$_package/nix-support/setup-hook" ]; then
    # shellcheck disable=SC1091
    source "$_package/nix-support/setup-hook"
  fi
}

_activateInputs() {
  local _kind _packagesName _hooksName _host _target _file _index _current
  for _kind in "${_dependencyKinds[@]}"; do
    read -r _packagesName _hooksName _host _target _file <<<"$_kind"
    # A hook may add packages while we walk: take them as they come.
    _index=0
    while :; do
      local -n _packages=$_packagesName
      if [ "$_index" -ge "${#_packages[@]}" ]; then break; fi
      _current=${_packages[_index]}
      unset -n _packages
      _activatePackage "$_current" "$_host" "$_target"
      _index=$((_index + 1))
    done
    unset -n _packages
  done
}

# Calls the environment hooks: with every package, or with strictDeps only with those the hook was made for.
_runEnvHooks() {
  local _kind _packagesName _hooksName _host _target _file _package _hook
  local -a _hookList _packageList
  for _kind in "${_dependencyKinds[@]}"; do
    read -r _packagesName _hooksName _host _target _file <<<"$_kind"
    _hookList=()
    _copyArray "$_hooksName" _hookList
    [ "${#_hookList[@]}" -gt 0 ] || continue
    _packageList=()
    if [ -z "${strictDeps:-}" ]; then
      _packageList=("${pkgsBuildBuild[@]}" "${pkgsBuildHost[@]}" "${pkgsBuildTarget[@]}" "${pkgsHostHost[@]}" "${pkgsHostTarget[@]}" "${pkgsTargetTarget[@]}")
    else
      _copyArray "$_packagesName" _packageList
    fi
    local -A _seen=()
    for _package in "${_packageList[@]}"; do
      if [ -n "${_seen[$_package]:-}" ] || [ -f "$_package" ]; then continue; fi
      _seen[$_package]=1
      for _hook in "${_hookList[@]}"; do _eval "$_hook" "$_package"; done
    done
    unset _seen
  done
}
