# Makes the package `gcc`: the compilers wrapped, under all names that builds and Debian's Python call them by.
# Environment: busybox bootstrap gccUnwrapped gccLibraries binutils sysroot glibc bash ccWrapper triple gccVersion
set -e
. "$bootstrap"
mkdir -p "$out/bin" "$out/nix-support"
wrap() { # PROGRAM IS-CXX NAME...
  program=$gccUnwrapped/bin/$triple-$1-$gccVersion isCxx=$2
  shift 2
  [ -e "$program" ] || return 0
  for name in "$@"; do
    sed -e "s#@bash@#$bash#g; s#@sysroot@#$sysroot#g; s#@binutils@#$binutils#g; s#@gccLibraries@#$gccLibraries#g" \
      -e "s#@program@#$program#g; s#@isCxx@#$isCxx#g" "$ccWrapper" > "$out/bin/$name"
    chmod 755 "$out/bin/$name"
  done
}
wrap gcc "" gcc "gcc-$gccVersion" "$triple-gcc" "$triple-gcc-$gccVersion"
wrap g++ 1 g++ "g++-$gccVersion" "$triple-g++" "$triple-g++-$gccVersion"
wrap cpp "" cpp "$triple-cpp"
wrap gfortran "" gfortran "$triple-gfortran"
for tool in ar nm ranlib; do
  for name in "gcc-$tool" "$triple-gcc-$tool"; do ln -s "$gccUnwrapped/bin/$triple-gcc-$tool-$gccVersion" "$out/bin/$name"; done
done
for name in gcov "$triple-gcov"; do ln -s "$gccUnwrapped/bin/$triple-gcov-$gccVersion" "$out/bin/$name"; done
ln -s gcc "$out/bin/cc"
ln -s g++ "$out/bin/c++"
printf '#!%s/bin/bash\nexec %s/bin/gcc -std=c99 "$@"\n' "$bash" "$out" > "$out/bin/c99"
chmod 755 "$out/bin/c99"
echo "$gccUnwrapped" > "$out/nix-support/orig-cc"
echo "$glibc" > "$out/nix-support/orig-libc"
# Compile, link and run a program in each language, or there is no compiler.
cd "$NIX_BUILD_TOP"
printf '#include <stdio.h>\n#include <math.h>\nint main(int c, char **v) { printf("%%d\\n", (int)sqrt(c * 1764.0)); return 0; }\n' > t.c
printf '#include <iostream>\n#include <stdexcept>\nint main() { try { throw std::runtime_error("42"); } catch (std::exception &e) { std::cout << e.what() << std::endl; } }\n' > t.cc
"$out/bin/cc" -O2 -o t-c t.c -lm
"$out/bin/c++" -O2 -o t-cxx t.cc
[ "$(./t-c)" = 42 ] && [ "$(./t-cxx)" = 42 ]
