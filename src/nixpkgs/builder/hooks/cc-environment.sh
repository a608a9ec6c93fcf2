# shellcheck shell=bash
# With a compiler in the standard environment: headers and libraries of the inputs are found without asking.

export CC=${CC:-gcc} CXX=${CXX:-g++} AR=${AR:-ar} AS=${AS:-as} LD=${LD:-ld} NM=${NM:-nm} RANLIB=${RANLIB:-ranlib}
export STRIP=${STRIP:-strip} OBJCOPY=${OBJCOPY:-objcopy} OBJDUMP=${OBJDUMP:-objdump} READELF=${READELF:-readelf} SIZE=${SIZE:-size} STRINGS=${STRINGS:-strings}

_addCcFlags() {
  if [ -d "$1/include" ]; then export NIX_CFLAGS_COMPILE="${NIX_CFLAGS_COMPILE:+$NIX_CFLAGS_COMPILE }-isystem $1/include"; fi
  if [ -d "$1/lib" ]; then
    local _file
    for _file in "$1"/lib/lib*.so "$1"/lib/lib*.a; do
      if [ -e "$_file" ]; then
        export NIX_LDFLAGS="${NIX_LDFLAGS:+$NIX_LDFLAGS }-L$1/lib"
        break
      fi
    done
  fi
}
# The platform that code is compiled for: inputs that run on the host.
addEnvHooks 0 _addCcFlags

# Symbol names that gcc makes at random depend on the output instead of the file names of the build.
if [ -n "${out:-}" ]; then
  _seed=${out##*/}
  export NIX_CFLAGS_COMPILE="${NIX_CFLAGS_COMPILE:+$NIX_CFLAGS_COMPILE }-frandom-seed=${_seed:0:10}"
  unset _seed
fi

# hardeningEnable: protections by nixpkgs' names.
for _flag in ${NIX_HARDENING_ENABLE:-}; do
  case $_flag in
    fortify) _flag="-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2" ;;
    fortify3) _flag="-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3" ;;
    stackprotector) _flag="-fstack-protector-strong --param ssp-buffer-size=4" ;;
    stackclashprotection) _flag=-fstack-clash-protection ;;
    pic) _flag=-fPIC ;;
    strictoverflow) _flag=-fno-strict-overflow ;;
    format) _flag="-Wformat -Wformat-security -Werror=format-security" ;;
    zerocallusedregs) _flag=-fzero-call-used-regs=used-gpr ;;
    trivialautovarinit) _flag=-ftrivial-auto-var-init=pattern ;;
    shadowstack) _flag=-fcf-protection=return ;;
    relro)
      export NIX_LDFLAGS="${NIX_LDFLAGS:+$NIX_LDFLAGS }-z relro"
      _flag=
      ;;
    bindnow)
      export NIX_LDFLAGS="${NIX_LDFLAGS:+$NIX_LDFLAGS }-z now"
      _flag=
      ;;
    *) _flag= ;;
  esac
  if [ -n "$_flag" ]; then export NIX_CFLAGS_COMPILE="${NIX_CFLAGS_COMPILE:+$NIX_CFLAGS_COMPILE }$_flag"; fi
done
unset _flag
