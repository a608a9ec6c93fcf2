# shellcheck shell=bash
# Standard environment, last part: runs when the file is sourced. Sets the environment up and lets the inputs into it.

# `initialPath`, `defaultNativeBuildInputs`, `defaultBuildInputs`, `shell` are set by the head of this file, which the package set
# writes.

export SHELL=$shell CONFIG_SHELL=$shell
export TZ=${TZ:-UTC}
PATH=
HOST_PATH=
_PATH=
_XDG_DATA_DIRS=
for _directory in $initialPath; do
  if [ "$_directory" = / ]; then _directory=; fi
  PATH+=${PATH:+:}$_directory/bin
  HOST_PATH+=${HOST_PATH:+:}$_directory/bin
done
unset _directory
export PATH HOST_PATH

if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then SOURCE_DATE_EPOCH=315532800; fi # 1980: the oldest time that a zip file can hold
export SOURCE_DATE_EPOCH

export NIX_BUILD_CORES=${NIX_BUILD_CORES:-1}
if [ "$NIX_BUILD_CORES" -le 0 ]; then NIX_BUILD_CORES=$(nproc 2>/dev/null || echo 1); fi
export NIX_STORE=${NIX_STORE:-/nix/store}
export NIX_ENFORCE_PURITY=1
export TMPDIR=${TMPDIR:-${NIX_BUILD_TOP:-/tmp}}
export TEMPDIR=$TMPDIR TMP=$TMPDIR TEMP=$TMPDIR
if [ -n "${NIX_BUILD_TOP:-}" ] && [ -z "${IN_NIX_SHELL:-}" ]; then
  if [ -z "${HOME:-}" ]; then export HOME=/homeless-shelter; fi
fi

prefix=${prefix:-${out:-}}

# shellcheck disable=SC2154
_findAll -1 -1 depsBuildBuild depsBuildBuildPropagated
_findAll -1 0 defaultNativeBuildInputs nativeBuildInputs propagatedNativeBuildInputs
_findAll -1 1 depsBuildTarget depsBuildTargetPropagated
_findAll 0 0 depsHostHost depsHostHostPropagated
_findAll 0 1 defaultBuildInputs buildInputs propagatedBuildInputs
_findAll 1 1 depsTargetTarget depsTargetTargetPropagated
_activateInputs
_runEnvHooks

PATH=${_PATH}${_PATH:+:}$PATH
HOST_PATH=${HOST_PATH}
XDG_DATA_DIRS=${_XDG_DATA_DIRS}${XDG_DATA_DIRS:+:${XDG_DATA_DIRS}}
export PATH HOST_PATH XDG_DATA_DIRS
if [ -z "$XDG_DATA_DIRS" ]; then unset XDG_DATA_DIRS; fi
unset _PATH _XDG_DATA_DIRS
runHook addInputsHook

cd "${NIX_BUILD_TOP:-.}"
runHook postHook
if [ -n "${userHook:-}" ]; then eval "$userHook"; fi
dumpVars
