/**
 * zsh and fish in place of bash, where the user works in one of them: bash has set the variables, then hands over. Their start-up
 * files run as always, but what these put at the front of PATH (a version manager's Python, say) goes behind the shell's own.
 */
import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";

export interface OtherShell {
  /** For bash, in which the variables are set and `_d2n_words` holds the words of the command; does not return. */
  readonly script: string;
  /** The shell and its options. */
  readonly words: readonly string[];
}

/** Leaves out what is there twice. */
const ZSH_STARTUP = `if [[ -n \${_D2N_ZDOTDIR+x} ]]; then export ZDOTDIR=$_D2N_ZDOTDIR; else unset ZDOTDIR; fi
unset _D2N_ZDOTDIR
if [[ -e \${ZDOTDIR:-$HOME}/.zshrc ]]; then source \${ZDOTDIR:-$HOME}/.zshrc; fi
path=(\${(s.:.)_D2N_PATH} $path)
path=(\${(u)path})
unset _D2N_PATH
`;

const ZSH_ENVIRONMENT = `_d2n_own=$ZDOTDIR
if [[ -n \${_D2N_ZDOTDIR+x} ]]; then ZDOTDIR=$_D2N_ZDOTDIR; else unset ZDOTDIR; fi
if [[ -e \${ZDOTDIR:-$HOME}/.zshenv ]]; then source \${ZDOTDIR:-$HOME}/.zshenv; fi
if [[ -n \${ZDOTDIR+x} ]]; then _D2N_ZDOTDIR=$ZDOTDIR; else unset _D2N_ZDOTDIR; fi
ZDOTDIR=$_d2n_own
unset _d2n_own
`;

const FISH_STARTUP = `set -l merged
for folder in (string split : -- $_D2N_PATH) $PATH
    contains -- $folder $merged; or set -a merged $folder
end
set -gx PATH $merged
set -e _D2N_PATH`;

/**
 * @param shell the user's
 * @param keep writes a file of that name that stays, and gives its path
 */
export function otherShell(
  shell: string | undefined,
  keep: (name: string, text: string) => string,
): OtherShell | undefined {
  if (shell === undefined || !existsSync(shell)) return undefined;
  switch (basename(shell)) {
    case "zsh": {
      keep("zsh/.zshenv", ZSH_ENVIRONMENT);
      const folder = dirname(keep("zsh/.zshrc", ZSH_STARTUP));
      return {
        script: `export _D2N_PATH=$PATH
if [ -n "\${ZDOTDIR+x}" ]; then export _D2N_ZDOTDIR=$ZDOTDIR; fi
ZDOTDIR='${folder.replaceAll("'", "'\\''")}' exec "\${_d2n_words[@]}"`,
        words: [shell, "-i"],
      };
    }
    case "fish":
      return {
        script: `export _D2N_PATH=$PATH\nexec "\${_d2n_words[@]}"`,
        words: [shell, "-i", "-C", FISH_STARTUP],
      };
    default:
      return undefined;
  }
}
