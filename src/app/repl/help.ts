/** What `:?` prints. */
const commands: readonly (readonly [command: string, meaning: string])[] = [
  ["<expr>", "Evaluate an expression and print its value, one level deep"],
  ["<x> = <expr>", "Give a value a name"],
  [":a, :add <expr>", "Bring the attributes of a set into scope"],
  [":b <expr>", "Build a derivation"],
  [":bl <expr>", "Build a derivation and link its outputs here"],
  [":doc <expr>", "Say what a function is for"],
  [":e, :edit <expr>", "Open a file, a function or a package in $EDITOR"],
  [":l, :load <path>", "Load a file and bring its attributes into scope"],
  [":lf, :load-flake <ref>", "Load a flake and bring its outputs into scope"],
  [":ll, :last-loaded", "List the names that came into scope last"],
  [":log <expr>", "Show the log of a derivation's build"],
  [":p, :print <expr>", "Print a value as a whole, strings as they are"],
  [":q, :quit", "Leave; so does Ctrl-D"],
  [":r, :reload", "Load all files and flakes again; other names are gone"],
  [":sh <expr>", "Build what a derivation needs and open a shell with its environment"],
  [":t <expr>", "Say what kind of value it is"],
  [":te, :trace-enable [bool]", "Show the whole way to errors, or do not"],
  [":u <expr>", "Build a package and open a shell with it"],
  [":?, :help", "Show this list"],
];

export const helpText = `The following commands are available:

${commands.map(([command, meaning]) => `  ${command.padEnd(28)} ${meaning}\n`).join("")}`;
