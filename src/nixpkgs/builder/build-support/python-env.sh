# shellcheck shell=bash
# An interpreter with packages: the links of buildEnv, made a virtual environment of the interpreter by a `pyvenv.cfg`, so that
# bin/python finds the packages without any variable. Programs run with this interpreter.

buildPythonEnvironment() {
  linkEnvironment
  local _site="$out/$pythonSitePackages" _package _file _name _target
  _openDirectory /bin
  _openDirectory "/${pythonSitePackages%/site-packages}"
  _openDirectory "/$pythonSitePackages"
  mkdir -p "$out/bin" "$_site"

  # Where a virtual environment says whose it is. User packages stay out unless they are wanted.
  rm -f -- "$out/pyvenv.cfg"
  local _system=false
  if [ -n "${permitUserSite:-}" ]; then _system=true; fi
  printf 'home = %s/bin\ninclude-system-site-packages = %s\nversion = %s\n' "$python" "$_system" "$pythonFullVersion" >"$out/pyvenv.cfg"
  if [ ! -e "$_site/sitecustomize.py" ] && [ -e "$python/${pythonSitePackages%/site-packages}/sitecustomize.py" ]; then
    ln -s "$python/${pythonSitePackages%/site-packages}/sitecustomize.py" "$_site/sitecustomize.py"
  fi

  for _file in "$out"/bin/* "$out"/bin/.[!.]*; do
    if [ ! -L "$_file" ]; then continue; fi
    _target=$(readlink -f -- "$_file")
    _name=${_file##*/}
    # Interpreters stay links: it is through the link that they find pyvenv.cfg.
    if [ ! -f "$_target" ] || ! isScript "$_target"; then continue; fi
    _package=$(readlink -- "$_file")
    _package=${_package%/bin/*}
    cp --remove-destination -- "$_target" "$_file"
    chmod u+w -- "$_file"
    # The interpreter of this environment instead of the bare one, and the wrapped programs that lie beside.
    sed -i -e "1s#^\\(\\#! *\\)$python/bin/#\\1$out/bin/#" -e "s#$_package/bin/\\.#$out/bin/.#g" -- "$_file"
    chmod 555 -- "$_file"
    case $_name in
      python*-config) ;;
      *)
        local -a _arguments=()
        concatTo _arguments makeWrapperArgs
        if [ "${#_arguments[@]}" -gt 0 ] && [[ $_name != .* ]]; then wrapProgram "$_file" "${_arguments[@]}"; fi
        ;;
    esac
  done
}
