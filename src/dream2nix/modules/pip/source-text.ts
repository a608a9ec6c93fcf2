import { NixPath, textOf } from "../../../lang/index.ts";
import type { ModuleScope } from "../../../modules/index.ts";
import { Dream2nixError } from "../../support.ts";

/** The text of `mkDerivation.src`, for looking at how it ends. Nothing is copied to the store for it. */
export function sourceText(m: ModuleScope): string {
  const src = m.config.at("mkDerivation", "src").get();
  if (src === null) return "";
  return src instanceof NixPath ? src.path : textOf(m.ev.coerceToString(src, { copyToStore: false }));
}

/** Whether what is built is a wheel. A root without a source is none: an environment needs none, and building it says what is missing. */
export function isWheelSource(m: ModuleScope): boolean {
  try {
    return sourceText(m).endsWith(".whl");
  } catch (error) {
    if (error instanceof Dream2nixError && error.code === "lock-field-missing") return false;
    throw error;
  }
}
