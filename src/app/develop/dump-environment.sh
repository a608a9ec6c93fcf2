# shellcheck shell=bash
# Takes the place of a builder: writes the environment that the builder would have worked in to the output, as shell code that
# gives it to whoever sources it. The arguments are the names of the outputs. Works with nothing but bash, since a derivation
# need not have more; runs at top level, since code of the standard environment declares its variables there.
if [ -e .attrs.sh ]; then
  # shellcheck disable=SC1091
  . ./.attrs.sh
elif [ -n "${NIX_ATTRS_SH_FILE:-}" ] && [ -e "$NIX_ATTRS_SH_FILE" ]; then
  # shellcheck disable=SC1090
  . "$NIX_ATTRS_SH_FILE"
fi
export IN_NIX_SHELL=impure
if [ -n "${stdenv:-}" ]; then
  # shellcheck disable=SC1091
  . "$stdenv/setup"
fi
set +eu +o pipefail
trap - EXIT

for _d2nOutput in "$@"; do
  _d2nPath=${!_d2nOutput:-}
  if [ -z "$_d2nPath" ]; then _d2nPath=${outputs[$_d2nOutput]}; fi
  : >"$_d2nPath"
  if [ -z "${_d2nFile:-}" ]; then _d2nFile=$_d2nPath; fi
done

# Single quotes: every byte as it is, in every shell.
_d2nQuote=\'\\\'\'
{
  while IFS= read -r _d2nLine; do
    [[ $_d2nLine =~ ^declare\ -[^\ ]+\ ([A-Za-z_][A-Za-z0-9_]*) ]] || continue
    _d2nName=${BASH_REMATCH[1]}
    case $_d2nName in
      # The shell's own, this script's, and what belongs to the user or to the sandbox.
      BASH* | COMP_* | DIRSTACK | EPOCH* | EUID | FUNCNAME | GROUPS | HISTCMD | HOSTNAME | HOSTTYPE | IFS | LINENO | MACHTYPE | OPTERR | OPTIND | OSTYPE) continue ;;
      PIPESTATUS | PPID | PS4 | PWD | OLDPWD | RANDOM | SECONDS | SHELLOPTS | SHLVL | SRANDOM | UID | _ | _d2n*) continue ;;
      # Where this C library finds its locales and converters: another one, of the user's programs, must not look there.
      GCONV_PATH | LOCPATH) continue ;;
      HOME | NIX_ATTRS_* | NIX_BUILD_TOP | NIX_ENFORCE_PURITY | NIX_LOG_FD | NIX_REMOTE | SHELL | SSL_CERT_FILE | TEMP | TEMPDIR | TERM | TMP | TMPDIR | TZ) continue ;;
      PATH) if [ "$PATH" = /path-not-set ]; then continue; fi ;;
      dontAddDisableDepTrack | _exitStatus | _exitHook) continue ;;
    esac
    _d2nDeclaration=$(declare -p "$_d2nName" 2>/dev/null) || continue
    _d2nFlags=${_d2nDeclaration#declare -}
    _d2nFlags=${_d2nFlags%% *}
    # Without `=` it has no value.
    case $_d2nDeclaration in *=*) ;; *) continue ;; esac
    case $_d2nFlags in
      *[rn]*) ;;
      *[aA]*)
        declare -n _d2nArray=$_d2nName
        case $_d2nFlags in *A*) printf 'declare -gA %s=(' "$_d2nName" ;; *) printf '%s=(' "$_d2nName" ;; esac
        for _d2nKey in "${!_d2nArray[@]}"; do
          printf "['%s']='%s' " "${_d2nKey//\'/$_d2nQuote}" "${_d2nArray[$_d2nKey]//\'/$_d2nQuote}"
        done
        printf ')\n'
        declare +n _d2nArray
        unset -n _d2nArray
        ;;
      *)
        case $_d2nFlags in *x*) printf 'export ' ;; esac
        printf "%s='%s'\n" "$_d2nName" "${!_d2nName//\'/$_d2nQuote}"
        ;;
    esac
  done < <(declare -p)
  declare -f
} >"$_d2nFile"
exit 0
