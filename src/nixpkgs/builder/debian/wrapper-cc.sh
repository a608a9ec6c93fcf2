#!@bash@/bin/bash
# The compiler as builds see it. Environment: NIX_CFLAGS_COMPILE_BEFORE, NIX_CFLAGS_COMPILE, NIX_CFLAGS_LINK, NIX_CXXFLAGS_COMPILE
# (further options; those of the linker are its wrapper's business), NIX_DEBUG.
link=1 input= isCxx=@isCxx@
for argument in "$@"; do
  case $argument in
    -c | -S | -E | -M | -MM | -fsyntax-only) link= ;;
    -) input=1 ;;
    -*) ;;
    *) input=1 ;;
  esac
done
before=(--sysroot=@sysroot@ -B@binutils@/bin/)
# shellcheck disable=SC2206 # words are meant
before+=($NIX_CFLAGS_COMPILE_BEFORE)
after=($NIX_CFLAGS_COMPILE)
if [[ $isCxx ]]; then after+=($NIX_CXXFLAGS_COMPILE); fi
if [[ $link && $input ]]; then
  # Ahead of the compiler's own folders, so that programs use the libraries of the store.
  before+=(-L@gccLibraries@/lib)
  after+=($NIX_CFLAGS_LINK)
fi
if [[ ${NIX_DEBUG:-0} -ge 1 ]]; then
  printf 'compiler: %s' "@program@" >&2
  printf ' %q' "${before[@]}" "$@" "${after[@]}" >&2
  echo >&2
fi
exec "@program@" "${before[@]}" "$@" "${after[@]}"
