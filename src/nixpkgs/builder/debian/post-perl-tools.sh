# Tools written in perl, shell and m4 that have their own folders built in. Read by relocate.sh as `postFix`.
# (Frozen files of m4 have the lengths of their strings in them: they are left alone.)
grep -l -r -I '/usr/share\|/usr/bin' bin share 2> /dev/null | grep -v '\.m4f$' | while read -r file; do
  sed -i "s#/usr/share/#$out/share/#g; s#/usr/bin/#$out/bin/#g" "$file"
  for dep in $deps; do
    [ -x "$dep/bin/m4" ] && sed -i "s#$out/bin/m4#$dep/bin/m4#g" "$file"
    for name in autoconf autom4te autom4te-2.72; do
      [ ! -x "$out/bin/$name" ] && [ -x "$dep/bin/$name" ] && sed -i "s#$out/bin/$name#$dep/bin/$name#g" "$file"
    done
  done
  true
done
if ls -d share/aclocal-* > /dev/null 2>&1; then
  # Looked for in any case; macros of others come by ACLOCAL_PATH.
  mkdir -p share/aclocal
  echo "Macros of other packages: see ACLOCAL_PATH" > share/aclocal/README
fi
eval "$linkVersions"
