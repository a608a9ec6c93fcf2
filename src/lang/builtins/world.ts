/** The string world of a host: paths that become strings are copied to its store, each once. */
import { EvalError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { StringWorld } from "../operations/index.ts";
import type { NixPath } from "../values/value.ts";
import { reading } from "./path-arguments.ts";

export function createWorld(host: Host): StringWorld {
  const copied = new Map<string, string>();
  return {
    copyPathToStore({ path }: NixPath): string {
      let storePath = copied.get(path);
      if (storePath === undefined) {
        if (path.endsWith(".drv")) throw new EvalError("file names are not allowed to end in '.drv'");
        storePath = reading(host, path, () => host.addPath({ path, name: baseName(path), method: "nar" }));
        copied.set(path, storePath);
      }
      return storePath;
    },
  };
}

/** The last component of a canonical path; of the root, nothing. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
