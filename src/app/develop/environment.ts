/**
 * The environment that a derivation's builder works in, as shell code: a derivation of its own, with everything of the first but
 * another program, is built once and kept in the store like any other (Nix's `develop` does the same).
 */
import { readFileSync } from "node:fs";
import { D2nError } from "../../base/index.ts";
import { type Derivation, DerivationHashes } from "../../formats/index.ts";
import type { Context } from "../context.ts";
import { realise } from "../realise.ts";

/** Attributes about the result that do not hold for its environment. */
const CHECKS = [
  "allowedReferences",
  "allowedRequisites",
  "disallowedReferences",
  "disallowedRequisites",
  "exportReferencesGraph",
  "outputHash",
  "outputHashAlgo",
  "outputHashMode",
];

export interface BuiltEnvironment {
  /** Store path of the file with the environment. */
  readonly environment: string;
  /** The builder: a program of the store. */
  readonly bash: string;
  /** Output name to store path, as the environment speaks of them. */
  readonly outputs: Map<string, string>;
}

/** The environment of a derivation; built if need be. */
export async function buildEnvironment(context: Context, drvPath: string): Promise<BuiltEnvironment> {
  const store = await context.store();
  const original = await store.readDerivation(drvPath);
  const program = await store.addText(
    "dump-environment.sh",
    readFileSync(new URL("./dump-environment.sh", import.meta.url)),
  );
  const derivation = environmentDerivation(
    original,
    program,
    new DerivationHashes(context.storeDir, (path) => store.readDerivationSync(path)),
  );
  const [first] = derivation.outputs.keys();
  const { path } = derivation.outputs.get(first!)!;
  if (!(await store.isValidPath(path))) {
    const made = await store.addDerivation(derivation);
    await realise(context, [{ drvPath: made, outputs: "all" }]);
  }
  return {
    environment: path,
    bash: original.builder,
    outputs: new Map([...derivation.outputs].map(([name, output]) => [name, output.path])),
  };
}

/** @throws D2nError `develop` for derivations that are not built by bash */
export function environmentDerivation(original: Derivation, program: string, hashes: DerivationHashes): Derivation {
  if (!/\/bash$/.test(original.builder))
    throw new D2nError(
      "develop",
      `\`${original.name}\` has no environment to enter: its builder is \`${original.builder}\`, not bash`,
      {
        hint: "A shell can be had of packages, and of `mkShell`.",
      },
    );
  const name = `${original.name}-env`;
  const env = new Map(original.env);
  for (const check of CHECKS) env.delete(check);
  if (env.has("name")) env.set("name", name);
  const outputs = new Map(
    [...original.outputs.keys()].map((output) => [output, { path: "", hashAlgo: "", hash: "" }] as const),
  );
  for (const output of outputs.keys()) env.set(output, "");
  return hashes.withOutputPaths({
    ...original,
    name,
    outputs,
    env,
    inputSrcs: [...new Set([...original.inputSrcs, program])].sort(),
    args: [program, ...outputs.keys()],
  });
}
