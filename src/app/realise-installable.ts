/** Building what an installable stands for. */
import { dirname, resolve } from "node:path";
import { D2nError, notice } from "../base/index.ts";
import type { RealiseResult, Wanted } from "../build/index.ts";
import { findCheckout, untrackedFiles } from "../fetchers/index.ts";
import { isPathLike, parseInstallable, parseReference } from "../flake/syntax.ts";
import type { Context } from "./context.ts";
import type { EvaluatedInstallable } from "./evaluation/installables.ts";
import { wantedByContext } from "./evaluation/wanted.ts";
import { realise, type RealiseRequest } from "./realise.ts";

/** Makes it valid. Where that fails, and files that git does not track may be why, they are named. */
export async function realiseInstallable(
  context: Context,
  evaluated: EvaluatedInstallable,
  request: RealiseRequest = {},
): Promise<RealiseResult> {
  try {
    return await realise(context, wantedFor(evaluated), request);
  } catch (error) {
    if (error instanceof D2nError && error.code === "build-failed") await mentionUntracked(context, evaluated.text);
    throw error;
  }
}

/** What has to be valid for an evaluated installable. */
function wantedFor(evaluated: EvaluatedInstallable): readonly Wanted[] {
  const { value } = evaluated.result;
  switch (value.type) {
    case "derivation": {
      const { drvPath, outputs } = value.derivation;
      return [
        {
          drvPath,
          outputs: evaluated.outputs === undefined ? outputs : evaluated.outputs === "*" ? "all" : evaluated.outputs,
        },
      ];
    }
    case "path":
    case "app":
    case "lock":
    case "text":
      return wantedByContext(value.context);
    case "tree":
    case "locked":
    case "packages":
    case "metadata":
    case "check":
      return [];
  }
}

const SHOWN = 5;

async function mentionUntracked(context: Context, installable: string): Promise<void> {
  const { reference } = parseInstallable(installable);
  if (!isPathLike(reference)) return;
  const { attributes, dir } = parseReference(reference);
  const folder = resolve(context.cwd, String(attributes.get("path")), dir);
  const git = { environment: context.environment, signal: context.signal };
  let files: string[];
  try {
    const checkout = await findCheckout(folder, git);
    if (checkout === undefined) return;
    files = (await untrackedFiles(checkout, git)).filter((file) => !/^result(-|$)/.test(file) && !isHidden(file));
  } catch {
    // The failure of the build is what counts.
    return;
  }
  if (files.length === 0) return;
  const more = files.length > SHOWN ? ` and ${files.length - SHOWN} more` : "";
  notice(
    context.sink,
    `git does not track ${files.slice(0, SHOWN).join(", ")}${more}: what it does not track is not there in builds (\`git add\` changes that)`,
  );
}

function isHidden(file: string): boolean {
  return (
    file.startsWith(".") ||
    dirname(file)
      .split("/")
      .some((part) => part.startsWith(".") && part !== ".")
  );
}
