# After relocation of the C library. Read by relocate.sh as `postFix`. Environment: triple loaderName
ln -s lib lib64
loader=lib/$loaderName
cp "$loader" "$NIX_BUILD_TOP/loader"
# The loader has the host's folders and files built in: what a run path lacks would be taken from there without a word. There is
# room for as many bytes only (lengths are stored elsewhere), so they become names that no machine has.
perl -0777 -pi -e '
  s{/etc/ld\.so\.cache}{/nix/ld.so.cache}g;
  s{/etc/ld\.so\.preload}{/nix/ld.so.preload}g;
  s{(/usr)?/lib/\Q$ENV{triple}\E/\0}{($1 // "") . "/nix/$ENV{triple}/\0"}ge;
  s{(?<=\0)(/usr)?/lib/\0}{($1 // "") . "/nix/\0"}ge;
' "$loader"
perl -0777 -pi -e 's{/usr/lib/\Q$ENV{triple}\E/gconv}{/nix/lib/$ENV{triple}/gconv}g' lib/libc.so.6
if cmp -s "$loader" "$NIX_BUILD_TOP/loader" || [ "$(wc -c < "$loader")" != "$(wc -c < "$NIX_BUILD_TOP/loader")" ]; then
  echo "glibc: the folders in the loader could not be edited" >&2
  exit 1
fi
# libc loads libgcc_s for pthread_exit; with the built-in folders gone, only its own run path leads there.
patchelf --set-rpath "$out/lib" lib/libc.so.6
"$loader" --version > /dev/null
