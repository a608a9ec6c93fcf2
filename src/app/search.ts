/** `nix search`: packages of a flake by regular expressions. */
import { UsageError } from "../base/index.ts";
import type { Context } from "./context.ts";
import { evaluateFlake } from "./evaluation/installables.ts";
import type { ListedPackage } from "./evaluation/protocol.ts";
import { parseInstallable } from "../flake/syntax.ts";

export interface SearchRequest {
  readonly installable: string;
  /** All have to be found in path, name or description, whatever the case of their letters. */
  readonly patterns: readonly string[];
  /** None may be found. */
  readonly excluded: readonly string[];
}

/** @throws UsageError for what is no regular expression */
export async function searchPackages(
  context: Context,
  { installable, patterns, excluded }: SearchRequest,
): Promise<ListedPackage[]> {
  const [wanted, unwanted] = [patterns.map(compiled), excluded.map(compiled)];
  const { reference, fragment } = parseInstallable(installable);
  const { value } = await evaluateFlake(context, reference, { kind: "search", under: fragment });
  if (value.type !== "packages") throw new Error("internal error: packages were asked for");
  return value.packages.filter(({ path, pname, description }) => {
    const has = (pattern: RegExp): boolean => [path, pname, description].some((text) => pattern.test(text));
    return wanted.every(has) && !unwanted.some(has);
  });
}

function compiled(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "i");
  } catch (error) {
    throw new UsageError(`'${pattern}' is no regular expression: ${(error as Error).message}`);
  }
}
