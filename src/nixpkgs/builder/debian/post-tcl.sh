# The interpreter looks for its library in a folder that is built in. Read by relocate.sh as `postFix`. Environment: shells
for program in bin/tclsh8.6; do
  mv "$program" "bin/.${program##*/}-real"
  {
    echo "#!$shells/bin/bash"
    echo "export TCL_LIBRARY=\${TCL_LIBRARY:-$out/share/tcltk/tcl8.6}"
    echo "exec '$out/bin/.${program##*/}-real' \"\$@\""
  } > "$program"
  chmod 755 "$program"
done
eval "$linkVersions"
echo 'puts [expr 6 * 7]' > "$NIX_BUILD_TOP/t.tcl"
[ "$(bin/tclsh "$NIX_BUILD_TOP/t.tcl")" = 42 ]
