# Makes a store path of .debs. Runs under the static busybox's shell, with Debian's own perl started through its own loader.
# Environment: busybox bootstrap debs raw relocator elfEditor, what relocate.pl says, and shell code for between the steps:
#   preFix   after the files have been laid out
#   postFix  after they have been relocated
# In both, `perl` runs perl and `patchelf` edits ELF files.
set -e
. "$bootstrap"
mkdir -p "$out/.unpacked"
for deb in $debs; do dpkg-deb -x "$deb" "$out/.unpacked"; done
rawLibraries=$raw/usr/lib/$buildTriple
export PERL5LIB=$rawLibraries/perl-base PERL_HASH_SEED=0
perl() { "$rawLibraries/$buildLoader" --library-path "$rawLibraries" "$raw/usr/bin/perl" "$@"; }
patchelf() { perl "$elfEditor" "$@"; }
perl "$relocator" layout
cd "$out"
eval "$preFix"
perl "$relocator" fix
cd "$out"
eval "$postFix"
perl "$relocator" finish
