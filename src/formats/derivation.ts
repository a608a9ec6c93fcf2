/** A derivation as a .drv file holds it (Nix manual, "Derivation file format": ATerm). Byte strings: one code unit a byte. */
export interface DerivationOutput {
  /** Store path; empty for floating content-addressed outputs. */
  readonly path: string;
  /** `sha256`, `r:sha256`, …; empty when the output is not fixed. */
  readonly hashAlgo: string;
  /** Base 16; empty when the output is not fixed. */
  readonly hash: string;
}

export interface Derivation {
  readonly name: string;
  /** By output name. */
  readonly outputs: ReadonlyMap<string, DerivationOutput>;
  /** .drv path to the names of its outputs that are wanted. */
  readonly inputDrvs: ReadonlyMap<string, readonly string[]>;
  readonly inputSrcs: readonly string[];
  readonly system: string;
  readonly builder: string;
  readonly args: readonly string[];
  /** With structured attributes the variable `__json` holds them, as the bytes of the JSON text that Nix writes. */
  readonly env: ReadonlyMap<string, string>;
}
