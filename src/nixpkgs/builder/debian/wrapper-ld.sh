#!@bash@/bin/bash
# The linker as builds see it: gives every program the store's loader, and every file a run path to the libraries it was linked
# with. Environment: NIX_LDFLAGS_BEFORE, NIX_LDFLAGS (further options), NIX_DONT_SET_RPATH, NIX_DEBUG.
store=${NIX_STORE:-@storeDir@}
# shellcheck disable=SC2206 # words are meant
arguments=($NIX_LDFLAGS_BEFORE "$@" $NIX_LDFLAGS)

# What the options mean is read from a copy in which response files are spelt out.
options=()
for argument in "${arguments[@]}"; do
  if [[ $argument == @* && -f ${argument#@} ]]; then
    while read -r line; do
      eval "options+=($line)"
    done < "${argument#@}"
  else
    options+=("$argument")
  fi
done

static= shared= relocatable= noLoader= dynamic=1
folders=() libraries=() runPath=()
for ((n = 0; n < ${#options[@]}; n++)); do
  option=${options[n]} value=${options[n + 1]-}
  case $option in
    -static | --static) static=1 ;;
    -Bstatic | -dn | -non_shared) dynamic= ;;
    -Bdynamic | -dy | -call_shared) dynamic=1 ;;
    -shared | -Bshareable | --shared) shared=1 ;;
    -r | -Ur | -i | --relocatable) relocatable=1 ;;
    --no-dynamic-linker | -no-dynamic-linker) noLoader=1 ;;
    -L | --library-path) folders+=("$value"); ((n++)) ;;
    -L*) folders+=("${option#-L}") ;;
    --library-path=*) folders+=("${option#*=}") ;;
    -l | --library) [[ $dynamic ]] && libraries+=("$value"); ((n++)) ;;
    -l*) [[ $dynamic ]] && libraries+=("${option#-l}") ;;
    --library=*) [[ $dynamic ]] && libraries+=("${option#*=}") ;;
    -dynamic-linker | --dynamic-linker | -plugin | -o | -rpath | -rpath-link | -soname | -h | -m | -z | -T | -plugin-opt | -e | -u | -Map | --version-script) ((n++)) ;;
    "$store"/*.so | "$store"/*.so.*) runPath+=("${option%/*}") ;;
  esac
done

extra=()
if [[ ! $relocatable && ! $static ]]; then
  if [[ ! $shared && ! $noLoader ]]; then extra+=(-dynamic-linker "@glibc@/lib/@loaderName@"); fi
  if [[ ${NIX_DONT_SET_RPATH-} != 1 ]]; then
    for library in "${libraries[@]}"; do
      case $library in :*) file=${library#:} ;; *) file=lib$library.so ;; esac
      for folder in "${folders[@]}"; do
        if [[ -e $folder/$file ]]; then
          runPath+=("$folder")
          break
        fi
      done
    done
    declare -A seen=(["@glibc@/lib"]=1)
    for folder in "${runPath[@]}"; do
      # The compiler's own folders hold what is needed for linking only.
      case $folder in
        *..*) folder=$(cd "$folder" && pwd) ;;
      esac
      case $folder in
        "@sysroot@"/* | "@gccUnwrapped@"/*) continue ;;
        "$store"/*) ;;
        *) continue ;;
      esac
      if [[ ! ${seen[$folder]-} ]]; then
        seen[$folder]=1
        extra+=(-rpath "$folder")
      fi
    done
    extra+=(-rpath "@glibc@/lib")
  fi
fi
if [[ ${NIX_DEBUG:-0} -ge 1 ]]; then
  printf 'linker: %s' "@program@" >&2
  printf ' %q' "${arguments[@]}" "${extra[@]}" >&2
  echo >&2
fi
exec "@program@" "${arguments[@]}" "${extra[@]}"
