/** The inputs that a lock file names, for people to look at. */
import { formatReference, referenceFromAttributes } from "../flake/syntax.ts";

export interface LockedInputNode {
  readonly name: string;
  /** What it is locked to; empty for an input that follows another. */
  readonly url: string;
  /** The same as attributes; undefined for an input that follows another. */
  readonly locked: Readonly<Record<string, string | number | boolean>> | undefined;
  /** The path of the input that it follows. */
  readonly follows: string | undefined;
  /** Seconds since 1970. */
  readonly lastModified: number | undefined;
  readonly inputs: readonly LockedInputNode[];
}

interface LockFile {
  readonly root: string;
  readonly nodes: Readonly<
    Record<
      string,
      {
        readonly inputs?: Readonly<Record<string, string | readonly string[]>>;
        readonly locked?: Readonly<Record<string, string | number | boolean>>;
      }
    >
  >;
}

/** @param text of a valid lock file. What has been listed once is not gone into again. */
export function lockedInputs(text: string): LockedInputNode[] {
  const { nodes, root } = JSON.parse(text) as LockFile;
  const visited = new Set([root]);
  const below = (key: string): LockedInputNode[] =>
    Object.entries(nodes[key]?.inputs ?? {}).map(([name, target]): LockedInputNode => {
      if (typeof target !== "string")
        return { name, url: "", locked: undefined, follows: target.join("/"), lastModified: undefined, inputs: [] };
      const locked = nodes[target]?.locked ?? {};
      const modified = locked["lastModified"];
      const first = !visited.has(target);
      visited.add(target);
      return {
        name,
        url: formatReference(referenceFromAttributes(new Map(Object.entries(locked)))),
        locked,
        follows: undefined,
        lastModified: typeof modified === "number" ? modified : undefined,
        inputs: first ? below(target) : [],
      };
    });
  return below(root);
}
