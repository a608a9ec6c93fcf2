# After relocation of a package without wishes of its own. Read by relocate.sh as `postFix`.
# Python programs look for modules in a folder of Debian's interpreter: tell them theirs.
if [ -d lib/python3/dist-packages ] && [ -d bin ]; then
  for script in bin/*; do
    if [ -f "$script" ] && [ ! -L "$script" ] && head -n 1 "$script" | grep -q '^#!.*python3'; then
      sed -i "1a import sys; sys.path.insert(0, '$out/lib/python3/dist-packages')" "$script"
    fi
  done
fi
eval "$linkVersions"
