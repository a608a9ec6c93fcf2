/** Bringing files into the store (manual, "filterSource", "path", "storePath", "toFile"). */
import { D2nError } from "../../base/index.ts";
import { EvalError } from "../errors.ts";
import {
  checkStorePathName,
  formatHash,
  isInStore,
  isStorePath,
  parseHash,
  splitStorePath,
} from "../../formats/index.ts";
import type { AddPathRequest, Host, PathFilter } from "../host.ts";
import {
  addTrace,
  callFunction,
  forceAttrs,
  forceBool,
  forceFunction,
  forceString,
  forceStringNoContext,
  contextOf,
  makeString,
  textOf,
} from "../operations/index.ts";
import { attributeName } from "../print/literals.ts";
import type { Lazy } from "../values/thunk.ts";
import type { NixString, Value } from "../values/value.ts";
import { parseContextElement } from "./contexts.ts";
import type { Family, Interpreter } from "./interpreter.ts";
import { coerceToPath, followLinks, type PathArgument, realise } from "./path-arguments.ts";
import { baseName } from "./world.ts";

export function sources({ host, world }: Interpreter): Family {
  return {
    /** Copies a file tree to the store, without what the function rejects. */
    filterSource(filter: Lazy, path: Lazy): NixString {
      const root = coerceToPath(
        world,
        path,
        "while evaluating the second argument (the path to filter) passed to 'builtins.filterSource'",
      );
      const fn = forceFunction(filter, "while evaluating the first argument passed to builtins.filterSource");
      return addPath(host, root, { name: baseName(root.path), method: "nar", filter: pathFilter(fn) });
    },

    /** Copies a file tree to the store: `{ path, name, filter, recursive, sha256 }`. */
    path(argument: Lazy): NixString {
      const attrs = forceAttrs(argument, "while evaluating the argument passed to 'builtins.path'");
      let root: PathArgument | undefined;
      let name = "";
      let filter: PathFilter | undefined;
      let method: "nar" | "flat" = "nar";
      let sha256: string | undefined;
      for (const [key, value] of attrs.entries()) {
        if (key === "path")
          root = coerceToPath(world, value, "while evaluating the 'path' attribute passed to 'builtins.path'");
        else if (key === "name")
          name = forceStringNoContext(value, "while evaluating the `name` attribute passed to builtins.path");
        else if (key === "filter")
          filter = pathFilter(forceFunction(value, "while evaluating the `filter` parameter passed to builtins.path"));
        else if (key === "recursive")
          method = forceBool(value, "while evaluating the `recursive` attribute passed to builtins.path")
            ? "nar"
            : "flat";
        else if (key === "sha256")
          sha256 = expectedSha256(
            host,
            forceStringNoContext(value, "while evaluating the `sha256` attribute passed to builtins.path"),
          );
        else
          throw new EvalError(`unsupported argument '${attributeName(key)}' to 'builtins.path'`, {
            location: attrs.place(key),
          });
      }
      if (root === undefined)
        throw new EvalError("missing required 'path' attribute in the first argument to 'builtins.path'");
      return addPath(host, root, { name: name === "" ? baseName(root.path) : name, method, filter, sha256 });
    },

    /** A path that is in the store already, as a string that depends on it. */
    storePath(value: Lazy): NixString {
      if (host.pure) throw new EvalError("'builtins.storePath' is not allowed in pure evaluation mode");
      const argument = coerceToPath(world, value, "while evaluating the first argument passed to 'builtins.storePath'");
      let { path } = argument;
      if (!isStorePath(host.storeDir, path)) path = followLinks(host, path);
      if (!isInStore(host.storeDir, path)) throw new EvalError(`path '${path}' is not in the Nix store`);
      const { storePath } = splitStorePath(host.storeDir, path);
      if (!host.isValidPath(storePath)) throw new EvalError(`path '${storePath}' is not valid`);
      return makeString(path, new Set([...(argument.context ?? []), storePath]));
    },

    /** A file of the store with the given name and content, which may refer to sources but not to derivations. */
    toFile(name: Lazy, content: Lazy): NixString {
      const wanted = forceStringNoContext(name, "while evaluating the first argument passed to builtins.toFile");
      const string = forceString(content, "while evaluating the second argument passed to builtins.toFile");
      const references: string[] = [];
      for (const encoded of contextOf(string) ?? []) {
        const element = parseContextElement(encoded);
        if (element.kind !== "path")
          throw new EvalError(
            `files created by builtins.toFile may not reference derivations, but ${wanted} references ${encoded.replaceAll(`${host.storeDir}/`, "")}`,
          );
        references.push(element.path);
      }
      checkName(wanted);
      return storeString(host.addText(wanted, Buffer.from(textOf(string), "latin1"), references));
    },
  };
}

/** A name is told as the text that it is, not as its bytes. */
function checkName(name: string): void {
  try {
    checkStorePathName(name);
  } catch (error) {
    throw error instanceof D2nError ? new EvalError(error.message, { code: error.code, hint: error.hint }) : error;
  }
}

/** A store path as a string that depends on it. */
export function storeString(path: string): NixString {
  return makeString(path, new Set([path]));
}

/** A hash in the form hosts take; the empty one stands for zeros, so that the error tells the right one. */
export function expectedSha256(host: Host, text: string): string {
  if (text !== "") return formatHash(parseHash(text, "sha256"), "sri");
  const zeros = formatHash({ algorithm: "sha256", bytes: new Uint8Array(32) }, "sri");
  host.message("warning", `found empty hash, assuming '${zeros}'`);
  return zeros;
}

function pathFilter(fn: Value): PathFilter {
  return (path, type) =>
    forceBool(callFunction(fn, path, type), "while evaluating the return value of the path filter function");
}

function addPath(host: Host, root: PathArgument, request: Omit<AddPathRequest, "path">): NixString {
  try {
    realise(host, root.path, root.context);
    const path = followLinks(host, root.path);
    if (host.status(path) === undefined) throw new EvalError(`path '${path}' does not exist`);
    return storeString(host.addPath({ ...request, path }));
  } catch (error) {
    throw addTrace(error, `while adding path '${root.path}'`);
  }
}
