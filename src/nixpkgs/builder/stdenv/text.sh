# shellcheck shell=bash
# Standard environment, second part: text replacement, file names, small tests.

# consumeEntireFile and friends: bash drops NUL bytes, and `$(…)` trailing newlines; keep the latter.
consumeEntire() {
  if IFS='' read -r -d '' "$1"; then
    echo "consumeEntire: the input contains a NUL byte, which a shell variable cannot hold" >&2
    return 1
  fi
}

# substituteStream VARIABLE DESCRIPTION OPTION...: applies --replace and the like to the text in VARIABLE.
substituteStream() {
  local _variable=$1 _description=$2 _mode _pattern _replacement _name _saved
  shift 2
  while [ "$#" -gt 0 ]; do
    _mode=$1
    case $_mode in
      --replace | --replace-fail | --replace-warn | --replace-quiet)
        _pattern=$2
        _replacement=$3
        shift 3
        _saved=${!_variable}
        # Quoted replacement: `&` is nothing special.
        printf -v "$_variable" '%s' "${_saved//"$_pattern"/"$_replacement"}"
        if [ "$_pattern" != "$_replacement" ] && [ "${!_variable}" = "$_saved" ]; then
          case $_mode in
            --replace-quiet) ;;
            --replace-fail)
              echo "substituteStream() in derivation ${name:-}: error: pattern $(printf %q "$_pattern") does not match anything in $_description" >&2
              return 1
              ;;
            *) echo "substituteStream() in derivation ${name:-}: warning: pattern $(printf %q "$_pattern") does not match anything in $_description" >&2 ;;
          esac
        fi
        ;;
      --subst-var)
        _name=$2
        shift 2
        if ! [[ $_name =~ ^[a-zA-Z_][a-zA-Z0-9_]*$ ]]; then
          echo "substituteStream() in derivation ${name:-}: error: substitution variable '$_name' is not a valid name" >&2
          return 1
        fi
        if [ -z "${!_name+x}" ]; then
          echo "substituteStream() in derivation ${name:-}: error: variable \$$_name is unset" >&2
          return 1
        fi
        _saved=${!_variable}
        printf -v "$_variable" '%s' "${_saved//"@$_name@"/"${!_name}"}"
        ;;
      --subst-var-by)
        _saved=${!_variable}
        printf -v "$_variable" '%s' "${_saved//"@$2@"/"$3"}"
        shift 3
        ;;
      *)
        echo "substituteStream() in derivation ${name:-}: error: invalid argument: $1" >&2
        return 1
        ;;
    esac
  done
  printf '%s' "${!_variable}"
}

# substitute INPUT OUTPUT OPTION...
substitute() {
  local _input=$1 _output=$2 _content _result
  shift 2
  if [ ! -f "$_input" ]; then
    echo "substitute(): error: file '$_input' does not exist" >&2
    return 1
  fi
  consumeEntire _content <"$_input" || return 1
  # Status and output must both survive, newlines at the end included.
  _result=$(substituteStream _content "file '$_input'" "$@" && printf x) || return 1
  if [ -e "$_output" ]; then chmod +w "$_output"; fi
  printf '%s' "${_result%x}" >"$_output"
}

# substituteInPlace FILE... OPTION...
substituteInPlace() {
  local -a _files=()
  while [[ $# -gt 0 && $1 != --* ]]; do
    _files+=("$1")
    shift
  done
  if [ "${#_files[@]}" -eq 0 ]; then
    echo "substituteInPlace(): error: no files to operate on" >&2
    return 1
  fi
  local _file
  for _file in "${_files[@]}"; do substitute "$_file" "$_file" "$@" || return 1; done
}

_allSubstitutions() {
  local _name
  # Nix attributes that start with a lower-case letter, as nixpkgs does it.
  for _name in $(awk 'BEGIN { for (v in ENVIRON) if (v ~ /^[a-z][a-zA-Z0-9_]*$/) print v }'); do
    _substitutions+=(--subst-var "$_name")
  done
}

substituteAll() {
  local -a _substitutions=()
  _allSubstitutions
  substitute "$1" "$2" "${_substitutions[@]}"
}

substituteAllInPlace() {
  local _file=$1
  shift
  substituteAll "$_file" "$_file"
}

substituteAllStream() {
  local -a _substitutions=()
  _allSubstitutions
  substituteStream "$1" "$2" "${_substitutions[@]}"
}

# "…/<hash>-name" to "name".
stripHash() {
  local strippedName
  strippedName=$(basename -- "$1")
  if [[ $strippedName =~ ^[a-z0-9]{32}- ]]; then
    echo "${strippedName:33}"
  else
    echo "$strippedName"
  fi
}

isScript() {
  local magic fd
  [ -f "$1" ] && [ -r "$1" ] || return 1
  exec {fd}<"$1"
  LC_ALL=C IFS='' read -r -n 2 -u "$fd" magic || true
  exec {fd}<&-
  [ "$magic" = '#!' ]
}

isELF() {
  local magic fd
  [ -f "$1" ] && [ -r "$1" ] || return 1
  exec {fd}<"$1"
  LC_ALL=C IFS='' read -r -n 4 -u "$fd" magic || true
  exec {fd}<&-
  [ "$magic" = $'\177ELF' ]
}

isMachO() { return 1; }

printLines() { [ "$#" -gt 0 ] || return 0; printf '%s\n' "$@"; }
printWords() { [ "$#" -gt 0 ] || return 0; printf '%s ' "$@"; }

# addRpathPrefix DIRECTORY: where the package's own libraries will be found at run time.
addRpathPrefix() {
  if [ "${NIX_NO_SELF_RPATH:-0}" != 1 ]; then
    export NIX_LDFLAGS="-rpath $1/lib${NIX_LDFLAGS:+ $NIX_LDFLAGS}"
  fi
}

# The environment as `declare` statements: what `nix develop` and failed builds show.
dumpVars() {
  if [ "${noDumpEnvVars:-0}" != 1 ] && [ -n "${NIX_BUILD_TOP:-}" ]; then
    ( umask 0077; export 2>/dev/null >"$NIX_BUILD_TOP/env-vars" ) || true
  fi
}
