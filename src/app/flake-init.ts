/** `d2n flake init`: the files of a template, in the current folder. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { D2nError, didYouMean } from "../base/index.ts";
import { addIntent, findCheckout } from "../fetchers/index.ts";
import type { Context } from "./context.ts";

export interface InitializedFlake {
  /** What was written, relative to the folder. */
  readonly written: readonly string[];
  /** What was there already, with the same content. */
  readonly kept: readonly string[];
}

/** The templates that come with d2n. */
function templateNames(): readonly string[] {
  return readdirSync(templatesFolder(), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/**
 * Copies a template and lets git know of its files. Nothing is written unless everything can be.
 * @throws D2nError `template` for an unknown name, and where a file is in the way
 */
export async function initializeFlake(context: Context, template: string): Promise<InitializedFlake> {
  const names = templateNames();
  // `templates#pip` and the like: the part that names it.
  const name = template.slice(template.lastIndexOf("#") + 1);
  const near = didYouMean(name, names);
  if (!names.includes(name))
    throw new D2nError("template", `there is no template \`${template}\``, {
      hint: `The templates are: ${names.join(", ")}.${near === undefined ? "" : ` ${near[0]!.toUpperCase()}${near.slice(1)}`}`,
    });
  const source = join(templatesFolder(), name);
  const files = filesBelow(source, "").map((file) => ({
    from: join(source, file),
    to: file.replace(/(^|\/)gitignore$/, "$1.gitignore"),
  }));
  const inTheWay: string[] = [];
  const [written, kept] = [[] as string[], [] as string[]];
  for (const { from, to } of files) {
    const place = join(context.cwd, to);
    if (!existsSync(place)) written.push(to);
    // What else a project ignores is its own business.
    else if (to === ".gitignore" || sameContent(from, place)) kept.push(to);
    else inTheWay.push(to);
  }
  if (inTheWay.length > 0)
    throw new D2nError(
      "template",
      `the template would overwrite ${inTheWay.map((file) => `\`${file}\``).join(", ")}; nothing was written`,
      {
        hint: "Move it, or start in an empty folder.",
      },
    );
  for (const { from, to } of files) {
    if (!written.includes(to)) continue;
    mkdirSync(dirname(join(context.cwd, to)), { recursive: true });
    copyFileSync(from, join(context.cwd, to));
  }
  const git = { environment: context.environment, signal: context.signal };
  if ((await findCheckout(context.cwd, git)) !== undefined) await addIntent(context.cwd, written, git);
  return { written, kept };
}

function sameContent(a: string, b: string): boolean {
  try {
    return readFileSync(a).equals(readFileSync(b));
  } catch {
    return false;
  }
}

function filesBelow(folder: string, prefix: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name), `${prefix}${entry.name}/`) : [`${prefix}${entry.name}`],
  );
}

function templatesFolder(): string {
  return fileURLToPath(new URL("../../templates", import.meta.url));
}
