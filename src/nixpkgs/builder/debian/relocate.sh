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
# Debian leaves the plain names of versioned programs (`tclsh8.6`, `automake-1.17`) to a choice made when they are installed.
linkVersions='
  for program in bin/*[0-9].[0-9]*; do
    plain=$(echo "${program##*/}" | sed -n -E "s#^([A-Za-z][A-Za-z_+]*)-?[0-9]+\.[0-9]+\$#\1#p")
    if [ -x "$program" ] && [ -n "$plain" ] && [ ! -e "bin/$plain" ]; then ln -s "${program##*/}" "bin/$plain"; fi
  done'
patchelf() { perl "$elfEditor" "$@"; }
perl "$relocator" layout
cd "$out"
eval "$preFix"
perl "$relocator" fix
cd "$out"
eval "$postFix"
perl "$relocator" finish
