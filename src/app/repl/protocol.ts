/** What the REPL asks of its evaluator. Texts are byte strings unless said otherwise. */
import type { AutoArgument, ClassicSettings } from "../classic/protocol.ts";
import type { ErrorMessage, JobSettings } from "../evaluation/protocol.ts";

/** Whose settings hold: d2n's own, with its built-in flakes, or those of Nix's programs. */
export type ReplWorld =
  | { readonly kind: "d2n"; readonly settings: JobSettings; readonly searchPath: readonly string[] }
  | { readonly kind: "classic"; readonly settings: ClassicSettings };

export interface ReplSettings {
  readonly world: ReplWorld;
  /** For functions in loaded files. */
  readonly arguments: readonly AutoArgument[];
  readonly cwd: string;
  /** Printed values have colours. */
  readonly colors: boolean;
}

/** What puts attributes into scope, or what a value is that does. */
export type ReplSource =
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "expression"; readonly text: string; readonly attributePath: string }
  | { readonly kind: "file-attribute"; readonly file: string; readonly attributePath: string }
  /** A flake reference as the user wrote it, text, and a fragment. */
  | { readonly kind: "flake"; readonly reference: string; readonly fragment: string };

export type ReplRequest =
  /** Definitions, or an expression whose value is printed one level deep. */
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "print" | "type" | "document" | "add" | "edit" | "complete"; readonly text: string }
  /** `through`: a function that makes the derivation of the value. */
  | { readonly kind: "derivation"; readonly text: string; readonly through?: string }
  | { readonly kind: "load"; readonly source: ReplSource }
  /** Forgets all names. */
  | { readonly kind: "reset" }
  | { readonly kind: "last-loaded" };

export type ReplResult =
  | { readonly type: "nothing" }
  /** For standard output. */
  | { readonly type: "text"; readonly text: string }
  /** Names that came into scope: how many, and the first ones as they are written in Nix. */
  | { readonly type: "added"; readonly count: number; readonly names: readonly string[] }
  | { readonly type: "bound" }
  /** The input may go on: more lines are wanted. */
  | { readonly type: "incomplete" }
  | { readonly type: "derivation"; readonly drvPath: string }
  | { readonly type: "place"; readonly file: string; readonly line: number }
  /** Completed inputs. */
  | { readonly type: "completions"; readonly completions: readonly string[] };

export interface ReplCall {
  readonly request: ReplRequest;
  readonly showTrace: boolean;
}

export type ReplMessage =
  | { readonly result: ReplResult }
  | { readonly failed: ErrorMessage }
  /** What there is of a result, bytes, before it fails. */
  | { readonly begun: string }
  /** Text. */
  | { readonly notice: { readonly level: "trace" | "warning"; readonly text: string } };
