# shellcheck shell=bash
# autoPatchelfHook: programs and libraries that were built elsewhere find what they need among the inputs.
#
# From the package set: `autoPatchelfLoader` (the dynamic linker), `autoPatchelfDefaultLibs` (directories of glibc and of the
# compiler's libraries). A Python package sets `autoPatchelfProvided`: directories in the DT_RPATH of its interpreter, which
# libraries that it loads need not name.

declare -ga autoPatchelfLibs=() extraAutoPatchelfLibs=()
declare -gA _autoPatchelfIndex=() _autoPatchelfMissing=()

gatherLibraries() { if [ -d "$1/lib" ]; then autoPatchelfLibs+=("$1/lib"); fi; }
addEnvHooks 0 gatherLibraries

# addAutoPatchelfSearchPath [--no-recurse] DIRECTORY...
addAutoPatchelfSearchPath() {
  local -a _options=() _directories=()
  local _directory
  while [ "$#" -gt 0 ]; do
    case $1 in
      --) ;;
      --no-recurse) _options+=(-maxdepth 1) ;;
      -*) die "addAutoPatchelfSearchPath: unknown option $1" ;;
      *) if [ -e "$1" ]; then _directories+=("$1"); fi ;;
    esac
    shift
  done
  if [ "${#_directories[@]}" -eq 0 ]; then return 0; fi
  while IFS='' read -r -d '' _directory; do extraAutoPatchelfLibs+=("$_directory"); done \
    < <(find "${_directories[@]}" "${_options[@]}" '!' -type d '(' -name '*.so' -o -name '*.so.*' ')' -printf '%h\0' | sort -zu)
}

# _readElf FILE: sets _elfMachine, _elfLoader, _elfNeeded, _elfRpath; fails for what is no dynamic ELF file.
_readElf() {
  local _line _dynamic=
  _elfMachine=
  _elfLoader=
  _elfNeeded=()
  _elfRpath=
  isELF "$1" || return 1
  while IFS='' read -r _line; do
    case $_line in
      *Class:*) _elfMachine=${_line##* } ;;
      *Machine:*) _elfMachine+=" ${_line#*Machine:}" ;;
      *'[Requesting program interpreter: '*)
        _elfLoader=${_line#*: }
        _elfLoader=${_elfLoader%]}
        ;;
      *'(NEEDED)'*)
        _dynamic=1
        _line=${_line#*[}
        _elfNeeded+=("${_line%]}")
        ;;
      *'(RPATH)'* | *'(RUNPATH)'*)
        _line=${_line#*[}
        _elfRpath=${_line%]}
        ;;
      *'Dynamic section at'*) _dynamic=1 ;;
    esac
  done < <(LC_ALL=C readelf -W -h -l -d -- "$1" 2>/dev/null)
  [ -n "$_dynamic" ]
}

_indexLibraries() { # DIRECTORY...
  local _directory _file
  for _directory in "$@"; do
    for _file in "$_directory"/*.so "$_directory"/*.so.*; do
      if [ -e "$_file" ]; then _autoPatchelfIndex[${_file##*/}]+="$_directory"$'\n'; fi
    done
  done
}

# _findLibrary NAME MACHINE: the first directory that has it for the machine.
_findLibrary() {
  local _directory _line _found
  while IFS='' read -r _directory; do
    [ -n "$_directory" ] || continue
    _found=
    while IFS='' read -r _line; do
      case $_line in
        *Class:*) _found=${_line##* } ;;
        *Machine:*) _found+=" ${_line#*Machine:}" ;;
      esac
    done < <(LC_ALL=C readelf -h -- "$_directory/$1" 2>/dev/null)
    if [ "$_found" = "$2" ]; then
      _foundDirectory=$_directory
      return 0
    fi
  done <<<"${_autoPatchelfIndex[$1]:-}"
  return 1
}

_isIgnoredLibrary() {
  local _pattern
  local -a _patterns=()
  concatTo _patterns autoPatchelfIgnoreMissingDeps
  for _pattern in "${_patterns[@]}"; do
    if [ "$_pattern" = 1 ] || [ "$_pattern" = true ]; then return 0; fi
    # shellcheck disable=SC2053 # a pattern
    if [[ $1 == $_pattern ]]; then return 0; fi
  done
  return 1
}

_autoPatchelfFile() {
  local _file=$1 _name _directory _expanded _rpath= _foundDirectory
  local -a _elfNeeded=() _wanted=() _old=() _more=()
  local _elfMachine _elfLoader _elfRpath
  _readElf "$_file" || return 0
  # What belongs to another machine than the dynamic linker stays as it is.
  if [ "$_elfMachine" != "$_autoPatchelfMachine" ]; then
    echo "skipping $_file: it is for another architecture ($_elfMachine)"
    return 0
  fi
  local _origin
  _origin=$(cd "$(dirname -- "$_file")" && pwd -P)

  # Entries of the present RPATH that lead somewhere are kept.
  IFS=: read -ra _old <<<"$_elfRpath"
  for _directory in "${_old[@]}"; do
    case $_directory in
      *'$ORIGIN'* | *'${ORIGIN}'* | "$NIX_STORE"/*) _wanted+=("$_directory") ;;
    esac
  done

  for _name in "${_elfNeeded[@]}"; do
    if [[ $_name == /* && -e $_name ]]; then continue; fi
    local _have=
    for _directory in "${_wanted[@]}"; do
      _expanded=${_directory//'${ORIGIN}'/$_origin}
      _expanded=${_expanded//'$ORIGIN'/$_origin}
      if [ -e "$_expanded/$_name" ]; then
        _have=1
        break
      fi
    done
    if [ -n "$_have" ]; then continue; fi
    if [ -z "$_elfLoader" ]; then
      for _directory in ${autoPatchelfProvided:-}; do
        if [ -e "$_directory/$_name" ]; then
          _have=1
          break
        fi
      done
      if [ -n "$_have" ]; then continue; fi
    fi
    if _findLibrary "$_name" "$_elfMachine"; then
      _wanted+=("$_foundDirectory")
    elif [[ $_name == ld-linux* ]]; then
      : # the dynamic linker itself, which is there
    elif _isIgnoredLibrary "$_name"; then
      echo "warning: auto-patchelf ignores that $_name is missing, which $_file wants"
    else
      _autoPatchelfMissing[$_name]+="$_file"$'\n'
    fi
  done
  concatTo _more runtimeDependencies
  for _directory in "${_more[@]}"; do if [ -d "$_directory/lib" ]; then _wanted+=("$_directory/lib"); else _wanted+=("$_directory"); fi; done
  concatTo _wanted appendRunpaths

  local -A _seen=()
  for _directory in "${_wanted[@]}"; do
    if [ -z "${_seen[$_directory]:-}" ]; then
      _seen[$_directory]=1
      _rpath+=${_rpath:+:}$_directory
    fi
  done
  local -a _edit=()
  if [ -n "$_elfLoader" ] && [ "$_elfLoader" != "$autoPatchelfLoader" ]; then _edit+=(--set-interpreter "$autoPatchelfLoader"); fi
  if [ "$_rpath" != "$_elfRpath" ]; then
    if [ -n "$_rpath" ]; then _edit+=(--force-rpath --set-rpath "$_rpath"); else _edit+=(--remove-rpath); fi
  fi
  if [ "${#_edit[@]}" -eq 0 ]; then return 0; fi
  echo "setting ${_elfLoader:+the dynamic linker and }RPATH of $_file${_rpath:+: $_rpath}"
  local -a _flags=()
  concatTo _flags patchelfFlags
  chmod u+w -- "$_file"
  patchelf "${_edit[@]}" "${_flags[@]}" "$_file"
}

# autoPatchelf [--no-recurse] PATH...
autoPatchelf() {
  local -a _options=() _paths=() _own=()
  local _path
  while [ "$#" -gt 0 ]; do
    case $1 in
      --) ;;
      --no-recurse) _options+=(-maxdepth 1) ;;
      -*) die "autoPatchelf: unknown option $1" ;;
      *) if [ -e "$1" ]; then _paths+=("$1"); fi ;;
    esac
    shift
  done
  if [ "${#_paths[@]}" -eq 0 ]; then return 0; fi

  local _elfMachine _elfLoader _elfRpath
  local -a _elfNeeded=()
  _readElf "$autoPatchelfLoader" || die "auto-patchelf: the dynamic linker $autoPatchelfLoader cannot be read"
  _autoPatchelfMachine=$_elfMachine

  _autoPatchelfIndex=()
  _autoPatchelfMissing=()
  while IFS='' read -r -d '' _path; do _own+=("$_path"); done \
    < <(find "${_paths[@]}" '!' -type d '(' -name '*.so' -o -name '*.so.*' ')' -printf '%h\0' | sort -zu)
  # The package's own libraries first, then what was named, then the inputs, then the C library and the compiler's.
  # shellcheck disable=SC2086
  _indexLibraries "${_own[@]}" "${extraAutoPatchelfLibs[@]}" "${autoPatchelfLibs[@]}" ${autoPatchelfDefaultLibs:-}

  while IFS='' read -r -d '' _path; do _autoPatchelfFile "$_path"; done < <(find "${_paths[@]}" "${_options[@]}" -type f -print0 | sort -z)

  if [ "${#_autoPatchelfMissing[@]}" -gt 0 ]; then
    local _name _first _count
    local -a _files=()
    # One line a library: a package may have hundreds of files that want the same one.
    while IFS='' read -r _name; do
      mapfile -t _files <<<"${_autoPatchelfMissing[$_name]%$'\n'}"
      _first=${_files[0]#"$out"/} _count=$((${#_files[@]} - 1))
      if [ "$_count" -gt 0 ]; then _first+=" and $_count more"; fi
      echo "error: auto-patchelf could not satisfy dependency $_name wanted by $_first" >&2
    done < <(printf '%s\n' "${!_autoPatchelfMissing[@]}" | sort)
    echo "Add the packages that have these libraries to buildInputs. If a library comes from elsewhere at run time (a driver, say), name it: autoPatchelfIgnoreMissingDeps = [ \"libcuda.so.*\" ];" >&2
    exit 1
  fi
}

postFixupHooks+=(autoPatchelfPostFixup)
autoPatchelfPostFixup() {
  if [ -n "${dontAutoPatchelf:-}" ]; then return 0; fi
  local _output
  local -a _paths=()
  for _output in $(getAllOutputNames); do
    if [ -e "${!_output}" ]; then _paths+=("${!_output}"); fi
  done
  autoPatchelf "${_paths[@]}"
}
