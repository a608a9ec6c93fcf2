/** `lib.path`: paths as values, and subpaths: relative ones without `..`. */
import {
  Attrs,
  type Evaluator,
  force,
  forceList,
  isString,
  type Lazy,
  NixPath,
  textOf,
  ThrownError,
  typeOf,
} from "../lang/index.ts";
import { functions, type Namespace } from "./support.ts";

/** Why a value is no subpath; undefined if it is one. */
function invalidReason(lazyValue: Lazy): string | undefined {
  const value = force(lazyValue);
  if (!isString(value)) return `The given value is of type ${typeOf(value)}, but a string was expected`;
  const text = textOf(value);
  if (text === "") return "The given string is empty";
  if (text.startsWith("/")) return `The given string "${text}" starts with a \`/\`, representing an absolute path`;
  if (text.split("/").includes(".."))
    return `The given string "${text}" contains a \`..\` component, which is not allowed in subpaths`;
  return undefined;
}

function components(subpath: string): string[] {
  return subpath.split("/").filter((part) => part !== "" && part !== ".");
}

function joined(parts: readonly string[]): string {
  return `./${parts.length === 0 ? "." : parts.join("/")}`;
}

function pathOf(lazyValue: Lazy, what: string): NixPath {
  const value = force(lazyValue);
  if (!(value instanceof NixPath))
    throw new ThrownError(`${what} is of type ${typeOf(value)}, but a path was expected`);
  return value;
}

function subpathOf(value: Lazy, what: string): string {
  const reason = invalidReason(value);
  if (reason !== undefined) throw new ThrownError(`${what} is not a valid subpath string:\n    ${reason}`);
  return textOf(force(value) as string);
}

function startsWith(parts: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((part, index) => parts[index] === part);
}

export function pathNamespace(ev: Evaluator): Namespace {
  const store = components(ev.host.storeDir);
  return {
    ...functions({
      append: (path, subpath) => {
        const base = pathOf(path, "lib.path.append: The first argument");
        const below = components(subpathOf(subpath, "lib.path.append: Second argument"));
        return new NixPath(`/${[...components(base.path), ...below].join("/")}`);
      },
      hasPrefix: (prefix, path) => {
        const start = pathOf(prefix, "lib.path.hasPrefix: First argument");
        return startsWith(components(pathOf(path, "lib.path.hasPrefix: Second argument").path), components(start.path));
      },
      removePrefix: (prefix, path) => {
        const start = pathOf(prefix, "lib.path.removePrefix: First argument");
        const whole = pathOf(path, "lib.path.removePrefix: Second argument");
        const parts = components(whole.path);
        const skipped = components(start.path);
        if (!startsWith(parts, skipped))
          throw new ThrownError(
            `lib.path.removePrefix: The first path argument "${start.path}" is not a component-wise prefix of the second path argument "${whole.path}".`,
          );
        return joined(parts.slice(skipped.length));
      },
      splitRoot: (path) =>
        Attrs.from([
          ["root", new NixPath("/")],
          ["subpath", joined(components(pathOf(path, "lib.path.splitRoot: Argument").path))],
        ]),
      hasStorePathPrefix: (path) => {
        const parts = components(pathOf(path, "lib.path.hasStorePathPrefix: Argument").path);
        const name = parts[store.length];
        if (startsWith(parts, store) && name !== undefined && /^.{32}-.+$/s.test(name)) return true;
        return /^[0-9a-z]{52}$/.test(parts[0] ?? "");
      },
    }),
    subpath: Attrs.from(
      Object.entries(
        functions({
          isValid: (value) => invalidReason(value) === undefined,
          join: (list) =>
            joined(
              forceList(list).flatMap((element, index) => {
                const reason = invalidReason(element);
                if (reason !== undefined)
                  throw new ThrownError(
                    `lib.path.subpath.join: Element at index ${index} is not a valid subpath string:\n    ${reason}`,
                  );
                return components(textOf(force(element) as string));
              }),
            ),
          components: (value) => components(subpathOf(value, "lib.path.subpath.components: Argument")),
          normalise: (value) => joined(components(subpathOf(value, "lib.path.subpath.normalise: Argument"))),
        }),
      ),
    ),
  };
}
