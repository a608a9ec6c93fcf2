# Debian's programs lie in a folder of the version's, where its wrappers look; `pg_config` comes with the client library, which
# whoever builds against the server's package wants as well. Read by relocate.sh as `postFix`. Environment: deps
mkdir -p bin
for program in lib/postgresql/*/bin/*; do
  if [ -e "$program" ]; then ln -sf "../$program" "bin/${program##*/}"; fi
done
for dependency in $deps; do
  if [ -x "$dependency/bin/pg_config" ]; then
    ln -sf "$dependency/bin/pg_config" bin/pg_config
    mkdir -p nix-support
    echo "$dependency" > nix-support/propagated-build-inputs
  fi
done
[ -x bin/psql ]
[ -x bin/pg_config ]
