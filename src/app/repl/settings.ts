/** From a command line to what a REPL is started with. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { parseInstallable } from "../../flake/syntax.ts";
import { NixSettings } from "../classic/settings.ts";
import { absoluteEntry } from "../classic/search-path.ts";
import type { Context } from "../context.ts";
import { jobSettings } from "../evaluation/installables.ts";
import type { ReplSettings, ReplSource } from "./protocol.ts";

/** A REPL with d2n's own settings and built-in flakes. Impure, as Nix's. */
export function ownReplSettings(
  context: Context,
  options: { readonly included: readonly string[]; readonly colors: boolean },
): ReplSettings {
  const { environment, cwd } = context;
  const settings = new NixSettings({ environment, warn: () => {} });
  return {
    world: {
      kind: "d2n",
      settings: jobSettings(context),
      searchPath: [...options.included, ...settings.list("nix-path")].map((entry) => absoluteEntry(entry, cwd)),
    },
    arguments: [],
    cwd,
    colors: options.colors,
  };
}

/** What is in scope from the beginning: flakes, and files where a name is one. */
export function replSources(
  cwd: string,
  installables: readonly string[],
  { file, expr }: { readonly file?: string; readonly expr?: string },
): { readonly source: ReplSource; readonly what: string }[] {
  if (file !== undefined || expr !== undefined) {
    const paths = installables.length === 0 ? [""] : installables;
    return paths.map((path) => {
      const attributePath = bytes(path === "." ? "" : path);
      const source: ReplSource =
        file !== undefined
          ? { kind: "file-attribute", file: bytes(file), attributePath }
          : { kind: "expression", text: bytes(expr!), attributePath };
      return { source, what: path };
    });
  }
  return installables.map((text) => {
    if (text.startsWith("<") || isFile(resolve(cwd, text)))
      return { source: { kind: "file", file: bytes(text) }, what: text };
    const { reference, fragment } = parseInstallable(text);
    return { source: { kind: "flake", reference, fragment }, what: `${reference}#${fragment}` };
  });
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function bytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
