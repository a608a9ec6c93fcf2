# After relocation of a Python package of Debian's: site-packages of our interpreter, byte code. Read by relocate.sh as `postFix`.
# Environment: python pythonVersion cacert
site=$out/lib/python$pythonVersion/site-packages
mkdir -p "$out/lib/python$pythonVersion"
if [ -d "$out/share/python-wheels" ]; then
  mkdir -p "$site"
  for wheel in "$out"/share/python-wheels/*.whl; do unzip -q -o "$wheel" -d "$site"; done
  find "$site" -name '*.exe' -exec rm -f {} ';'
  rm -rf "$out/share/python-wheels"
else
  mv "$out/lib/python3/dist-packages" "$site"
fi
rm -rf "$out/lib/python3"
rm -rf "$out/share/python3" "$out/share/applications" "$out/share/metainfo" "$out/share/icons"
# Debian's pip and certifi open this file when they are imported, even for commands without network.
for certifi in "$site/pip/_vendor/certifi/core.py" "$site/certifi/core.py"; do
  [ ! -e "$certifi" ] || sed -i "s#/etc/ssl/certs/ca-certificates.crt#$cacert/etc/ssl/certs/ca-bundle.crt#" "$certifi"
done
PYTHONHASHSEED=0 "$python/bin/python3" -B -m compileall -f -q --invalidation-mode unchecked-hash "$site"
