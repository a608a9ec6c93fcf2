import { NixPath, textOf } from "../../../lang/index.ts";
import type { ModuleScope } from "../../../modules/index.ts";

/** The text of `mkDerivation.src`, for looking at how it ends. Nothing is copied to the store for it. */
export function sourceText(m: ModuleScope): string {
  const src = m.config.at("mkDerivation", "src").get();
  if (src === null) return "";
  return src instanceof NixPath ? src.path : textOf(m.ev.coerceToString(src, { copyToStore: false }));
}
