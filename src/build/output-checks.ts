/** `allowedReferences` and its kin (Nix manual, "Advanced attributes"). */
import { D2nError } from "../base/index.ts";
import type { NewPathInfo, Store } from "../store/index.ts";
import type { DerivationOptions } from "./derivation-options.ts";

/**
 * Refuses outputs that a derivation's own checks refuse.
 * @throws D2nError `output-rejected`
 */
export async function checkOutputs(
  store: Store,
  drvPath: string,
  options: DerivationOptions,
  outputs: ReadonlyMap<string, NewPathInfo>,
): Promise<void> {
  const fresh = new Map([...outputs.values()].map((info) => [info.path, info]));
  const closureOf = async (path: string): Promise<{ paths: Set<string>; size: number }> => {
    const paths = new Set<string>([path]);
    let size = 0;
    for (const next of paths) {
      const info = fresh.get(next) ?? (await store.queryPathInfo(next));
      size += info.narSize;
      for (const reference of info.references) paths.add(reference);
    }
    return { paths, size };
  };
  const reject = (message: string): never => {
    throw new D2nError("output-rejected", message, {
      hint: `The derivation '${drvPath}' itself demands this (allowedReferences, disallowedReferences, maxSize and the like).`,
    });
  };
  for (const [name, info] of outputs) {
    const checks = options.checksOf(name);
    const resolve = (specifiers: readonly string[]): Set<string> =>
      new Set(
        specifiers.map((specifier) => {
          if (specifier.startsWith(`${store.storeDir}/`)) {
            const end = specifier.indexOf("/", store.storeDir.length + 1);
            return end < 0 ? specifier : specifier.slice(0, end);
          }
          return (
            outputs.get(specifier)?.path ??
            reject(
              `output check for '${name}' contains output name '${specifier}', but this is not a valid output of this derivation. (Valid outputs are [${[...outputs.keys()].sort().join(", ")}].)`,
            )
          );
        }),
      );
    const check = (used: Iterable<string>, specifiers: readonly string[], allowed: boolean): void => {
      const listed = resolve(specifiers);
      const bad = [...used].filter((path) => listed.has(path) !== allowed).sort();
      if (bad.length > 0)
        reject(
          `output '${info.path}' is not allowed to refer to the following paths:\n${bad.map((path) => `  ${path}`).join("\n")}`,
        );
    };
    if (checks.maxSize !== undefined && info.narSize > checks.maxSize)
      reject(`path '${info.path}' is too large at ${info.narSize} bytes; limit is ${checks.maxSize} bytes`);
    if (checks.allowedReferences !== undefined) check(info.references, checks.allowedReferences, true);
    if (checks.disallowedReferences.length > 0) check(info.references, checks.disallowedReferences, false);
    const { allowedRequisites, disallowedRequisites, maxClosureSize } = checks;
    if (allowedRequisites === undefined && disallowedRequisites.length === 0 && maxClosureSize === undefined) continue;
    const { paths, size } = await closureOf(info.path);
    if (maxClosureSize !== undefined && size > maxClosureSize)
      reject(`closure of path '${info.path}' is too large at ${size} bytes; limit is ${maxClosureSize} bytes`);
    if (checks.ignoreSelf) paths.delete(info.path);
    if (allowedRequisites !== undefined) check(paths, allowedRequisites, true);
    if (disallowedRequisites.length > 0) check(paths, disallowedRequisites, false);
  }
}
