/** The derivations that expressions give, for the programs that go on to build them. */
import type { ClassicSettings, ClassicTask, ExpressionSource, FoundDerivation } from "../../app/classic/protocol.ts";
import { runClassic } from "../../app/classic/run.ts";
import type { Program } from "./program.ts";

export type InstantiateRequest = Pick<Extract<ClassicTask, { kind: "instantiate" }>, "install" | "shell"> & {
  readonly settings: ClassicSettings;
  readonly sources: readonly ExpressionSource[];
  /** Byte strings; none for the value itself. */
  readonly attributePaths: readonly string[];
};

/** Writes them to the store. @throws D2nError what evaluation throws */
export async function instantiate(
  program: Program,
  { settings, sources, attributePaths, ...rest }: InstantiateRequest,
): Promise<FoundDerivation[]> {
  const found: FoundDerivation[] = [];
  if (sources.length === 0) return found;
  await runClassic({
    job: {
      settings,
      task: {
        kind: "instantiate",
        sources,
        attributePaths: attributePaths.length === 0 ? [""] : attributePaths,
        arguments: [...program.common.autoArguments.values()],
        action: "instantiate",
        format: "classic",
        strict: false,
        locations: false,
        ...rest,
      },
    },
    context: () => program.context(),
    signal: program.signal,
    thread: program.takeThread(),
    sink: { ...program.sink, derivation: (derivation) => void found.push(derivation) },
  });
  return found;
}
