# shellcheck shell=bash
# The program of every standard build: reads the attributes, sources the standard environment and runs the phases. A package with
# a `builder` of its own gets that, with the same preparations.
if [ -e .attrs.sh ]; then
  # shellcheck disable=SC1091
  . ./.attrs.sh
  export NIX_ATTRS_SH_FILE=${NIX_ATTRS_SH_FILE:-$PWD/.attrs.sh} NIX_ATTRS_JSON_FILE=${NIX_ATTRS_JSON_FILE:-$PWD/.attrs.json}
elif [ -n "${NIX_ATTRS_SH_FILE:-}" ] && [ -e "$NIX_ATTRS_SH_FILE" ]; then
  # shellcheck disable=SC1090
  . "$NIX_ATTRS_SH_FILE"
fi
if [ "$#" -gt 0 ]; then
  # shellcheck disable=SC1090
  source "$1"
else
  # shellcheck disable=SC1091,SC2154
  source "$stdenv/setup"
  genericBuild
fi
