/** `d2n flake init` and `new`: the files of a template, one of the examples or a flake's, in a folder. */
import { join } from "node:path";
import { D2nError, didYouMean } from "../base/index.ts";
import { addIntent, findCheckout } from "../fetchers/index.ts";
import type { Context } from "./context.ts";
import { evaluateInstallable } from "./evaluation/installables.ts";
import { compareWithPlace, readTree, type TreeFile, writeTreeFile } from "./file-trees.ts";
import { lookUpReference } from "./registries.ts";
import { parseReference } from "../flake/syntax.ts";
import { examplesFolder, templates } from "./templates.ts";

export interface InitializedFlake {
  /** What was written, relative to the folder. */
  readonly written: readonly string[];
  /** What was there already. */
  readonly kept: readonly string[];
  /** Commands that lead on to a result. */
  readonly next: readonly string[];
  /** What a flake says to those who take its template; empty if nothing. */
  readonly welcome: string;
}

interface TemplateTree {
  readonly files: ReadonlyMap<string, TreeFile>;
  readonly next: readonly string[];
  readonly welcome: string;
}

/**
 * Copies a template and lets git know of its files. Nothing is written unless everything can be.
 * @param wanted name of a template of d2n's own, or `FLAKE#NAME` for one of a flake
 * @param folder absolute
 * @throws D2nError `template` for an unknown name, and where a file is in the way
 */
export async function initializeFlake(context: Context, wanted: string, folder: string): Promise<InitializedFlake> {
  const { files, next, welcome } = ownTemplate(context, wanted) ?? (await templateOfFlake(context, wanted));
  const inTheWay: string[] = [];
  const [written, kept] = [[] as string[], [] as string[]];
  for (const [file, content] of files) {
    const place = compareWithPlace(join(folder, file), content);
    if (place === "free") written.push(file);
    // What else a project ignores is its own business.
    else if (file === ".gitignore" || place === "same") kept.push(file);
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
  for (const file of written) writeTreeFile(join(folder, file), files.get(file)!);
  const git = { environment: context.environment, signal: context.signal };
  const tracked = written.length > 0 && (await findCheckout(folder, git)) !== undefined;
  if (tracked) await addIntent(folder, written, git);
  return { written, kept, welcome, next: tracked || next.length === 0 ? next : ["git init", "git add .", ...next] };
}

/** A template that comes with d2n: its name, or `templates#NAME`. Undefined for references to flakes. */
function ownTemplate(context: Context, wanted: string): TemplateTree | undefined {
  const known = templates();
  const name = wanted.startsWith("templates#") ? wanted.slice("templates#".length) : wanted;
  const template = known.get(name);
  if (template === undefined) {
    if (/[#:/.]/.test(name) || lookUpReference(context, parseReference(name)) !== undefined) return undefined;
    const near = didYouMean(name, [...known.keys()]);
    throw new D2nError("template", `there is no template \`${wanted}\``, {
      hint: `The templates are: ${[...known.keys()].join(", ")}.${near === undefined ? "" : ` ${near[0]!.toUpperCase()}${near.slice(1)}`} Those of flakes are called FLAKE#NAME.`,
    });
  }
  const files = readTree(join(examplesFolder, template.folder));
  files.set(".gitignore", { content: Buffer.from(`${template.ignore.join("\n")}\n`), executable: false });
  return { files, next: template.next.map((command) => command.replace("SYSTEM", context.system)), welcome: "" };
}

async function templateOfFlake(context: Context, wanted: string): Promise<TemplateTree> {
  const { result } = await evaluateInstallable(context, wanted, {
    lookup: "template",
    want: "json",
    apply: '{ path, welcomeText ? "", ... }: { path = toString path; inherit welcomeText; }',
    writeLocks: false,
  });
  if (result.value.type !== "text") throw new Error("internal error: text was asked for");
  const { path, welcomeText } = JSON.parse(result.value.text) as {
    readonly path: string;
    readonly welcomeText: string;
  };
  return { files: readTree(context.toPhysical(path)), next: [], welcome: welcomeText };
}
