# shellcheck shell=bash
# The phases of a Python package. `pythonFormat` (pyproject, setuptools, flit, wheel, other), `pythonExecutable`,
# `pythonSitePackages`, `pythonHelper` and `pythonBuildTools` come from the derivation.

# Never CFLAGS here: setuptools would let it replace the interpreter's own flags, -O2 and -DNDEBUG included.
export SOURCE_DATE_EPOCH=315532800 # 1980: what zip files can hold, and the same for every build
dontSetSourceDateEpoch=1
export PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 PYTHONNOUSERSITE=1 DETERMINISTIC_BUILD=1
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
export MAX_CONCURRENCY=${MAX_CONCURRENCY:-$NIX_BUILD_CORES}
if [ ! -d "${HOME:-/homeless-shelter}" ]; then
  export HOME=$NIX_BUILD_TOP/.home
  mkdir -p "$HOME"
fi

_pythonSite="$out/$pythonSitePackages"
_python() { "$pythonExecutable" -B "$@"; }

# Tools of the build come last on the path: what the package itself names wins.
postHooks+=(_addPythonBuildTools)
_addPythonBuildTools() {
  local _tool
  for _tool in ${pythonBuildTools:-}; do addToSearchPathWithCustomDelimiter : PYTHONPATH "$_tool/$pythonSitePackages"; done
  case " ${pythonFormat} " in
    *" wheel "*) : "${unpackPhase=wheelUnpackPhase}" "${dontConfigure=1}" "${dontBuild=1}" ;;
    *" setuptools "*) : "${buildPhase=pipBuildPhase}" "${configurePhase=_pythonConfigurePhase}" ;;
    *" pyproject "* | *" flit "*) : "${buildPhase=pypaBuildPhase}" "${configurePhase=_pythonConfigurePhase}" ;;
  esac
  if [ "$pythonFormat" != other ] && [ -z "${dontUsePipInstall:-}" ]; then : "${installPhase=pipInstallPhase}"; fi
  # Makefiles of Python projects are for their developers.
  if [ "$pythonFormat" != other ]; then : "${installCheckPhase=_pythonNoCheckPhase}"; fi
}

# The phases run by name, so that an attribute of that name takes their place.
_pythonConfigurePhase() {
  runHook preConfigure
  runHook postConfigure
}

_pythonNoCheckPhase() {
  runHook preInstallCheck
  runHook postInstallCheck
}

wheelUnpackPhase() {
  runHook preUnpack
  mkdir -p dist
  cp -- "$src" "dist/$(stripHash "$src")"
  chmod +w dist/*
  sourceRoot=.
  runHook postUnpack
}

# PEP 517 through pip: works with and without pyproject.toml.
pipBuildPhase() {
  runHook preBuild
  local -a flagsArray=()
  if [ -z "${enableParallelBuilding-1}" ]; then unset MAX_CONCURRENCY; fi
  concatTo flagsArray pipBuildFlags
  mkdir -p dist
  echoCmd 'pip build flags' "${flagsArray[@]}"
  _python "$pythonHelper" requirements .
  _python -m pip wheel --verbose --no-index --no-deps --no-build-isolation --no-clean --no-cache-dir --wheel-dir dist "${flagsArray[@]}" .
  runHook postBuild
}

# PEP 517 through the `build` package: checks that what pyproject.toml requires is there.
pypaBuildPhase() {
  runHook preBuild
  local -a flagsArray=()
  concatTo flagsArray pypaBuildFlags
  echoCmd 'pypa build flags' "${flagsArray[@]}"
  _python "$pythonHelper" requirements .
  _python -m build --no-isolation --skip-dependency-check --outdir dist/ --wheel "${flagsArray[@]}" .
  runHook postBuild
}

# Version bounds and requirements that the package is to lose, and those that nothing can read.
postBuildHooks+=(_pythonRelaxDeps)
postUnpackHooks+=(_pythonRelaxWheel)
_pythonRelaxWheel() { if [ "$pythonFormat" = wheel ]; then _pythonRelaxDeps; fi; }
_pythonRelaxDeps() {
  local _wheel
  for _wheel in dist/*.whl; do if [ -e "$_wheel" ]; then _python "$pythonHelper" mend "$_wheel"; fi; done
  if [ -z "${pythonRelaxDeps[*]:-}" ] && [ -z "${pythonRemoveDeps[*]:-}" ]; then return 0; fi
  local -a _relax=() _remove=()
  concatTo _relax pythonRelaxDeps
  concatTo _remove pythonRemoveDeps
  for _wheel in dist/*.whl; do
    if [ -e "$_wheel" ]; then _python "$pythonHelper" relax "$_wheel" --relax "${_relax[@]}" --remove "${_remove[@]}"; fi
  done
}

pipInstallPhase() {
  runHook preInstall
  mkdir -p "$_pythonSite"
  export PYTHONPATH="$_pythonSite${PYTHONPATH:+:$PYTHONPATH}"
  local -a flagsArray=() _wheels=()
  concatTo flagsArray pipInstallFlags
  local _wheel
  for _wheel in dist/*.whl; do if [ -e "$_wheel" ]; then _wheels+=("$_wheel"); fi; done
  if [ "${#_wheels[@]}" -eq 0 ]; then die "the build left no wheel in dist/"; fi
  echoCmd 'pip install flags' "${flagsArray[@]}"
  for _wheel in "${_wheels[@]}"; do
    _python -m pip install "./$_wheel" --no-index --no-deps --no-compile --no-cache-dir --ignore-installed --no-warn-script-location \
      --prefix="$out" "${flagsArray[@]}"
  done
  runHook postInstall
}

# ---- fixup
if [ -z "${dontUsePythonRemoveTestsDir:-}" ]; then postInstallHooks+=(_pythonRemoveTestsDir); fi
_pythonRemoveTestsDir() { rm -rf -- "$_pythonSite/tests" "$_pythonSite/test"; }

if [ -z "${dontUsePythonRemoveBinBytecode:-}" ]; then preFixupHooks+=(_pythonRemoveBinBytecode); fi
_pythonRemoveBinBytecode() {
  if [ -d "$out/bin" ]; then
    rm -rf -- "$out/bin/__pycache__"
    find "$out/bin" -maxdepth 1 -type f -name '*.pyc' -delete
  fi
}

# buildPythonPath DIRECTORIES: sets program_PYTHONPATH and program_PATH from packages and what they propagate.
buildPythonPath() {
  program_PYTHONPATH=
  program_PATH=
  local -A _seen=()
  local _directory
  for _directory in $1; do _addToPythonPath "$_directory"; done
}

_addToPythonPath() {
  local _directory=$1 _next
  if [ -n "${_seen[$_directory]:-}" ]; then return 0; fi
  _seen[$_directory]=1
  addToSearchPathWithCustomDelimiter : program_PYTHONPATH "$_directory/$pythonSitePackages"
  addToSearchPathWithCustomDelimiter : program_PATH "$_directory/bin"
  if [ -f "$_directory/nix-support/propagated-build-inputs" ]; then
    for _next in $(<"$_directory/nix-support/propagated-build-inputs"); do _addToPythonPath "$_next"; done
  fi
}

toPythonPath() {
  local _result= _directory
  for _directory in $1; do _result+="${_result:+:}$_directory/$pythonSitePackages"; done
  echo "$_result"
}

wrapPythonPrograms() {
  local -a _propagated=()
  concatTo _propagated propagatedBuildInputs
  wrapPythonProgramsIn "$out/bin" "$out ${_propagated[*]}"
}

wrapPythonProgramsIn() {
  local _directory=$1
  if [ ! -d "$_directory" ]; then return 0; fi
  buildPythonPath "$2"
  local -a _user=()
  if [ -z "${permitUserSite:-}" ]; then _user=(--no-user-site); fi
  local -a _arguments=()
  concatTo _arguments makeWrapperArgs
  local _file
  # The helper makes a script find its modules by itself, and prints those that it changed.
  while IFS='' read -r -d '' _file; do
    echo "making $_file find its modules"
    if [ "${#_arguments[@]}" -gt 0 ]; then wrapProgram "$_file" "${_arguments[@]}"; fi
  done < <(_python "$pythonHelper" wrap "$_directory" --path "$program_PATH" --modules "$program_PYTHONPATH" "${_user[@]}" ${_arguments[0]:+--named})
}

postFixupHooks+=(_pythonFixup)
_pythonFixup() {
  # Wrapping comes after #! lines were made final, byte code after everything else.
  if [ "$pythonFormat" != other ] || [ -n "${wrapPythonProgramsInOther:-1}" ]; then
    if [ -z "${dontWrapPythonPrograms:-}" ]; then wrapPythonPrograms; fi
  fi
  if [ -d "$_pythonSite" ]; then _python "$pythonHelper" finish "$_pythonSite"; fi
}

# ---- checks
if [ -n "${pythonCatchConflicts:-}" ]; then preDistPhases="${preDistPhases:-} pythonCatchConflictsPhase"; fi
pythonCatchConflictsPhase() {
  _python "$pythonHelper" conflicts "$out" "$pythonSitePackages"
}

if [ -n "${pythonCheckRuntimeDeps:-}" ] && [ -z "${dontCheckRuntimeDeps:-}" ]; then
  postInstallHooks+=(_pythonCheckRuntimeDeps)
fi
_pythonCheckRuntimeDeps() {
  local _wheel
  for _wheel in dist/*.whl; do
    if [ -e "$_wheel" ]; then _python "$pythonHelper" runtime-deps "$_wheel"; fi
  done
}

preDistPhases="${preDistPhases:-} pythonImportsCheckPhase"
pythonImportsCheckPhase() {
  local -a _modules=()
  concatTo _modules pythonImportsCheck
  if [ "${#_modules[@]}" -eq 0 ] || [ -n "${dontUsePythonImportsCheck:-}" ]; then return 0; fi
  echo "Check whether the following modules can be imported: ${_modules[*]}"
  local _path
  buildPythonPath "$out ${propagatedBuildInputs[*]:-}"
  _path=$program_PYTHONPATH
  ( cd "$NIX_BUILD_TOP" && mkdir -p .import-check && cd .import-check && PYTHONPATH="$_path${PYTHONPATH:+:$PYTHONPATH}" _python "$pythonHelper" imports "${_modules[@]}" )
}
