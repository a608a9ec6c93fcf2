/** Where paths really lead to, for evaluations that may not read everything: a symlink must not lead out of what they may. */
import { lstatSync, readlinkSync } from "node:fs";
import { bytePath } from "../../formats/index.ts";
import { EvalError } from "../../lang/index.ts";

const MAX_LINKS = 64;

export class SymlinkResolver {
  readonly #physical: (path: string) => string | Buffer;
  /** Targets of symlinks; null for folders. What is not there yet is not remembered. */
  readonly #known = new Map<string, string | null>();

  /** @param physical where a logical path lies on the disk */
  constructor(physical: (path: string) => string | Buffer) {
    this.#physical = physical;
  }

  /**
   * Where a path leads to that may be read itself.
   * @param check throws for a path that may not be read; what objects in the store refer to belongs to them
   */
  confined(path: string, followLast: boolean, storeDir: string, check: (path: string) => void): string {
    const resolved = this.resolve(path, followLast);
    if (resolved !== path && !resolved.startsWith(`${storeDir}/`)) check(resolved);
    return resolved;
  }

  /**
   * The path with all symlinks on the way to it followed; also one at its end, if that is wanted. Paths are absolute, canonical
   * byte strings.
   * @throws EvalError for symlinks that go round in circles
   */
  resolve(path: string, followLast: boolean): string {
    const todo = path.split("/").reverse();
    let at = "";
    let links = 0;
    while (todo.length > 0) {
      const name = todo.pop()!;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        at = at.slice(0, Math.max(0, at.lastIndexOf("/")));
        continue;
      }
      const next = `${at}/${name}`;
      const isLast = todo.every((rest) => rest === "" || rest === ".");
      const target = isLast && !followLast ? null : this.#target(next);
      if (target === null) {
        at = next;
        continue;
      }
      if (++links > MAX_LINKS) throw new EvalError(`infinite symlink recursion in path '${path}'`);
      if (target.startsWith("/")) at = "";
      todo.push(...target.split("/").reverse());
    }
    return at === "" ? "/" : at;
  }

  #target(path: string): string | null {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const physical = this.#physical(path);
    const status = lstatSync(physical, { throwIfNoEntry: false });
    if (status === undefined) return null;
    const target = status.isSymbolicLink() ? bytePath(readlinkSync(physical, { encoding: "buffer" })) : null;
    this.#known.set(path, target);
    return target;
  }
}
