# Unpacks .debs as they are. Environment: busybox debs
set -e
"$busybox/busybox" mkdir "$out"
for deb in $debs; do "$busybox/busybox" dpkg-deb -x "$deb" "$out"; done
