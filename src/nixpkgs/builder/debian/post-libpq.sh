# `pg_config` is a perl script whose answers are a table at its end: the same table, with the folders of here, in a shell script.
# Read by relocate.sh as `postFix`. Environment: shells triple
[ ! -e bin/pg_config ] || {
  table=$(sed -n '/^__DATA__$/,/^$/p' bin/pg_config | sed -e 1d -e '/^$/d' \
    -e "s#/usr/lib/$triple#$out/lib#g; s#/usr/#$out/#g" -e "/^[A-Z]/!d")
  [ -n "$table" ]
  {
    echo "#!$shells/bin/bash"
    echo "table='$(echo "$table" | sed "s/'/'\\\\''/g")'"
    cat <<'SCRIPT'
if [ $# = 0 ]; then echo "$table"; exit 0; fi
for option in "$@"; do
  name=${option#--} found=
  while read -r key _ value; do
    if [ "$key" = "${name^^}" ]; then echo "$value"; found=1; fi
  done <<< "$table"
  if [ -z "$found" ]; then echo "pg_config: invalid argument: $option" >&2; exit 1; fi
done
SCRIPT
  } > bin/pg_config
  chmod 755 bin/pg_config
  [ "$(bin/pg_config --includedir)" = "$out/include/postgresql" ]
  [ "$(bin/pg_config --libdir)" = "$out/lib" ]
}
