/** `d2n flake init`: the files of a template, which is one of the examples, in the current folder. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { D2nError, didYouMean, makeFolders } from "../base/index.ts";
import { addIntent, findCheckout } from "../fetchers/index.ts";
import type { Context } from "./context.ts";
import { examplesFolder, templates } from "./templates.ts";

export interface InitializedFlake {
  /** What was written, relative to the folder. */
  readonly written: readonly string[];
  /** What was there already. */
  readonly kept: readonly string[];
  /** Commands that lead on to a result. */
  readonly next: readonly string[];
}

/**
 * Copies a template and lets git know of its files. Nothing is written unless everything can be.
 * @throws D2nError `template` for an unknown name, and where a file is in the way
 */
export async function initializeFlake(context: Context, wanted: string): Promise<InitializedFlake> {
  // `templates#pip` and the like: the part that names it.
  const name = wanted.slice(wanted.lastIndexOf("#") + 1);
  const known = templates();
  const template = known.get(name);
  if (template === undefined) {
    const near = didYouMean(name, [...known.keys()]);
    throw new D2nError("template", `there is no template \`${wanted}\``, {
      hint: `The templates are: ${[...known.keys()].join(", ")}.${near === undefined ? "" : ` ${near[0]!.toUpperCase()}${near.slice(1)}`}`,
    });
  }
  const source = join(examplesFolder, template.folder);
  const files = new Map<string, Buffer>(
    filesBelow(source, "").map((file) => [file, readFileSync(join(source, file))] as const),
  );
  files.set(".gitignore", Buffer.from(`${template.ignore.join("\n")}\n`));
  const inTheWay: string[] = [];
  const [written, kept] = [[] as string[], [] as string[]];
  for (const [file, content] of files) {
    const place = join(context.cwd, file);
    if (!existsSync(place)) written.push(file);
    // What else a project ignores is its own business.
    else if (file === ".gitignore" || hasContent(place, content)) kept.push(file);
    else inTheWay.push(file);
  }
  if (inTheWay.length > 0)
    throw new D2nError(
      "template",
      `the template would overwrite ${inTheWay.map((file) => `\`${file}\``).join(", ")}; nothing was written`,
      {
        hint: "Move it, or start in an empty folder.",
      },
    );
  for (const file of written) {
    const place = join(context.cwd, file);
    makeFolders(dirname(place));
    writeFileSync(place, files.get(file)!);
  }
  const git = { environment: context.environment, signal: context.signal };
  const tracked = (await findCheckout(context.cwd, git)) !== undefined;
  if (tracked) await addIntent(context.cwd, written, git);
  const next = template.next.map((command) => command.replace("SYSTEM", context.system));
  return { written, kept, next: tracked ? next : ["git init", "git add .", ...next] };
}

function hasContent(file: string, content: Buffer): boolean {
  try {
    return readFileSync(file).equals(content);
  } catch {
    return false;
  }
}

function filesBelow(folder: string, prefix: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name), `${prefix}${entry.name}/`) : [`${prefix}${entry.name}`],
  );
}
