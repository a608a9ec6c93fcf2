# Folders that are built into libcrypto. There is no room for a store path: its configuration and certificates are those of the
# machine, /etc/ssl; modules are nowhere unless OPENSSL_MODULES says so. Read by relocate.sh as `postFix`.
perl -0777 -pi -e '
  s{/usr/lib/ssl(/[a-z._]*)?\0}{"/etc/ssl" . ($1 // "") . "\0" x 5}ge;
  s{OPENSSLDIR: "/usr/lib/ssl"}{OPENSSLDIR: "/etc/ssl"\0\0\0\0};
  s{/usr/lib/\Q$ENV{triple}\E/(engines-[0-9.]+|ossl-modules)}{/nix/lib/$ENV{triple}/$1}g;
' lib/libcrypto.so.*
if grep -q '/usr/lib/' lib/libcrypto.so.*; then
  echo "openssl: a built-in folder was left" >&2
  exit 1
fi
rm -rf lib/ssl bin/c_rehash
[ ! -x bin/openssl ] || bin/openssl version
