import type { Command } from "commander";
import colors from "picocolors";
import type { FlakeMetadata, ReferenceMessage } from "../../app/evaluation/protocol.ts";
import { lockedInputs, type LockedInputNode } from "../../app/flake-inputs.ts";
import { type Invocation, type RawOptions, withCommonOptions } from "../command-line.ts";

/** `d2n flake metadata`, in the form of Nix's. */
export function addFlakeMetadata(flake: Command, invocation: Invocation): void {
  withCommonOptions(
    flake
      .command("metadata")
      .description("Show where a flake comes from and what its inputs are locked to.")
      .argument("[flake]", "the flake; `.` unless given")
      .option("--json", "print JSON"),
  ).action(async (reference: string | undefined, options: RawOptions & { readonly json?: boolean }) =>
    invocation.execute(options, async (context) => {
      const { flakeMetadata } = await import("../../app/eval.ts");
      const metadata = await flakeMetadata(context, reference ?? ".");
      invocation.world.stdout.write(options.json ? `${JSON.stringify(toJson(metadata))}\n` : toText(metadata));
    }),
  );
}

function toJson(metadata: FlakeMetadata): unknown {
  const { resolved, locked, lockFile } = metadata;
  const attributes = (reference: ReferenceMessage): unknown =>
    Object.fromEntries([...reference.attributes].sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    description: metadata.description,
    dirtyRevision: metadata.dirtyRevision,
    fingerprint: metadata.fingerprint,
    lastModified: metadata.lastModified,
    locked: attributes(locked),
    locks: JSON.parse(lockFile) as unknown,
    original: attributes(resolved),
    originalUrl: resolved.url,
    path: metadata.path,
    resolved: attributes(resolved),
    resolvedUrl: resolved.url,
    revCount: metadata.revCount,
    revision: metadata.revision,
    url: locked.url,
  };
}

function toText(metadata: FlakeMetadata): string {
  const lines: string[] = [];
  const say = (label: string, value: string | number | undefined): void => {
    if (value !== undefined) lines.push(`${colors.bold(`${label}:`)}${" ".repeat(14 - label.length)}${value}`);
  };
  say("Resolved URL", metadata.resolved.url);
  if (metadata.revision !== undefined || metadata.resolved.url !== metadata.locked.url)
    say("Locked URL", metadata.locked.url);
  say("Description", metadata.description);
  say("Path", metadata.path);
  say("Revision", metadata.revision ?? metadata.dirtyRevision);
  say("Revisions", metadata.revCount);
  say("Last modified", metadata.lastModified === undefined ? undefined : date(metadata.lastModified, "local"));
  say("Fingerprint", metadata.fingerprint);
  const inputs = render(lockedInputs(metadata.lockFile), "");
  if (inputs.length > 0) lines.push(colors.bold("Inputs:"), ...inputs);
  return `${lines.join("\n")}\n`;
}

/** The inputs as a tree. */
function render(inputs: readonly LockedInputNode[], indent: string): string[] {
  return inputs.flatMap(({ name, url, follows, lastModified, inputs: below }, i) => {
    const last = i === inputs.length - 1;
    const head = `${indent}${last ? "└───" : "├───"}${colors.bold(name)}`;
    if (follows !== undefined) return [`${head} follows input '${follows}'`];
    const when = lastModified === undefined ? "" : ` (${date(lastModified, "utc")})`;
    return [`${head}: ${url}${when}`, ...render(below, `${indent}${last ? "    " : "│   "}`)];
  });
}

/** `2026-01-31 23:59:59`. @param seconds since 1970 */
function date(seconds: number, zone: "local" | "utc"): string {
  const moment = new Date(seconds * 1000);
  const shown = zone === "utc" ? moment : new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return shown.toISOString().slice(0, 19).replace("T", " ");
}
