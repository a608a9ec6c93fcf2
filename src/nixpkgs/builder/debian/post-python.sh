# After relocation of Debian's Python: an interpreter that stands alone. Read by relocate.sh as `postFix`.
# Environment: pythonVersion (3.13) triple cacert, what relocate.sh says.
lib=$out/lib/python$pythonVersion
rm -rf "$lib"/config-*/libpython*-pic.a "$out/share/applications" "$out/share/pixmaps" "$out/share/binfmts" "$out/lib/binfmt.d" "$out/src"
# pip must be able to install into prefixes of its own.
rm -f "$lib/EXTERNALLY-MANAGED" "$lib"/lib-dynload/nis.*

# Edits a file and fails unless the edit left what it should: a changed Debian must not go unnoticed.
edit() { # FILE EXPECTED-REGEX SED-ARGUMENTS...
  file=$1 expected=$2
  shift 2
  sed -i "$@" "$file"
  if ! grep -q -e "$expected" "$file"; then
    echo "python: the edit of $file had no effect (wanted: $expected)" >&2
    exit 1
  fi
}

# ---- Installation scheme: upstream's, lib/pythonX.Y/site-packages, not Debian's dist-packages
sysconfig=$lib/sysconfig/__init__.py
[ -e "$sysconfig" ] || sysconfig=$lib/sysconfig.py
if grep -q posix_local "$sysconfig"; then
  edit "$sysconfig" "deb_build = 'posix_prefix'" \
    -e "s|deb_build = os.environ.get('DEB_PYTHON_INSTALL_LAYOUT', 'posix_local')|deb_build = 'posix_prefix'|" \
    -e "s|prefix_scheme = 'posix_local'|prefix_scheme = 'posix_prefix'|"
fi
# distutils, while there is one, has copies of that.
if [ -e "$lib/distutils/command/install.py" ]; then
  sed -i -e 's#return os.path.join(prefix, "lib", "python3", "dist-packages")#return os.path.join(libpython, "site-packages")#' \
    "$lib/distutils/sysconfig.py"
  # 3.9 has templates of its own, 3.10 and later those of sysconfig.
  sed -i -e 's#\$\(plat\)\?base/\(local/\)\?lib/python[^/]*/dist-packages#$\1base/lib/python$py_version_short/site-packages#' \
    -e 's#{\(plat\)\?base}/local/\({platlibdir}\|lib\)/python{py_version_short}/dist-packages#{\1base}/lib/python{py_version_short}/site-packages#' \
    -e 's#{\(plat\)\?base}/\({platlibdir}\|lib\)/python3/dist-packages#{\1base}/lib/python{py_version_short}/site-packages#' \
    -e 's#base/local/#base/#; s#{base}/local#{base}#g' "$lib/distutils/command/install.py"
  if grep -n "'[^']*dist-packages" "$lib/distutils/command/install.py" "$lib/distutils/sysconfig.py"; then
    echo "python: distutils still installs to dist-packages" >&2
    exit 1
  fi
fi
# Debian's setuptools, also the one in its wheel, expects this module and the attribute `install_layout` of its commands.
cat > "$lib/_distutils_system_mod.py" <<'PYTHON'
"""Options that Debian adds to distutils' commands; here they change nothing."""
import distutils.command.install as _install
import distutils.command.install_egg_info as _install_egg_info


class install(_install.install):
    user_options = [*_install.install.user_options, ("install-layout=", None, "ignored")]

    def initialize_options(self):
        super().initialize_options()
        self.install_layout = None
        self.prefix_option = None

    def finalize_unix(self):
        self.prefix_option = self.prefix
        super().finalize_unix()


class install_egg_info(_install_egg_info.install_egg_info):
    user_options = [*_install_egg_info.install_egg_info.user_options, ("install-layout", None, "ignored")]

    def initialize_options(self):
        super().initialize_options()
        self.install_layout = None
        self.prefix_option = None

    def finalize_options(self):
        for option in ("install_layout", "prefix_option"):
            self.set_undefined_options("install", (option, option))
        super().finalize_options()


_install.install = install
_install_egg_info.install_egg_info = install_egg_info
PYTHON
# The `site` module is frozen into the interpreter; this one is not. It is a link out of the tree: remove it before writing.
rm -rf "$lib/sitecustomize.py" "$out/etc"
cat > "$lib/sitecustomize.py" <<'PYTHON'
"""Makes site-packages importable, and reads what wrappers of Nix say about an environment of packages."""
import os
import site
import sys

if sys.prefix == sys.base_prefix:  # not in a venv, which has its own
    site.addsitedir(os.path.join(sys.base_prefix, "lib", "python%d.%d" % sys.version_info[:2], "site-packages"))
    sys.path[:] = [p for p in sys.path if not p.endswith("/dist-packages")]

_paths = os.environ.pop("NIX_PYTHONPATH", None)
for _path in _paths.split(":") if _paths else ():
    site.addsitedir(_path)

_executable = os.environ.pop("NIX_PYTHONEXECUTABLE", None)
_prefix = os.environ.pop("NIX_PYTHONPREFIX", None)
if _executable and "PYTHONEXECUTABLE" not in os.environ:
    sys.executable = _executable
    sys.prefix = sys.exec_prefix = _prefix or os.path.dirname(os.path.dirname(_executable))
    site.PREFIXES.insert(0, sys.prefix)
PYTHON
mkdir -p "$lib/site-packages"

# ---- One real pyconfig.h in place of the multiarch dispatcher
if [ -e "$out/include/$triple/python$pythonVersion/pyconfig.h" ]; then
  mv -f "$out/include/$triple/python$pythonVersion/pyconfig.h" "$out/include/python$pythonVersion/pyconfig.h"
  rm -rf "$out/include/$triple"
  ln -s . "$out/include/$triple"
fi

# ---- What the interpreter says about how it was built
for data in "$lib"/_sysconfigdata_*.py; do
  # One name is a link to the other: editing through it would make two files of them.
  [ ! -L "$data" ] || continue
  edit "$data" "$out/include" \
    -e "s#/usr/share/python-wheels#$out/share/python-wheels#g" \
    -e "s#'/usr/lib/$triple#'$out/lib/$triple#g" \
    -e "s#\([' =]\)/usr/\(bin\|lib\|include\|share/man\|share'\)#\1$out/\2#g" \
    -e "s#--prefix=/usr'#--prefix=$out'#; s#--libdir=/usr/#--libdir=$out/#" \
    -e "s#: '/usr'#: '$out'#; s#: '/usr '#: '$out '#; s#: '/usr /#: '$out /#; s#'/usr /usr#'$out $out#" \
    -e "s#'TZPATH': .*#'TZPATH': '${tzdata:+$tzdata/share/zoneinfo:}/usr/share/zoneinfo:/etc/zoneinfo',#" \
    -e "s#$out/bin/install -c#install -c#; s#$out/bin/dtrace##"
  # Debug information would make what is built refer to the compiler and to Python's headers. CFLAGS cannot turn it off:
  # setuptools takes them in place of these.
  # Options that name files of Debian's build, or of its package tools.
  edit "$data" "'OPT': '-DNDEBUG" -e "s#-specs=[^ ']*##g; s#-f[a-z]*-prefix-map=[^ ']*##g; s# -g # #g"
  if grep -E "^    '(prefix|exec_prefix|BINDIR|LIBDIR|INCLUDEPY|LIBDEST|CONFINCLUDEPY|CFLAGS|LDFLAGS|CC)': .*/usr" "$data"; then
    echo "python: $data still names /usr" >&2
    exit 1
  fi
done
for makefile in "$lib"/config-*/Makefile; do
  [ -e "$makefile" ] || continue
  sed -i -e "s#/usr/share/python-wheels#$out/share/python-wheels#; s#=/usr\$#=$out#; s#^prefix=.*#prefix=\t\t$out#; s#/usr/#$out/#g" \
    -e 's#-specs=[^ ]*##g; s#-f[a-z]*-prefix-map=[^ ]*##g; s# -g # #g' "$makefile"
done
for config in bin/*-config; do
  [ -L "$config" ] || [ ! -e "$config" ] || sed -i -e 's#-specs=[^ "]*##g; s#-f[a-z]*-prefix-map=[^ "]*##g; s# -g # #g' "$config"
done

[ ! -e "$lib/ensurepip/__init__.py" ] || sed -i "s#/usr/share/python-wheels#$out/share/python-wheels#" "$lib/ensurepip/__init__.py"

# ---- pip in the wheels that venv installs reads Debian's certificates when imported, where there may be none
for wheel in "$out"/share/python-wheels/pip-*.whl; do
  [ -e "$wheel" ] || continue
  "$out/bin/python$pythonVersion" -B -I -S - "$wheel" "$cacert/etc/ssl/certs/ca-bundle.crt" <<'PYTHON'
import base64, hashlib, os, sys, zipfile

wheel, bundle = sys.argv[1:]
debian = b"/etc/ssl/certs/ca-certificates.crt"
with zipfile.ZipFile(wheel) as source:
    files = [(info.filename, source.read(info)) for info in source.infolist()]
changed = {}
for index, (name, content) in enumerate(files):
    if name.endswith("certifi/core.py") and debian in content:
        content = content.replace(debian, bundle.encode())
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        changed[name] = f"{name},sha256={digest},{len(content)}"
        files[index] = (name, content)
if changed:
    with zipfile.ZipFile(wheel + ".new", "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files:
            if name.endswith(".dist-info/RECORD"):
                lines = content.decode().splitlines()
                lines = [changed.get(line.rsplit(",", 2)[0], line) for line in lines]
                content = ("\n".join(lines) + "\n").encode()
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            target.writestr(info, content)
    os.replace(wheel + ".new", wheel)
PYTHON
done

# ---- Byte code: found by hash, so that it is the same in every build and never stale
# -B: else the modules that compileall itself imports get byte code with times in it first, which stays.
PYTHONHASHSEED=0 "$out/bin/python$pythonVersion" -B -S -m compileall -f -q --invalidation-mode unchecked-hash \
  -x 'lib2to3/tests|/test/|bad_coding|badsyntax' "$lib" || true

# ---- It must run: an interpreter damaged by relocation shows only here
"$out/bin/python3" -B -c '
import bz2, ctypes, curses, decimal, hashlib, lzma, readline, sqlite3, ssl, sys, sysconfig, uuid, zlib
assert sysconfig.get_path("purelib") == sys.prefix + "/lib/python" + sysconfig.get_python_version() + "/site-packages", sysconfig.get_path("purelib")
assert sysconfig.get_path("purelib") in sys.path and not any("dist-packages" in p for p in sys.path), sys.path
assert sysconfig.get_config_var("INCLUDEPY").startswith(sys.prefix + "/include"), sysconfig.get_config_var("INCLUDEPY")
assert " -g " not in " " + sysconfig.get_config_var("CFLAGS") + " ", sysconfig.get_config_var("CFLAGS")
'
