/** `d2n lock --check`: whether the lock files of a flake's packages are current. No pip, no network: a hash says it. */
import { D2nError } from "../base/index.ts";
import { parseInstallable } from "../flake/syntax.ts";
import type { Context } from "./context.ts";
import { evaluateInstallable } from "./evaluation/installables.ts";

export interface CheckedLock {
  /** Attribute name of the package. */
  readonly package: string;
  /** Lock file, relative to the project's root. */
  readonly file: string;
  readonly current: boolean;
  /** Why it is not current. */
  readonly reason: string | undefined;
  /** What makes it anew. */
  readonly command: string;
}

/** What there is to say of each package that has locked fields, in plain data. */
const QUESTION = `packages: builtins.listToAttrs (builtins.concatMap
  (name: let
    package = packages.\${name};
    found = builtins.tryEval (builtins.isAttrs package && package ? config && package.config ? lock && package.config.lock.fields != { });
    inherit (package.config) lock paths;
    valid = builtins.tryEval lock.isValid;
  in
    if found.success && found.value
    then [ { inherit name; value = { file = "\${paths.package}/\${paths.lockFile}"; current = valid.success && valid.value; }; } ]
    else [ ])
  (builtins.attrNames packages))`;

/** Looks at one package, or, without fragment, at all of the flake for this system. */
export async function checkLocks(context: Context, installable: string): Promise<readonly CheckedLock[]> {
  const { reference, fragment } = parseInstallable(installable);
  const packages = `${reference}#.packages.${context.system}`;
  const { result } = await evaluateInstallable(context, packages, { lookup: "eval", want: "json", apply: QUESTION });
  if (result.value.type !== "text") throw new Error("internal error: JSON was asked for");
  const all = Object.entries(
    JSON.parse(result.value.text) as Record<string, { readonly file: string; readonly current: boolean }>,
  );
  const wanted =
    fragment === "" ? all : all.filter(([name]) => name === fragment.replace(`packages.${context.system}.`, ""));
  if (wanted.length === 0)
    throw new D2nError(
      "installable",
      fragment === ""
        ? `no package of \`${reference}\` has a lock file`
        : `\`${installable}\` is no package with a lock file`,
      {
        hint:
          all.length === 0
            ? "Packages of the module `pip` have one."
            : `These have one: ${all.map(([name]) => name).join(", ")}.`,
      },
    );
  const checked: CheckedLock[] = [];
  for (const [name, { file, current }] of wanted)
    checked.push({
      package: name,
      file: file.replace(/^(\.\/)+/, ""),
      current,
      reason: current ? undefined : await reason(context, `${packages}.${JSON.stringify(name)}.config.lock.content`),
      command: `d2n run ${reference}#${name}.lock`,
    });
  return checked;
}

/** Locks one package: what `d2n run .#<package>.lock` does. @returns the exit status */
export async function lock(context: Context, installable: string, field?: string): Promise<number> {
  const { reference, fragment } = parseInstallable(installable);
  const { run } = await import("./run.ts");
  return run(
    context,
    `${reference}#${fragment === "" ? "default" : fragment}.lock`,
    field === undefined ? [] : ["--field", field],
  );
}

/** The words with which using the lock would fail. */
async function reason(context: Context, content: string): Promise<string> {
  try {
    await evaluateInstallable(context, content, { lookup: "eval", want: "json" });
    return "it is outdated";
  } catch (error) {
    if (error instanceof D2nError) return error.message;
    throw error;
  }
}
