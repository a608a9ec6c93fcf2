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
  return `_d2n_path=\${PATH-} _d2n_data=\${XDG_DATA_DIRS-}
unset shellHook
${dumped.trimEnd()}
if [ "$PATH" != "$_d2n_path" ]; then export PATH="$PATH\${_d2n_path:+:$_d2n_path}"; fi
if [ "\${XDG_DATA_DIRS-}" != "$_d2n_data" ]; then export XDG_DATA_DIRS="\${XDG_DATA_DIRS-}\${_d2n_data:+:$_d2n_data}"; fi
unset _d2n_path _d2n_data
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

function inQuotes(text: string): string {
  return text.replaceAll("'", "'\\''");
}
