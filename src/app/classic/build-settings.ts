/** Nix's settings about builds (manual, "nix.conf"). */
import { D2nError } from "../../base/index.ts";
import type { CommonOptions } from "../settings.ts";
import type { NixSettings } from "./settings.ts";

/** @throws D2nError `settings` */
export function buildSettings(
  settings: NixSettings,
): Pick<CommonOptions, "autoOptimise" | "sandboxing" | "sandboxPaths" | "timeout" | "maxSilent"> {
  return {
    autoOptimise: settings.flag("auto-optimise-store"),
    sandboxing: sandboxing(settings),
    sandboxPaths: settings.list("sandbox-paths").map(mount),
    timeout: settings.number("timeout", 0) || undefined,
    maxSilent: settings.number("max-silent-time", 0) || undefined,
  };
}

function sandboxing(settings: NixSettings): CommonOptions["sandboxing"] {
  if (settings.text("sandbox") === "relaxed") return "relaxed";
  return settings.flag("sandbox", true) ? "always" : "never";
}

/** `/there=/here?`: what is shown where, and whether it may be absent. */
function mount(text: string): { source: string; target: string; optional: boolean } {
  const optional = text.endsWith("?");
  const [target = "", source = target] = (optional ? text.slice(0, -1) : text).split("=");
  if (!target.startsWith("/") || !source.startsWith("/"))
    throw new D2nError("settings", `setting 'sandbox-paths' has invalid value '${text}': paths in it must be absolute`);
  return { source, target, optional };
}
