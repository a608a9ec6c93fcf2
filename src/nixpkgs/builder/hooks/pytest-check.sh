# shellcheck shell=bash
# pytestCheckHook: the check phase of a Python package runs pytest on the installed package.

if [ -z "${dontUsePytestCheck:-}" ] && [ -z "${installCheckPhase:-}" ]; then
  installCheckPhase=pytestCheckPhase
fi

pytestCheckPhase() {
  runHook preCheck
  local -a _flags=() _disabled=() _paths=() _enabled=() _enabledPaths=() _marks=()
  concatTo _disabled disabledTests
  concatTo _paths disabledTestPaths
  concatTo _enabled enabledTests
  concatTo _enabledPaths enabledTestPaths
  concatTo _marks disabledTestMarks
  local _expression= _name
  for _name in "${_disabled[@]}"; do _expression+="${_expression:+ and }not $_name"; done
  for _name in "${_enabled[@]}"; do _expression+="${_expression:+ and }($_name)"; done
  if [ -n "$_expression" ]; then _flags+=(-k "$_expression"); fi
  _expression=
  for _name in "${_marks[@]}"; do _expression+="${_expression:+ and }not ($_name)"; done
  if [ -n "$_expression" ]; then _flags+=(-m "$_expression"); fi
  local _path _matched
  for _path in "${_paths[@]}"; do
    _matched=
    # A name with `::` is one test, the rest are patterns of files.
    if [[ $_path == *::* ]]; then
      _flags+=("--deselect=$_path")
      continue
    fi
    # shellcheck disable=SC2086
    for _name in $_path; do
      if [ -e "$_name" ]; then
        _matched=1
        _flags+=("--ignore=$_name")
      fi
    done
    [ -n "$_matched" ] || die "disabled test path \"$_path\" matches nothing"
  done
  concatTo _flags pytestFlags pytestFlagsArray
  _flags+=("${_enabledPaths[@]}")
  echoCmd 'pytest flags' "${_flags[@]}"
  ${pythonExecutable:-python3} -B -m pytest "${_flags[@]}"
  runHook postCheck
}
