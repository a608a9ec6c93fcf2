# Sourced by builders that have the static busybox only: its applets by name, also for programs that start others by execvp.
applets=$NIX_BUILD_TOP/.applets
"$busybox/busybox" mkdir -p "$applets"
"$busybox/busybox" --install -s "$applets"
export PATH=$applets
umask 022
