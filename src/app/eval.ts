/** `d2n eval` and `d2n flake show`. */
import { D2nError, notice } from "../base/index.ts";
import type { Context } from "./context.ts";
import { evaluateInstallable, evaluateShow, updateLocks } from "./evaluation/installables.ts";
import type { ShowNode } from "./evaluation/protocol.ts";

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

export async function showFlake(context: Context, reference: string, allSystems: boolean): Promise<ShowNode> {
  const { value } = await evaluateShow(context, reference, allSystems);
  if (value.type !== "tree") throw new Error("internal error: a tree was asked for");
  return value.tree;
}

export async function updateFlake(context: Context, reference: string, inputs: readonly string[]): Promise<void> {
  const changes = await updateLocks(context, reference, inputs);
  if (changes.length === 0)
    notice(
      context.sink,
      inputs.length === 0 ? "inputs are up to date; packages are taken anew from the archive" : "inputs are up to date",
    );
}
