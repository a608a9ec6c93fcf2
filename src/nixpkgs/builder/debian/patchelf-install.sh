# Makes the package `patchelf`: our editor of ELF files under the name that builds know. Debian's own damages executables that are
# not position-independent. Environment: busybox bootstrap elfEditor perl
set -e
. "$bootstrap"
mkdir -p "$out/bin"
{
  echo "#!$perl/bin/perl"
  echo "BEGIN { unshift @INC, '$perl/lib/perl-base' }"
  cat "$elfEditor"
} > "$out/bin/patchelf"
chmod 755 "$out/bin/patchelf"
"$out/bin/patchelf" --version
