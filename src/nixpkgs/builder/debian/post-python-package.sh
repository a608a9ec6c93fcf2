# After relocation of a Python package of Debian's: site-packages of our interpreter, byte code. Read by relocate.sh as `postFix`.
# Environment: python pythonVersion cacert
site=$out/lib/python$pythonVersion/site-packages
mkdir -p "$out/lib/python$pythonVersion"
if [ -d "$out/share/python-wheels" ]; then
  mkdir -p "$site"
  for wheel in "$out"/share/python-wheels/*.whl; do unzip -q -o "$wheel" -d "$site"; done
  find "$site" -name '*.exe' -exec rm -f {} ';'
  rm -rf "$out/share/python-wheels"
elif [ -d "$out/lib/python3/dist-packages" ]; then
  mv "$out/lib/python3/dist-packages" "$site"
else
  # A package that is there for its data or its programs only, or a part of the standard library that Debian keeps apart.
  mkdir -p "$site"
fi
for part in "$out/lib/python$pythonVersion"/lib-dynload/* "$out/lib/python$pythonVersion"/*; do
  case $part in
    "$site" | */lib-dynload | *'*') ;;
    *) mv "$part" "$site" ;;
  esac
done
rm -rf "$out/lib/python$pythonVersion/lib-dynload"
rm -rf "$out/lib/python3"
rm -rf "$out/share/python3" "$out/share/applications" "$out/share/metainfo" "$out/share/icons"
# Data that Debian moved out of the modules: theirs, or that of a package that they need.
for folder in $(find "$site" -name '*.py' -exec grep -hoE '/usr/share/[A-Za-z0-9][A-Za-z0-9._-]*' {} + | sort -u); do
  for provider in "$out" $deps; do
    [ -e "$provider/${folder#/usr/}" ] || continue
    find "$site" -name '*.py' -exec grep -lF "$folder" {} + |
      while read -r file; do sed -i -E "s#$folder([^A-Za-z0-9._-]|\$)#$provider/${folder#/usr/}\\1#g" "$file"; done
    break
  done
done
# It loads old ciphers from a folder that is built into libcrypto, of which there is none.
for provider in $deps; do
  [ -e "$site/cryptography/__init__.py" ] && [ -d "$provider/lib/ossl-modules" ] || continue
  echo "import os as _os; _os.environ.setdefault('OPENSSL_MODULES', '$provider/lib/ossl-modules')" >> "$site/cryptography/__init__.py"
done
# `ipython3`: plain names are a choice of the machine's in Debian.
for program in "$out"/bin/*[a-z]3; do
  [ ! -e "$program" ] || [ -e "${program%3}" ] || ln -s "${program##*/}" "${program%3}"
done
# Debian's pip and certifi open this file when they are imported, even for commands without network.
for certifi in "$site/pip/_vendor/certifi/core.py" "$site/certifi/core.py"; do
  [ ! -e "$certifi" ] || sed -i "s#/etc/ssl/certs/ca-certificates.crt#$cacert/etc/ssl/certs/ca-bundle.crt#" "$certifi"
done
PYTHONHASHSEED=0 "$python/bin/python3" -B -m compileall -f -q --invalidation-mode unchecked-hash "$site"
