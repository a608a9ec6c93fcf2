# shellcheck shell=bash
# Ninja's phases, for builds that CMake or Meson configured.

ninjaBuildPhase() {
  runHook preBuild
  local -a flagsArray=("-j$NIX_BUILD_CORES")
  concatTo flagsArray ninjaFlags ninjaFlagsArray
  echoCmd 'build flags' "${flagsArray[@]}"
  TERM=dumb ninja "${flagsArray[@]}"
  runHook postBuild
}

ninjaCheckPhase() {
  runHook preCheck
  if ninja -t query "${checkTarget:-test}" >/dev/null 2>&1; then
    local -a flagsArray=("-j$NIX_BUILD_CORES")
    concatTo flagsArray ninjaFlags ninjaFlagsArray checkFlags checkFlagsArray checkTarget=test
    TERM=dumb ninja "${flagsArray[@]}"
  else
    echo "no ${checkTarget:-test} target in build.ninja, doing nothing"
  fi
  runHook postCheck
}

ninjaInstallPhase() {
  runHook preInstall
  local -a flagsArray=("-j$NIX_BUILD_CORES")
  concatTo flagsArray ninjaFlags ninjaFlagsArray installTargets=install
  TERM=dumb ninja "${flagsArray[@]}"
  runHook postInstall
}

if [ -z "${dontUseNinjaBuild:-}" ] && [ -z "${buildPhase:-}" ]; then
  buildPhase=ninjaBuildPhase
  # CMake writes Makefiles unless told otherwise.
  prependToVar cmakeFlags -GNinja
fi
if [ -z "${dontUseNinjaCheck:-}" ] && [ -z "${checkPhase:-}" ]; then checkPhase=ninjaCheckPhase; fi
if [ -z "${dontUseNinjaInstall:-}" ] && [ -z "${installPhase:-}" ]; then installPhase=ninjaInstallPhase; fi
