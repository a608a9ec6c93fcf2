/** `d2n eval` and `d2n flake show`. */
import { D2nError } from "../base/index.ts";
import type { Context } from "./context.ts";
import { evaluateInstallable, evaluateShow } from "./evaluation/installables.ts";
import type { ShowNode } from "./evaluation/protocol.ts";

export type EvalFormat = "text" | "json" | "raw";

/** The value of an installable as text. */
export async function evalInstallable(context: Context, installable: string, format: EvalFormat, apply: string | undefined): Promise<string> {
  const { result } = await evaluateInstallable(context, installable, { lookup: "eval", want: format, ...(apply === undefined ? {} : { apply }) });
  if (result.value.type !== "text") throw new D2nError("installable", `\`${installable}\` has no text`);
  return result.value.text;
}

export async function showFlake(context: Context, reference: string, allSystems: boolean): Promise<ShowNode> {
  const { value } = await evaluateShow(context, reference, allSystems);
  if (value.type !== "tree") throw new Error("internal error: a tree was asked for");
  return value.tree;
}
