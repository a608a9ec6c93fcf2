# shellcheck shell=bash
# Standard environment, third part: the phases of a build.

# --------------------------------------------------------------------------------------------------------------------- unpack

unpackCmdHooks+=(_defaultUnpack)
_defaultUnpack() {
  local _file=$1 _destination
  if [ -d "$_file" ]; then
    _destination=$(stripHash "$_file")
    if [ -e "$_destination" ]; then
      echo "cannot unpack $_file: there is a $_destination already (do two of srcs have the same name?)" >&2
      return 1
    fi
    cp -r --preserve=mode,timestamps --reflink=auto -- "$_file" "$_destination"
    return 0
  fi
  case $_file in
    *.tar.xz | *.tar.lzma | *.txz) xz -d <"$_file" | tar xf - --mode=+w --warning=no-timestamp ;;
    *.tar | *.tar.* | *.tgz | *.tbz2 | *.tbz) tar xf "$_file" --mode=+w --warning=no-timestamp ;;
    *.zip | *.ZIP)
      if type -P unzip >/dev/null; then
        unzip -qq "$_file"
      else
        echo "unzip is not among the tools of this build: add it to nativeBuildInputs" >&2
        return 1
      fi
      ;;
    *) return 1 ;;
  esac
}

unpackFile() {
  curSrc=$1
  echo "unpacking source archive $curSrc"
  if ! runOneHook unpackCmd "$curSrc"; then
    die "do not know how to unpack source archive $curSrc"
  fi
}

unpackPhase() {
  runHook preUnpack
  local -a _sources=()
  if isDeclaredArray srcs; then
    _sources=("${srcs[@]}")
  elif [ -n "${srcs:-}" ]; then
    # shellcheck disable=SC2206
    _sources=($srcs)
  elif [ -n "${src:-}" ]; then
    _sources=("$src")
  else
    die 'variable $src or $srcs should point to the source'
  fi

  # Which directories are new after unpacking tells the root of the source.
  local -A _before=()
  local _entry
  for _entry in *; do if [ -d "$_entry" ]; then _before[$_entry]=1; fi; done
  for _entry in "${_sources[@]}"; do unpackFile "$_entry"; done

  : "${sourceRoot=}"
  if [ -n "${setSourceRoot:-}" ]; then
    runOneHook setSourceRoot
  elif [ -z "$sourceRoot" ]; then
    for _entry in *; do
      if [ -d "$_entry" ] && [ -z "${_before[$_entry]:-}" ]; then
        [ -z "$sourceRoot" ] || die "unpacker produced multiple directories: $sourceRoot and $_entry; set sourceRoot"
        sourceRoot=$_entry
      fi
    done
  fi
  [ -n "$sourceRoot" ] || die "unpacker appears to have produced no directories"
  echo "source root is $sourceRoot"
  if [ "${dontMakeSourcesWritable:-0}" != 1 ]; then chmod -R u+w -- "$sourceRoot"; fi
  runHook postUnpack
}

# ---------------------------------------------------------------------------------------------------------------------- patch

patchPhase() {
  runHook prePatch
  local -a _patches=() _flags=()
  concatTo _patches patches
  concatTo _flags patchFlags=-p1
  local _patch _uncompress
  for _patch in "${_patches[@]}"; do
    echo "applying patch $_patch"
    case $_patch in
      *.gz) _uncompress="gzip -d" ;;
      *.bz2) _uncompress="bzip2 -d" ;;
      *.xz | *.lzma) _uncompress="xz -d" ;;
      *) _uncompress=cat ;;
    esac
    $_uncompress <"$_patch" | patch "${_flags[@]}"
  done
  runHook postPatch
}

# ------------------------------------------------------------------------------------------------------------------ configure

fixLibtool() {
  # libtool's list of the system's directories would put impure paths into RPATHs.
  local _search=''
  local _flag
  for _flag in ${NIX_LDFLAGS:-}; do case $_flag in -L*) _search+=${_flag#-L}' ' ;; esac; done
  sed -i "$1" \
    -e "s^eval \(sys_lib_search_path=\).*^\1'$_search'^" \
    -e "s^eval sys_lib_.+search_path=.*^^" \
    -e 's^eval \(sys_lib_dlsearch_path_spec=\).*^\1""^'
}

configurePhase() {
  runHook preConfigure
  : "${configureScript=}"
  if [ -z "$configureScript" ] && [ -x ./configure ]; then configureScript=./configure; fi

  if [ -z "${dontFixLibtool:-}" ]; then
    local _file
    while IFS='' read -r -d '' _file; do
      echo "fixing libtool script $_file"
      fixLibtool "$_file"
    done < <(find . -iname ltmain.sh -print0)
    # Generated configure scripts look for `file` in one fixed place. Their time stays, or make would generate what is there.
    local _time
    while IFS='' read -r -d '' _file; do
      if ! grep -q /usr/bin/file "$_file"; then continue; fi
      _time=$(stat --format=%y -- "$_file")
      sed -i "$_file" -e 's#/usr/bin/file#file#g'
      touch --date="$_time" -- "$_file"
    done < <(find . -name configure -type f -print0)
  fi

  if [ -z "${dontAddPrefix:-}" ] && [ -n "$prefix" ]; then
    prependToVar configureFlags "${prefixKey:---prefix=}$prefix"
  fi

  if [ -f "$configureScript" ]; then
    if [ -z "${dontAddDisableDepTrack:-}" ] && grep -q dependency-tracking "$configureScript"; then
      prependToVar configureFlags --disable-dependency-tracking
    fi
    if [ -z "${dontDisableStatic:-}" ] && grep -q enable-static "$configureScript"; then
      prependToVar configureFlags --disable-static
    fi
    if [ -z "${dontPatchShebangsInConfigure:-}" ]; then patchShebangs --build "$configureScript"; fi
  fi

  if [ -n "$configureScript" ]; then
    local -a flagsArray=()
    concatTo flagsArray configureFlags configureFlagsArray
    echoCmd 'configure flags' "${flagsArray[@]}"
    # A script without `#!` line is the shell's; others are programs of any kind, with arguments perhaps.
    if [ -f "$configureScript" ] && ! isScript "$configureScript" && ! isELF "$configureScript"; then
      "$SHELL" "$configureScript" "${flagsArray[@]}" || _configureFailed
    elif [ -f "$configureScript" ]; then
      [ -x "$configureScript" ] || chmod +x "$configureScript"
      case $configureScript in */*) ;; *) configureScript=./$configureScript ;; esac
      "$configureScript" "${flagsArray[@]}" || _configureFailed
    else
      $configureScript "${flagsArray[@]}" || _configureFailed
    fi
  else
    echo "no configure script, doing nothing"
  fi
  runHook postConfigure
}

_configureFailed() {
  if [ -f config.log ]; then
    echo "the end of config.log:" >&2
    tail -n 40 config.log >&2
  fi
  return 1
}

# ---------------------------------------------------------------------------------------------------------------------- build

_hasMakefile() { [ -n "${makefile:-}" ] || [ -e Makefile ] || [ -e makefile ] || [ -e GNUmakefile ]; }

# _make PARALLEL VARIABLE...: runs make with the flags in the variables.
_make() {
  local _jobs=
  if [ -n "$1" ]; then _jobs=-j$NIX_BUILD_CORES; fi
  shift
  local -a flagsArray=(${_jobs:+"$_jobs"} "SHELL=$SHELL")
  concatTo flagsArray "$@"
  echoCmd 'make flags' "${flagsArray[@]}"
  make ${makefile:+-f "$makefile"} "${flagsArray[@]}"
}

buildPhase() {
  runHook preBuild
  if [ -z "${makeFlags[*]:-}" ] && ! _hasMakefile; then
    echo "no Makefile or custom buildPhase, doing nothing"
  else
    _foundMakefile=1
    _make "${enableParallelBuilding:-}" makeFlags makeFlagsArray buildFlags buildFlagsArray
  fi
  runHook postBuild
}

checkPhase() {
  runHook preCheck
  if ! _hasMakefile; then
    echo "no Makefile or custom checkPhase, doing nothing"
    runHook postCheck
    return
  fi
  if [ -z "${checkTarget:-}" ]; then
    local _target
    for _target in check test; do
      if make -n ${makefile:+-f "$makefile"} "$_target" >/dev/null 2>&1; then
        checkTarget=$_target
        break
      fi
    done
  fi
  if [ -z "${checkTarget:-}" ]; then
    echo "no check/test target in ${makefile:-Makefile}, doing nothing"
  else
    local -a _targets=(${checkTarget})
    _make "${enableParallelChecking:-${enableParallelBuilding:-}}" makeFlags makeFlagsArray checkFlags=VERBOSE=y checkFlagsArray _targets
  fi
  runHook postCheck
}

# -------------------------------------------------------------------------------------------------------------------- install

installPhase() {
  runHook preInstall
  if ! _hasMakefile && [ -z "${_foundMakefile:-}" ]; then
    echo "no Makefile or custom installPhase, doing nothing"
    runHook postInstall
    return
  fi
  if [ -n "$prefix" ]; then mkdir -p "$prefix"; fi
  _make "${enableParallelInstalling:-}" makeFlags makeFlagsArray installFlags installFlagsArray installTargets=install
  runHook postInstall
}

# ---------------------------------------------------------------------------------------------------------------------- fixup

fixupPhase() {
  local _output
  for _output in $(getAllOutputNames); do
    if [ -e "${!_output}" ]; then chmod -R u+w,u-s,g-s "${!_output}"; fi
  done
  runHook preFixup
  for _output in $(getAllOutputNames); do
    prefix="${!_output}" runHook fixupOutput
  done
  recordPropagatedDependencies
  if [ -n "${setupHook:-}" ]; then
    mkdir -p "${!outputDev}/nix-support"
    substituteAll "$setupHook" "${!outputDev}/nix-support/setup-hook"
  fi
  if [ -n "${setupHooks:-}" ]; then
    mkdir -p "${!outputDev}/nix-support"
    local _hook _text=
    for _hook in ${setupHooks}; do
      consumeEntire _text <"$_hook"
      substituteAllStream _text "file '$_hook'" >>"${!outputDev}/nix-support/setup-hook"
    done
  fi
  if [ -n "${propagatedUserEnvPkgs[*]:-}" ]; then
    mkdir -p "${!outputBin}/nix-support"
    printWords "${propagatedUserEnvPkgs[@]}" >"${!outputBin}/nix-support/propagated-user-env-packages"
  fi
  runHook postFixup
}

# What users of this package get with it: in files that findInputs reads.
recordPropagatedDependencies() {
  local _pair _variable _file
  for _pair in depsBuildBuildPropagated:propagated-build-build-deps propagatedNativeBuildInputs:propagated-native-build-inputs \
    depsBuildTargetPropagated:propagated-build-target-deps depsHostHostPropagated:propagated-host-host-deps \
    propagatedBuildInputs:propagated-build-inputs depsTargetTargetPropagated:propagated-target-target-deps; do
    _variable=${_pair%%:*}
    _file=${_pair#*:}
    local -a _values=()
    concatTo _values "$_variable"
    [ "${#_values[@]}" -gt 0 ] || continue
    mkdir -p "${!outputDev}/nix-support"
    printWords "${_values[@]}" >"${!outputDev}/nix-support/$_file"
  done
}

installCheckPhase() {
  runHook preInstallCheck
  if ! _hasMakefile; then
    echo "no Makefile or custom installCheckPhase, doing nothing"
  elif [ -z "${installCheckTarget:-}" ] && ! make -n ${makefile:+-f "$makefile"} installcheck >/dev/null 2>&1; then
    echo "no installcheck target in ${makefile:-Makefile}, doing nothing"
  else
    _make "${enableParallelChecking:-${enableParallelBuilding:-}}" makeFlags makeFlagsArray installCheckFlags installCheckFlagsArray installCheckTarget=installcheck
  fi
  runHook postInstallCheck
}

distPhase() {
  runHook preDist
  _make "" distFlags distFlagsArray distTarget=dist
  if [ "${dontCopyDist:-0}" != 1 ]; then
    mkdir -p "$out/tarballs"
    # shellcheck disable=SC2086
    cp -pvd ${tarballs[*]:-*.tar.gz} "$out/tarballs"
  fi
  runHook postDist
}

# ------------------------------------------------------------------------------------------------------------------- together

showPhaseHeader() {
  echo "Running phase: $1"
}

showPhaseFooter() {
  local _phase=$1 _seconds=$(($3 - $2))
  if [ "$_seconds" -ge 30 ]; then echo "$_phase completed in $((_seconds / 60)) minutes $((_seconds % 60)) seconds"; fi
}

# Whether the attributes say that a phase is to be left out.
_isSkipped() {
  case $1 in
    unpackPhase) [ -n "${dontUnpack:-}" ] ;;
    patchPhase) [ -n "${dontPatch:-}" ] ;;
    configurePhase) [ -n "${dontConfigure:-}" ] ;;
    buildPhase) [ -n "${dontBuild:-}" ] ;;
    checkPhase) [ -z "${doCheck:-}" ] ;;
    installPhase) [ -n "${dontInstall:-}" ] ;;
    fixupPhase) [ -n "${dontFixup:-}" ] ;;
    installCheckPhase) [ -z "${doInstallCheck:-}" ] ;;
    distPhase) [ -z "${doDist:-}" ] ;;
    *) return 1 ;;
  esac
}

runPhase() {
  curPhase=$1
  shift
  if _isSkipped "$curPhase"; then return 0; fi
  _nixAction "$curPhase"
  showPhaseHeader "$curPhase"
  dumpVars
  local _start=$SECONDS
  # The attribute of that name comes before the function.
  if [ -n "${!curPhase:-}" ]; then eval "${!curPhase}"; else "$curPhase"; fi
  showPhaseFooter "$curPhase" "$_start" "$SECONDS"
  if [ "$curPhase" = unpackPhase ]; then
    if [ -n "${sourceRoot:-}" ]; then chmod +x -- "$sourceRoot"; fi
    cd -- "${sourceRoot:-.}"
  fi
}

genericBuild() {
  export GZIP_NO_TIMESTAMPS=1
  if [ -f "${buildCommandPath:-}" ]; then
    # shellcheck disable=SC1090
    source "$buildCommandPath"
    return
  fi
  if [ -n "${buildCommand:-}" ]; then
    eval "$buildCommand"
    return
  fi
  local -a _phases=()
  if [ -n "${phases[*]:-}" ]; then
    concatTo _phases phases
  else
    concatTo _phases prePhases
    _phases+=(unpackPhase patchPhase)
    concatTo _phases preConfigurePhases
    _phases+=(configurePhase)
    concatTo _phases preBuildPhases
    _phases+=(buildPhase checkPhase)
    concatTo _phases preInstallPhases
    _phases+=(installPhase)
    concatTo _phases preFixupPhases
    _phases+=(fixupPhase installCheckPhase)
    concatTo _phases preDistPhases
    _phases+=(distPhase)
    concatTo _phases postPhases
  fi
  local _phase
  for _phase in "${_phases[@]}"; do runPhase "$_phase"; done
}
