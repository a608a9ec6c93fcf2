/** Shell code around a dumped environment. */

export interface ShellCodeOptions {
  /** What `dump-environment.sh` wrote. */
  readonly environment: string;
  /** Output name to its store path in the environment. */
  readonly outputs: ReadonlyMap<string, string>;
  /** Where the outputs would go in a shell: nothing may be written to the store. */
  readonly outputsFolder: string;
  /** Folder of the flake, for hooks that look for the project; undefined for one that is elsewhere. */
  readonly projectFolder: string | undefined;
}

/** Code that makes the shell which reads it a development shell: variables and functions, the user's PATH behind, then the hook. */
export function shellCode({ environment, outputs, outputsFolder, projectFolder }: ShellCodeOptions): string {
  let dumped = environment;
  for (const [name, path] of outputs) dumped = dumped.replaceAll(path, inQuotes(`${outputsFolder}/${name}`));
  // What phases tell a builder's log is nothing for a terminal.
  return `_d2n_path=\${PATH-} _d2n_data=\${XDG_DATA_DIRS-}
unset shellHook
${dumped.trimEnd()}
if [ "$PATH" != "$_d2n_path" ]; then export PATH="$PATH\${_d2n_path:+:$_d2n_path}"; fi
if [ "\${XDG_DATA_DIRS-}" != "$_d2n_data" ]; then export XDG_DATA_DIRS="\${XDG_DATA_DIRS-}\${_d2n_data:+:$_d2n_data}"; fi
unset _d2n_path _d2n_data
if declare -F _nixAction > /dev/null; then _nixAction() { :; }; NIX_LOG_FD=2; fi
${projectFolder === undefined ? "unset D2N_PROJECT_ROOT" : `export D2N_PROJECT_ROOT='${inQuotes(projectFolder)}'`}
eval "\${shellHook:-}"
`;
}

/** A start-up file for an interactive bash: the user's own first, if that is wanted; the prompt stays. */
export function interactiveCode(code: string, { usersOwn }: { readonly usersOwn: boolean }): string {
  return `${usersOwn ? "if [ -e ~/.bashrc ]; then . ~/.bashrc; fi" : ":"}
_d2n_prompts=("\${PS1-}" "\${PS2-}" "\${PROMPT_COMMAND-}")
${code}
PS1=\${_d2n_prompts[0]} PS2=\${_d2n_prompts[1]} PROMPT_COMMAND=\${_d2n_prompts[2]}
if [ -z "$PROMPT_COMMAND" ]; then unset PROMPT_COMMAND; fi
unset _d2n_prompts
`;
}

/** What runs a phase in such a shell: in the flake's folder, as Nix does, and with the phase's exit status. */
export function phaseCode(phase: string): string {
  return `_d2n_phase='${inQuotes(phase)}Phase'
if [ -n "\${D2N_PROJECT_ROOT-}" ]; then cd "$D2N_PROJECT_ROOT"; fi
NIX_BUILD_TOP=$(mktemp -d -t d2n-phase.XXXXXX) || exit
export NIX_BUILD_TOP TMPDIR=$NIX_BUILD_TOP TEMPDIR=$NIX_BUILD_TOP TMP=$NIX_BUILD_TOP TEMP=$NIX_BUILD_TOP
touch "$NIX_BUILD_TOP/.start"
trap 'rm -rf -- "$NIX_BUILD_TOP"' EXIT
if ! declare -F runPhase > /dev/null; then
  echo "d2n: what this environment belongs to is not built by the standard environment: it has no phases" >&2; exit 1
elif ! declare -F "$_d2n_phase" > /dev/null && [ -z "\${!_d2n_phase-}" ]; then
  echo "d2n: there is no phase '\${_d2n_phase%Phase}'; there are: $(
    for _d2n_name in $(compgen -A function); do
      case $_d2n_name in runPhase | _*) ;; *Phase) printf '%s ' "\${_d2n_name%Phase}" ;; esac
    done
  )" >&2; exit 1
elif declare -F _isSkipped > /dev/null && _isSkipped "$_d2n_phase"; then
  echo "d2n: the package has switched the phase '\${_d2n_phase%Phase}' off (doCheck, dontBuild and so on)" >&2
else
  set -eo pipefail
  runPhase "$_d2n_phase"
fi`;
}

function inQuotes(text: string): string {
  return text.replaceAll("'", "'\\''");
}
