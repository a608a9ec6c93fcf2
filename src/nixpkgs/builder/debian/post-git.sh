# Git finds its helpers through the environment only, as its own folder is built in. The commands that are perl scripts are left
# out. Read by relocate.sh as `postFix`. Environment: shells
rm -rf share/gitweb share/perl5 var
grep -l -r '^#!.*perl' lib/git-core bin 2> /dev/null | while read -r script; do rm -f "$script"; done
mkdir -p etc
for program in bin/git bin/git-receive-pack bin/git-upload-archive bin/git-upload-pack; do
  [ -e "$program" ] || continue
  name=${program##*/}
  if [ "$name" = git ]; then mv bin/git lib/git-core/.git-real; fi
  rm -f "$program"
  {
    echo "#!$shells/bin/bash"
    echo "export GIT_EXEC_PATH=\${GIT_EXEC_PATH:-$out/lib/git-core} GIT_TEMPLATE_DIR=\${GIT_TEMPLATE_DIR:-$out/share/git-core/templates}"
    echo "exec -a $name '$out/lib/git-core/.git-real' \"\$@\""
  } > "$program"
  chmod 755 "$program"
done
ln -sf .git-real lib/git-core/git
find lib/git-core -type l | while read -r link; do
  case $(readlink "$link") in */bin/git | ../../bin/git) ln -sfn .git-real "$link" ;; esac
done
bin/git --version
