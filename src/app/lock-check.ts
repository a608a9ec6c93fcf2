/** `d2n lock --check`: whether the lock files of a flake's packages are current. No pip, no network: a hash says it. */
import { D2nError } from "../base/index.ts";
import { parseInstallable } from "../flake/syntax.ts";
import type { Context } from "./context.ts";
import { usersEnvironment } from "./environment-options.ts";
import { evaluateInstallable } from "./evaluation/installables.ts";

export interface CheckedLock {
  /** Attribute name of the package. */
  readonly package: string;
  /** Lock file, relative to the project's root; undefined if the package cannot be evaluated. */
  readonly file: string | undefined;
  readonly current: boolean;
  /** Why it is not current. */
  readonly reason: string | undefined;
  /** What makes it anew. */
  readonly command?: string;
}

/** What there is to say of a package in plain data; null for one without locked fields. */
const QUESTION = `package: let
    found = builtins.isAttrs package && package ? config && package.config ? lock && package.config.lock.fields != { };
    inherit (package.config) lock paths;
    valid = builtins.tryEval lock.isValid;
  in if found then { file = "\${paths.package}/\${paths.lockFile}"; current = valid.success && valid.value; } else null`;

interface Answer {
  readonly file: string;
  readonly current: boolean;
}

/**
 * Looks at one package, or, without fragment, at all of the flake for this system. Nothing but the package that was named is
 * evaluated; among all, one that cannot be evaluated does not hide the others.
 * @throws D2nError `installable` if none has a lock file; a package's own error if only that one was asked for
 */
export async function checkLocks(context: Context, installable: string): Promise<readonly CheckedLock[]> {
  const { reference, fragment } = parseInstallable(installable);
  if (fragment !== "") {
    const answer = (await ask(context, installable, QUESTION)) as Answer | null;
    if (answer === null)
      throw new D2nError("installable", `\`${installable}\` is no package with a lock file`, {
        hint: "Packages of the module `pip` have one; `d2n lock --check` without a name looks at all packages.",
      });
    return [await describe(context, reference, fragment, answer, installable)];
  }
  const packages = `${reference}#.packages.${context.system}`;
  const checked: CheckedLock[] = [];
  for (const [name, answer] of await askAll(context, packages)) {
    if (answer === null) continue;
    const itself = `${packages}.${JSON.stringify(name)}`;
    checked.push(
      answer instanceof D2nError
        ? { package: name, file: undefined, current: false, reason: `cannot be evaluated: ${answer.message}` }
        : await describe(context, reference, name, answer, itself),
    );
  }
  if (checked.length === 0)
    throw new D2nError("installable", `no package of \`${reference}\` has a lock file`, {
      hint: "Packages of the module `pip` have one.",
    });
  return checked;
}

async function ask(context: Context, installable: string, question: string): Promise<unknown> {
  const { result } = await evaluateInstallable(context, installable, {
    lookup: "build",
    want: "json",
    apply: question,
  });
  if (result.value.type !== "text") throw new Error("internal error: JSON was asked for");
  return JSON.parse(result.value.text);
}

/** All packages in one evaluation; one by one if any of them fails. */
async function askAll(
  context: Context,
  packages: string,
): Promise<readonly (readonly [string, Answer | null | D2nError])[]> {
  try {
    return Object.entries(
      (await ask(context, packages, `builtins.mapAttrs (_: ${QUESTION})`)) as Record<string, Answer | null>,
    );
  } catch (error) {
    if (!(error instanceof D2nError)) throw error;
  }
  const answers: [string, Answer | null | D2nError][] = [];
  for (const name of (await ask(context, packages, "builtins.attrNames")) as string[])
    try {
      answers.push([name, (await ask(context, `${packages}.${JSON.stringify(name)}`, QUESTION)) as Answer | null]);
    } catch (error) {
      if (!(error instanceof D2nError)) throw error;
      answers.push([name, error]);
    }
  return answers;
}

async function describe(
  context: Context,
  reference: string,
  name: string,
  { file, current }: Answer,
  itself: string,
): Promise<CheckedLock> {
  const command = `d2n run ${reference}#${name}.lock`;
  // The message cannot know by which name the package was asked for.
  const why = current ? undefined : await reason(context, `${itself}.config.lock.content`);
  return {
    package: name,
    file: file.replace(/^(\.\/)+/, ""),
    current,
    reason: why?.replaceAll("d2n run .#default.lock", command),
    command,
  };
}

/** Locks one package: what `d2n run .#<package>.lock` does. @returns the exit status */
export async function lock(context: Context, installable: string, field?: string): Promise<number> {
  const { reference, fragment } = parseInstallable(installable);
  const { run } = await import("./run.ts");
  return run(
    context,
    `${reference}#${fragment === "" ? "default" : fragment}.lock`,
    field === undefined ? [] : ["--field", field],
    usersEnvironment,
  );
}

/** The words with which using the lock would fail. */
async function reason(context: Context, content: string): Promise<string> {
  try {
    await evaluateInstallable(context, content, { lookup: "build", want: "json" });
    return "it is outdated";
  } catch (error) {
    if (error instanceof D2nError) return error.message;
    throw error;
  }
}
