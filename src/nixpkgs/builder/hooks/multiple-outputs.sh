# shellcheck shell=bash
# Which output gets what: programs, libraries, headers, documentation.

# An output counts only if the package has it: `dev` could be any variable.
_assignOutput() {
  local _variable=$1 _candidate _known
  shift
  if [ -n "${!_variable:-}" ]; then return 0; fi
  for _candidate in "$@"; do
    if [ "$_candidate" = REMOVE ]; then break; fi
    for _known in $(getAllOutputNames); do if [ "$_known" = "$_candidate" ]; then break 2; fi; done
    _candidate=
  done
  if [ -z "$_candidate" ]; then for _candidate in $(getAllOutputNames); do break; done; fi
  printf -v "$_variable" '%s' "$_candidate"
}

_assignOutput outputDev dev out
_assignOutput outputBin bin out
_assignOutput outputLib lib out
_assignOutput outputInclude "$outputDev" out
_assignOutput outputDoc doc out
_assignOutput outputDevdoc devdoc REMOVE
_assignOutput outputMan man "$outputBin"
_assignOutput outputDevman devman devdoc "$outputMan"
_assignOutput outputInfo info "$outputBin"

if [ -n "${!outputLib:-}" ]; then addRpathPrefix "${!outputLib}"; fi

_hasManyOutputs() {
  local -a _names
  read -ra _names <<<"$(getAllOutputNames)"
  [ "${#_names[@]}" -gt 1 ]
}

# Tells configure where things of other outputs go.
preConfigureHooks+=(_multioutConfig)
_multioutConfig() {
  if ! _hasManyOutputs || [ -z "${setOutputFlags-1}" ]; then return 0; fi
  # shellcheck disable=SC2154
  if [ -z "${shareDocName:-}" ]; then
    local _script=${configureScript:-./configure}
    if [ -f "$_script" ]; then
      shareDocName=$(sed -n "s/^PACKAGE_TARNAME='\(.*\)'$/\1/p" "$_script" | head -n 1)
    fi
    if [ -z "${shareDocName:-}" ] || ! [[ $shareDocName =~ ^[a-zA-Z0-9_+-]+$ ]]; then
      shareDocName=${pname:-$(stripHash "${name:-package}" | sed 's/-[0-9].*//')}
    fi
  fi
  prependToVar configureFlags \
    "--bindir=${!outputBin}/bin" "--sbindir=${!outputBin}/sbin" \
    "--includedir=${!outputInclude}/include" \
    "--mandir=${!outputMan}/share/man" "--infodir=${!outputInfo}/share/info" \
    "--docdir=${!outputDoc}/share/doc/${shareDocName}" \
    "--libdir=${!outputLib}/lib" "--libexecdir=${!outputLib}/libexec" \
    "--localedir=${!outputLib}/share/locale"
  prependToVar installFlags \
    "pkgconfigdir=${!outputDev}/lib/pkgconfig" "m4datadir=${!outputDev}/share/aclocal" "aclocaldir=${!outputDev}/share/aclocal"
}

# moveToOutput PATTERN DESTINATION: what matches in any output goes to the same place in DESTINATION, or away with REMOVE.
moveToOutput() {
  local _pattern=$1 _destination=$2 _output _source _relative
  for _output in $(getAllOutputNames); do
    if [ "${!_output}" = "$_destination" ] || [ ! -d "${!_output}" ]; then continue; fi
    # shellcheck disable=SC2086 # a pattern
    for _source in "${!_output}"/$_pattern; do
      if [ ! -e "$_source" ] && [ ! -L "$_source" ]; then continue; fi
      _relative=${_source#"${!_output}/"}
      if [ "$_destination" = REMOVE ]; then
        echo "Removing $_source"
        rm -rf -- "$_source"
      else
        echo "Moving $_source to $_destination/$_relative"
        if [ -d "$_source" ] && [ ! -L "$_source" ] && [ -d "$_destination/$_relative" ]; then
          # Both have the directory: merge.
          cp -a -- "$_source/." "$_destination/$_relative/"
          rm -rf -- "$_source"
        else
          mkdir -p "$(dirname "$_destination/$_relative")"
          mv -- "$_source" "$_destination/$_relative"
        fi
      fi
      # Leave no empty directories behind.
      rmdir -p --ignore-fail-on-non-empty "$(dirname "$_source")" 2>/dev/null || true
    done
  done
}

preFixupHooks+=(_multioutDocs _multioutDevs)
_multioutDocs() {
  moveToOutput share/info "${!outputInfo}"
  moveToOutput share/doc "${!outputDoc}"
  if [ "$outputDevdoc" = REMOVE ]; then
    moveToOutput share/gtk-doc REMOVE
    moveToOutput share/devhelp/books REMOVE
  else
    moveToOutput share/gtk-doc "${!outputDevdoc}"
    moveToOutput share/devhelp/books "${!outputDevdoc}"
  fi
  moveToOutput share/man "${!outputMan}"
  moveToOutput share/man/man3 "${!outputDevman}"
}

_multioutDevs() {
  if ! _hasManyOutputs || [ -z "${moveToDev-1}" ]; then return 0; fi
  moveToOutput include "${!outputInclude}"
  moveToOutput lib/pkgconfig "${!outputDev}"
  moveToOutput share/pkgconfig "${!outputDev}"
  moveToOutput lib/cmake "${!outputDev}"
  moveToOutput share/aclocal "${!outputDev}"
  # Headers moved: say so in .pc files that were written for the first output.
  local _file
  for _file in "${!outputDev}"/{lib,share}/pkgconfig/*.pc; do
    if [ -f "$_file" ]; then
      sed -i "$_file" -e "/^includedir=/s#\${prefix}/include#${!outputInclude}/include#" -e "s#^includedir=${!outputLib}/include#includedir=${!outputInclude}/include#"
    fi
  done
}

# Users name the `dev` output and get libraries and programs with it.
postFixupHooks+=(_multioutPropagateDev)
_multioutPropagateDev() {
  if ! _hasManyOutputs; then return 0; fi
  local _propagater=$outputDev _output _list=
  : "${propagatedBuildOutputs=$outputInclude $outputLib $outputBin}"
  for _output in $propagatedBuildOutputs; do
    if [ "$_output" = "$_propagater" ] || [[ " $_list " == *" ${!_output} "* ]]; then continue; fi
    _list+="${_list:+ }${!_output}"
  done
  if [ -z "$_list" ]; then return 0; fi
  mkdir -p "${!_propagater}/nix-support"
  printf ' %s' "$_list" >>"${!_propagater}/nix-support/propagated-build-inputs"
}
