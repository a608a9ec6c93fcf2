/** What an input may go on with: names in scope, attributes, files (libcmd/repl.cc, `completePrefix`). */
import { D2nError } from "../../base/index.ts";

export interface CompletionWorld {
  readonly names: readonly string[];
  /** The names in the set that an expression means. */
  attributes(expression: string): readonly string[];
  /** The files in a folder. */
  directory(path: string): readonly string[];
}

/** The commands that begin an input. */
const commands = [":add", ":b", ":bl", ":doc", ":edit", ":help", ":last-loaded", ":load", ":load-flake", ":log"].concat(
  [":print", ":quit", ":reload", ":sh", ":t", ":trace-enable", ":u"],
);

/** @returns whole inputs, sorted; none if the input cannot be evaluated as far as it goes */
export function complete(input: string, world: CompletionWorld): string[] {
  if (/^:\S*$/.test(input)) return commands.filter((command) => command.startsWith(input));
  const [, before = "", current = ""] = /^(.*[\s(){}[\]])?(.*)$/s.exec(input)!;
  return [...new Set(continuations(current, world))].sort().map((found) => before + found);
}

function continuations(current: string, world: CompletionWorld): string[] {
  const starting = (names: readonly string[], prefix: string): string[] =>
    names.filter((name) => name.startsWith(prefix));
  const slash = current.lastIndexOf("/");
  const dot = current.lastIndexOf(".");
  try {
    if (slash >= 0) {
      const folder = current.slice(0, slash);
      return starting(world.directory(folder === "" ? "/" : folder), current.slice(slash + 1))
        .filter((name) => !name.startsWith("."))
        .map((name) => `${folder}/${name}`);
    }
    // The names with two underscores are there for old code, not for people.
    if (dot < 0) return starting(world.names, current).filter((name) => current !== "" || !name.startsWith("__"));
    const set = current.slice(0, dot);
    return starting(world.attributes(set), current.slice(dot + 1)).map((name) => `${set}.${name}`);
  } catch (error) {
    // What is half written may well be wrong.
    if (error instanceof D2nError) return [];
    throw error;
  }
}
