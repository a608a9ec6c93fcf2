# shellcheck shell=bash
# How libraries among the inputs are found: by pkg-config, CMake, aclocal, and builds that honour nothing else.

_addBuildSearchPaths() {
  addToSearchPath PKG_CONFIG_PATH "$1/lib/pkgconfig"
  addToSearchPath PKG_CONFIG_PATH "$1/share/pkgconfig"
  addToSearchPath ACLOCAL_PATH "$1/share/aclocal"
  if [ -d "$1/lib" ] || [ -d "$1/include" ] || [ -d "$1/share/cmake" ]; then addToSearchPath CMAKE_PREFIX_PATH "$1"; fi
}
addEnvHooks -1 _addBuildSearchPaths
addEnvHooks 0 _addBuildSearchPaths

# Modules for a Python interpreter among the inputs can be imported by it.
_addPythonPath() {
  local _site _interpreter
  for _site in "$1"/lib/python3.*/site-packages; do
    if [ ! -d "$_site" ]; then continue; fi
    _interpreter=${_site%/site-packages}
    _interpreter=${_interpreter##*/}
    # An interpreter, or an environment of one, finds its own.
    if [ -e "$1/bin/$_interpreter" ]; then continue; fi
    if [ -n "$(PATH=$_PATH:$HOST_PATH type -P "$_interpreter")" ]; then
      addToSearchPath PYTHONPATH "$_site"
      export PYTHONHASHSEED=0 PYTHONNOUSERSITE=1 DETERMINISTIC_BUILD=1
    fi
  done
}
if [ -z "${dontAddPythonPath:-}" ]; then
  addEnvHooks -1 _addPythonPath
  addEnvHooks 0 _addPythonPath
fi

# SOURCE_DATE_EPOCH becomes the time of the newest file of the source, if that says something.
postUnpackHooks+=(_setSourceDateEpoch)
_setSourceDateEpoch() {
  if [ -n "${dontSetSourceDateEpoch:-}" ] || [ ! -d "${sourceRoot:-/nonexistent}" ]; then return 0; fi
  local _newest
  _newest=$(find "$sourceRoot" -type f '!' -newer "$NIX_BUILD_TOP/.start" -printf '%T@\n' 2>/dev/null | sort -n | tail -n 1)
  _newest=${_newest%%.*}
  # Files of the store carry the time 1: no news.
  if [ -n "$_newest" ] && [ "$_newest" -gt "$SOURCE_DATE_EPOCH" ]; then
    echo "setting SOURCE_DATE_EPOCH to timestamp $_newest of the newest file in \"$sourceRoot\""
    export SOURCE_DATE_EPOCH=$_newest
  fi
}
if [ -d "${NIX_BUILD_TOP:-/nonexistent}" ] && [ ! -e "$NIX_BUILD_TOP/.start" ] && [ -z "${IN_NIX_SHELL:-}" ]; then
  touch "$NIX_BUILD_TOP/.start" || true
fi
