# shellcheck shell=bash
# Wrappers: small shell scripts that set the environment of a program.

assertExecutable() {
  [[ -f $1 && -x $1 ]] || die "Cannot wrap '$1' because it is not an executable file"
}

# makeWrapper EXECUTABLE WRAPPER ARGUMENT...
makeWrapper() { makeShellWrapper "$@"; }

makeShellWrapper() {
  local _original=$1 _wrapper=$2 _argv0= _exec=exec _flags= _appended= _option _variable _separator _value _file
  assertExecutable "$_original"
  shift 2
  mkdir -p "$(dirname -- "$_wrapper")"
  # A file in the way would be written through, were it a link.
  rm -f -- "$_wrapper.tmp"
  {
    printf '#! %s -e\n' "$SHELL"
    while [ "$#" -gt 0 ]; do
      _option=$1
      shift
      case $_option in
        --set)
          printf 'export %s=%s\n' "$1" "$(_quoteForShell "$2")"
          shift 2
          ;;
        --set-default)
          printf 'export %s=${%s-%s}\n' "$1" "$1" "$(_quoteForShell "$2")"
          shift 2
          ;;
        --unset)
          printf 'unset %s\n' "$1"
          shift
          ;;
        --chdir)
          printf 'cd %s\n' "$(_quoteForShell "$1")"
          shift
          ;;
        --run)
          printf '%s\n' "$1"
          shift
          ;;
        --prefix | --suffix)
          _addToListVariable "${_option#--}" "$1" "$2" "$3"
          shift 3
          ;;
        --prefix-each | --suffix-each)
          _variable=$1
          _separator=$2
          for _value in $3; do _addToListVariable "$(_kindOf "$_option")" "$_variable" "$_separator" "$_value"; done
          shift 3
          ;;
        --suffix-contents | --prefix-contents)
          _variable=$1
          _separator=$2
          for _file in $3; do _addToListVariable "$(_kindOf "$_option")" "$_variable" "$_separator" "$(cat -- "$_file")"; done
          shift 3
          ;;
        --add-flag)
          _flags+=" $(_quoteForShell "$1")"
          shift
          ;;
        --append-flag)
          _appended+=" $(_quoteForShell "$1")"
          shift
          ;;
        --add-flags)
          _flags+=" $1"
          shift
          ;;
        --append-flags)
          _appended+=" $1"
          shift
          ;;
        --argv0)
          _argv0=$1
          shift
          ;;
        --inherit-argv0) _argv0='$0' ;;
        --resolve-argv0) ;;
        *) die "makeWrapper doesn't understand the argument $_option" ;;
      esac
    done
    if [ "$_argv0" = '$0' ]; then
      _exec='exec -a "$0"'
    elif [ -n "$_argv0" ]; then
      _exec="exec -a $(_quoteForShell "$_argv0")"
    fi
    printf '%s %s%s "$@"%s\n' "$_exec" "$(_quoteForShell "$_original")" "$_flags" "$_appended"
  } >"$_wrapper.tmp"
  mv -f -- "$_wrapper.tmp" "$_wrapper"
  chmod +x -- "$_wrapper"
}

_kindOf() { case $1 in --prefix*) echo prefix ;; *) echo suffix ;; esac; }

# Single quotes keep everything; `$` in values of --set stays text.
_quoteForShell() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

# The entry moves to the front or the end of the list, and is there once.
_addToListVariable() {
  local _side=$1 _name=$2 _between=$3 _entry
  if [ -z "$4" ]; then return 0; fi
  _entry=$(_quoteForShell "$4")
  _between=$(_quoteForShell "$_between")
  if [ "$_side" = prefix ]; then
    printf '%s=%s${%s:+%s$%s}\n' "$_name" "$_entry" "$_name" "$_between" "$_name"
  else
    printf '%s=${%s:+$%s%s}%s\n' "$_name" "$_name" "$_name" "$_between" "$_entry"
  fi
  printf 'export %s\n' "$_name"
}

# wrapProgram PROGRAM ARGUMENT...: in place; the program becomes `.NAME-wrapped` beside it.
wrapProgram() { wrapProgramShell "$@"; }

wrapProgramShell() {
  local _program=$1 _hidden
  assertExecutable "$_program"
  shift
  _hidden="$(dirname -- "$_program")/.$(basename -- "$_program")-wrapped"
  while [ -e "$_hidden" ]; do _hidden="${_hidden}_"; done
  mv -- "$_program" "$_hidden"
  makeShellWrapper "$_hidden" "$_program" --inherit-argv0 "$@"
}

# There is no compiled kind here: a shell wrapper does the same.
makeBinaryWrapper() { makeShellWrapper "$@"; }
wrapProgramBinary() { wrapProgramShell "$@"; }
