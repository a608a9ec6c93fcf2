# Makes the package `binutils`: everything of the real one, its linkers wrapped.
# Environment: busybox bootstrap binutilsUnwrapped gccUnwrapped sysroot glibc bash ldWrapper triple loaderName storeDir
set -e
. "$bootstrap"
mkdir -p "$out/bin" "$out/nix-support"
for program in "$binutilsUnwrapped"/bin/*; do
  name=${program##*/}
  case $name in
    "$triple"-*) ;;
    *) [ -e "$out/bin/$name" ] || ln -s "$program" "$out/bin/$name" ;;
  esac
  ln -sf "$program" "$out/bin/$triple-${name#"$triple"-}"
done
for name in ld ld.bfd ld.gold; do
  program=$binutilsUnwrapped/bin/$name
  [ -e "$program" ] || continue
  rm -f "$out/bin/$name" "$out/bin/$triple-$name"
  sed -e "s#@bash@#$bash#g; s#@storeDir@#$NIX_STORE#g; s#@glibc@#$glibc#g; s#@loaderName@#$loaderName#g" \
    -e "s#@sysroot@#$sysroot#g; s#@gccUnwrapped@#$gccUnwrapped#g; s#@program@#$program#g" "$ldWrapper" > "$out/bin/$name"
  chmod 755 "$out/bin/$name"
  ln -s "$name" "$out/bin/$triple-$name"
done
rm -f "$out/bin/gold" "$out/bin/$triple-gold"
echo "$binutilsUnwrapped" > "$out/nix-support/orig-bintools"
echo "$glibc" > "$out/nix-support/orig-libc"
echo "$glibc/lib/$loaderName" > "$out/nix-support/dynamic-linker"
