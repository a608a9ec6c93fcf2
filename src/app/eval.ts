/** `d2n eval` and `d2n flake show`. */
import { D2nError, notice } from "../base/index.ts";
import type { Context } from "./context.ts";
import { evaluateFlake, evaluateInstallable, evaluateShow, updateLocks } from "./evaluation/installables.ts";
import type { FlakeMetadata, ShowNode } from "./evaluation/protocol.ts";

export type EvalFormat = "text" | "json" | "raw";

/** The value of an installable as text. */
export async function evalInstallable(
  context: Context,
  installable: string,
  format: EvalFormat,
  apply: string | undefined,
): Promise<string> {
  const { result } = await evaluateInstallable(context, installable, {
    lookup: "eval",
    want: format,
    ...(apply === undefined ? {} : { apply }),
  });
  if (result.value.type !== "text") throw new D2nError("installable", `\`${installable}\` has no text`);
  return result.value.text;
}

export async function showFlake(
  context: Context,
  reference: string,
  rules: { readonly allSystems: boolean; readonly legacy: boolean },
): Promise<{ readonly url: string; readonly tree: ShowNode }> {
  const { value } = await evaluateShow(context, reference, rules);
  if (value.type !== "tree") throw new Error("internal error: a tree was asked for");
  return value;
}

export async function updateFlake(context: Context, reference: string, inputs: readonly string[]): Promise<void> {
  const { changes, unknown } = await updateLocks(context, reference, inputs);
  for (const name of unknown)
    context.sink({
      type: "message",
      level: "warning",
      text: `'${name}' does not match any input of this flake`,
    });
  if (changes.length === 0)
    notice(
      context.sink,
      inputs.length === 0 ? "inputs are up to date; packages are taken anew from the archive" : "inputs are up to date",
    );
}

export async function flakeMetadata(context: Context, reference: string): Promise<FlakeMetadata> {
  const { value } = await evaluateFlake(context, reference, { kind: "metadata" });
  if (value.type !== "metadata") throw new Error("internal error: metadata was asked for");
  return value.metadata;
}

/** Locks inputs that are not locked yet; those that are stay as they are. */
export async function lockFlakeInputs(context: Context, reference: string): Promise<void> {
  const { lockChanges } = await evaluateFlake(context, reference, { kind: "lock" });
  if (lockChanges.length === 0) notice(context.sink, "all inputs are locked");
}

/** Evaluates all outputs and builds the checks. @throws D2nError for the first output that is not what it should be */
export async function checkFlake(
  context: Context,
  reference: string,
  options: { readonly allSystems: boolean; readonly build: boolean },
): Promise<void> {
  const { value } = await evaluateFlake(context, reference, { kind: "check", allSystems: options.allSystems });
  if (value.type !== "check") throw new Error("internal error: a check was asked for");
  const { warnings, builds, omitted } = value.check;
  for (const text of warnings) context.sink({ type: "message", level: "warning", text });
  if (options.build && builds.length > 0) {
    notice(context.sink, `running ${builds.length} flake checks...`);
    const { realise } = await import("./realise.ts");
    await realise(
      context,
      builds.map(({ drvPath }) => ({ drvPath, outputs: "all" })),
    );
  }
  notice(context.sink, "all checks passed!");
  if (omitted.length > 0)
    context.sink({
      type: "message",
      level: "warning",
      text: `The check omitted these incompatible systems: ${omitted.join(", ")}\nUse '--all-systems' to check all.`,
    });
}
