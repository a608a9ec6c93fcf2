# shellcheck shell=bash
# separateDebugInfo: debug information goes to the output `debug`, by build ID, where debuggers look for it.

export NIX_SET_BUILD_ID=1
export NIX_LDFLAGS="${NIX_LDFLAGS:+$NIX_LDFLAGS }--compress-debug-sections=zlib --build-id"
export NIX_CFLAGS_COMPILE="${NIX_CFLAGS_COMPILE:+$NIX_CFLAGS_COMPILE }-ggdb"
dontStrip=1

fixupOutputHooks+=(_separateDebugInfo)
_separateDebugInfo() {
  # shellcheck disable=SC2154
  if [ ! -d "$prefix" ] || [ "$prefix" = "$debug" ]; then return 0; fi
  local _file _id _target
  mkdir -p "$debug/lib/debug/.build-id"
  while IFS='' read -r -d '' _file; do
    isELF "$_file" || continue
    _id=$("${READELF:-readelf}" -n "$_file" | sed -n 's/^ *Build ID: *//p' | head -n 1)
    if [ -z "$_id" ]; then
      echo "could not find build ID of $_file, skipping" >&2
      continue
    fi
    _target=$debug/lib/debug/.build-id/${_id:0:2}/${_id:2}.debug
    mkdir -p "${_target%/*}"
    if [ ! -e "$_target" ]; then "${OBJCOPY:-objcopy}" --only-keep-debug "$_file" "$_target"; fi
    "${STRIP:-strip}" --strip-debug "$_file"
  done < <(find "$prefix" -type f -a '(' -perm -0100 -o -name '*.so' -o -name '*.so.*' ')' -print0)
}
