# shellcheck shell=bash
# fetchgit: the tree of one revision. A fixed output: the network is there, the hash decides.

export GIT_SSL_CAINFO=${NIX_SSL_CERT_FILE:-${SSL_CERT_FILE:-$caBundle}}
if [ ! -e "$GIT_SSL_CAINFO" ]; then GIT_SSL_CAINFO=$caBundle; fi
export GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 HOME=$NIX_BUILD_TOP
export GIT_EXEC_PATH=${gitExecPath:-${GIT_EXEC_PATH:-}}
if [ -z "$GIT_EXEC_PATH" ]; then unset GIT_EXEC_PATH; fi

_git() { git -C "$_work" "$@"; }

_work=$NIX_BUILD_TOP/checkout
git -c init.defaultBranch=fetched init --quiet "$_work"
_git remote add origin "$url"
_depth=--depth=1
if [ -n "${deepClone:-}" ]; then _depth=; fi
if [ -n "${sparseCheckout:-}" ]; then
  _git config core.sparseCheckout true
  printf '%s\n' $sparseCheckout >"$_work/.git/info/sparse-checkout"
fi
# Not every server gives out a commit by its name: then everything.
# shellcheck disable=SC2086
if ! _git fetch --quiet $_depth origin "$rev"; then
  _git fetch --quiet --tags origin '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*'
  _git checkout --quiet --detach "$rev"
else
  _git checkout --quiet --detach FETCH_HEAD
fi
if [ -n "${fetchSubmodules:-}" ]; then _git submodule update --quiet --init --recursive --depth=1 || _git submodule update --quiet --init --recursive; fi
if [ -n "${leaveDotGit:-}" ]; then
  # Only what does not change from one clone to the next.
  _git repack -A -d -f --quiet
  rm -rf "$_work"/.git/{hooks,logs,FETCH_HEAD,ORIG_HEAD,index}
else
  find "$_work" -name .git -prune -exec rm -rf '{}' +
fi
_root=$_work${rootDir:+/$rootDir}
mkdir -p "${out%/*}"
cp -a -- "$_root" "$out"
if [ -n "${postFetch:-}" ]; then eval "$postFetch"; fi
