/** From the operands of a subcommand to derivations and paths. */
import { type FindDerivations, findInstallables, type Installable } from "../../../app/classic/installables.ts";
import type { ExpressionSource } from "../../../app/classic/protocol.ts";
import { instantiate } from "../instantiate.ts";
import type { Program } from "../program.ts";
import { bytes, type Given } from "./options.ts";

/** Operands of a command, or those given in their place. */
export async function installablesOf(
  program: Program,
  given: Given,
  operands: readonly string[] = given.operands,
): Promise<Installable[]> {
  if (given.stdin && operands.length === 0) return [];
  return findInstallables(await program.context(), operands, finder(program, given));
}

/** The expression that `--file` or `--expr` gives; undefined where there is neither. */
export function sourceOf(program: Program, { file, expr }: Pick<Given, "file" | "expr">): ExpressionSource | undefined {
  if (file === undefined) return expr === undefined ? undefined : { kind: "text", text: bytes(expr), name: "«string»" };
  return file === "-" ? { kind: "text", text: program.read("-"), name: "«stdin»" } : { kind: "file", file };
}

/** Undefined where there is neither `--file` nor `--expr`. */
function finder(program: Program, given: Given): FindDerivations | undefined {
  const source = sourceOf(program, given);
  if (source === undefined) return undefined;
  return async (attributePath) => {
    if (given.file !== undefined) program.common.impure = true;
    const settings = await program.evaluationSettings({
      writes: true,
      pureByDefault: true,
      features: ["flakes", "fetch-tree"],
    });
    return instantiate(program, { settings, sources: [source], attributePaths: [bytes(attributePath)], install: true });
  };
}
