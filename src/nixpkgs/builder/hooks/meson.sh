# shellcheck shell=bash
# Meson's phases.

mesonConfigurePhase() {
  runHook preConfigure
  : "${mesonBuildDir:=build}"
  local -a flagsArray=("--prefix=$prefix")
  if [ -z "${dontAddPrefix:-}" ]; then
    flagsArray+=(
      "--libdir=${!outputLib}/lib" "--libexecdir=${!outputLib}/libexec" "--bindir=${!outputBin}/bin" "--sbindir=${!outputBin}/sbin"
      "--includedir=${!outputInclude}/include" "--mandir=${!outputMan}/share/man" "--infodir=${!outputInfo}/share/info"
      "--localedir=${!outputLib}/share/locale" -Dauto_features="${mesonAutoFeatures:-enabled}" -Dwrap_mode="${mesonWrapMode:-nodownload}"
      --buildtype="${mesonBuildType:-plain}"
    )
  fi
  concatTo flagsArray mesonFlags mesonFlagsArray
  echoCmd 'meson flags' "${flagsArray[@]}"
  meson setup "$mesonBuildDir" "${flagsArray[@]}"
  cd "$mesonBuildDir"
  : "${enableParallelBuilding=1}" "${enableParallelChecking=1}" "${enableParallelInstalling=1}"
  runHook postConfigure
}

mesonInstallPhase() {
  runHook preInstall
  local -a flagsArray=()
  concatTo flagsArray mesonInstallFlags mesonInstallFlagsArray
  meson install --no-rebuild "${flagsArray[@]}"
  runHook postInstall
}

mesonCheckPhase() {
  runHook preCheck
  local -a flagsArray=()
  concatTo flagsArray mesonCheckFlags mesonCheckFlagsArray
  meson test --no-rebuild --print-errorlogs "${flagsArray[@]}"
  runHook postCheck
}

if [ -z "${dontUseMesonConfigure:-}" ] && [ -z "${configurePhase:-}" ]; then configurePhase=mesonConfigurePhase; fi
if [ -z "${dontUseMesonCheck:-}" ] && [ -z "${checkPhase:-}" ]; then checkPhase=mesonCheckPhase; fi
if [ -z "${dontUseMesonInstall:-}" ] && [ -z "${installPhase:-}" ]; then installPhase=mesonInstallPhase; fi
