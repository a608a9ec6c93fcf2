# Tells the program where its table of magic numbers is. Read by relocate.sh as `postFix`. Environment: shells
mv bin/file bin/.file-real
{
  echo "#!$shells/bin/bash"
  echo "export MAGIC=\"\${MAGIC:-$out/lib/file/magic.mgc}\""
  echo "exec -a file '$out/bin/.file-real' \"\$@\""
} > bin/file
chmod 755 bin/file
