# shellcheck shell=bash
# CMake's configure phase.

cmakeConfigurePhase() {
  runHook preConfigure
  export CTEST_OUTPUT_ON_FAILURE=1
  : "${cmakeBuildDir:=build}"
  if [ -z "${dontUseCmakeBuildDir:-}" ]; then
    mkdir -p "$cmakeBuildDir"
    cd "$cmakeBuildDir"
    : "${cmakeDir:=..}"
  else
    : "${cmakeDir:=.}"
  fi
  local -a flagsArray=(
    "-DCMAKE_BUILD_TYPE=${cmakeBuildType:-Release}"
    "-DCMAKE_INSTALL_PREFIX=$prefix"
    "-DCMAKE_INSTALL_BINDIR=${!outputBin}/bin"
    "-DCMAKE_INSTALL_LIBDIR=${!outputLib}/lib"
    "-DCMAKE_INSTALL_INCLUDEDIR=${!outputInclude}/include"
    -DCMAKE_SKIP_BUILD_RPATH=ON
    -DBUILD_TESTING="$(if [ -n "${doCheck:-}" ]; then echo ON; else echo OFF; fi)"
    -DCMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON
    -DCMAKE_POLICY_DEFAULT_CMP0025=NEW
    -DCMAKE_INSTALL_NAME_DIR="${!outputLib}/lib"
  )
  concatTo flagsArray cmakeFlags cmakeFlagsArray
  echoCmd 'cmake flags' "${flagsArray[@]}"
  cmake "$cmakeDir" "${flagsArray[@]}"
  : "${enableParallelBuilding=1}" "${enableParallelChecking=1}" "${enableParallelInstalling=1}"
  runHook postConfigure
}

if [ -z "${dontUseCmakeConfigure:-}" ] && [ -z "${configurePhase:-}" ]; then configurePhase=cmakeConfigurePhase; fi
