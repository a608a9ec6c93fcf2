/** What to say when a lock file cannot be used, and what to do about it. */
import { Attrs, force, fromUtf8, isString, type Lazy, textOf } from "../../../lang/index.ts";
import { messageOf } from "../../../base/index.ts";
import type { ModuleScope } from "../../../modules/index.ts";
import { builtin, Dream2nixError } from "../../support.ts";
import { pipField } from "../../../python/index.ts";
import { explainStaleness } from "./explain.ts";
import { lockFileInProject } from "../paths/index.ts";

/** How to name the package on the command line; the flake's attribute is not known here. */
const command = "d2n run .#default.lock";
const elsewhere = "(the package's own attribute in place of `default`)";

export interface LockErrors {
  missing(): Dream2nixError;
  /** @param content the lock file as it is */
  stale(content: Attrs): Dream2nixError;
  fieldMissing(field: string): Dream2nixError;
  malformed(cause: unknown): Dream2nixError;
  /** The content of a lock file, which has to be a set. */
  expectSet(value: Lazy): Attrs;
}

export function lockErrors(m: ModuleScope): LockErrors {
  const { config } = m;
  const file = (): string => fromUtf8(lockFileInProject(m));
  const what = (): string => `the lock file ${file()} of ${fromUtf8(config.at("name").textWithoutContext())}`;
  const update = (): string => `To make it anew, run \`${command}\` ${elsewhere}, then \`git add ${file()}\`.`;

  const malformed = (why: string, cause?: unknown): Dream2nixError =>
    new Dream2nixError("lock-malformed", `${what()} is damaged: ${why}; restore it, or run \`${command}\``, {
      hint: update(),
      cause,
    });
  return {
    missing() {
      const other = otherLockFile(m);
      const beside = other === undefined ? "" : ` (there is ${other})`;
      return new Dream2nixError("lock-missing", `${what()} is missing${beside}; run \`${command}\` to create it`, {
        hint: [
          `Run \`${command}\` ${elsewhere}, then \`git add ${file()}\`. If the file is there, git does not track it yet, and flakes only see what git tracks.`,
          ...(other === undefined
            ? []
            : [
                `There is ${other}: locks are made for one platform and are called ${config.at("paths", "lockFile").textWithoutContext()} here. To use it as it is, set paths.lockFile = "${other.split("/").at(-1)}".`,
              ]),
        ].join("\n"),
      });
    },
    stale(content) {
      return new Dream2nixError("lock-stale", `${what()} is outdated: ${reason(m, content)}; run \`${command}\``, {
        hint: update(),
        details: `It must have been made for:\n${describe(m)}`,
      });
    },
    fieldMissing(field) {
      return new Dream2nixError(
        "lock-field-missing",
        `${what()} does not contain field \`${field}\`; run \`${command}\``,
        { hint: update() },
      );
    },
    malformed: (cause) => malformed(messageOf(cause), cause),
    expectSet(value) {
      const forced = force(value);
      if (forced instanceof Attrs) return forced;
      throw malformed("it is not a JSON object");
    },
  };
}

/** A lock file under the older name. */
function otherLockFile(m: ModuleScope): string | undefined {
  const { config, ev } = m;
  if (config.at("paths", "lockFile").textWithoutContext() === "lock.json") return undefined;
  const wanted = textOf(
    ev.coerceToString(config.at("paths", "lockFileAbs").get(), { coerceMore: true, copyToStore: false }),
  );
  const older = `${wanted.slice(0, wanted.lastIndexOf("/"))}/lock.json`;
  if (builtin(ev, "pathExists", older) !== true) return undefined;
  const shown = lockFileInProject(m);
  return fromUtf8(`${shown.slice(0, shown.lastIndexOf("/") + 1)}lock.json`);
}

/** Why a lock does not belong to what is wanted now. */
function reason(m: ModuleScope, content: Attrs): string {
  const lock = m.system.view(content, "the lock file");
  const hash = lock.or(["invalidationHash"], null).get();
  if (!isString(hash)) return "it has no invalidationHash";
  const data = m.system.view(builtin(m.ev, "toJSON", m.config.at("lock", "invalidationData"))).textWithoutContext();
  const versions = new Map<string, string>();
  const sources = lock.or([pipField, "sources"], {}).get();
  if (sources instanceof Attrs)
    for (const [name, source] of m.system.view(sources).entries()) {
      const version = source.or(["version"], null).get();
      if (isString(version)) versions.set(name, textOf(version));
    }
  return explainStaleness(fromUtf8(data), textOf(hash), versions) ?? "what it was made for has changed";
}

/** The inputs of the lock, one per line. */
function describe(m: ModuleScope): string {
  const lines: string[] = [];
  const show = (path: string, value: Lazy): void => {
    const forced = force(value);
    if (forced instanceof Attrs && forced.get("type") === undefined)
      for (const [name, inner] of forced.entries()) show(path === "" ? name : `${path}.${name}`, inner);
    else lines.push(`  ${path} = ${fromUtf8(m.system.view(builtin(m.ev, "toJSON", forced)).textWithoutContext())}`);
  };
  show("", m.config.at("lock", "invalidationData").get());
  return lines.length === 0 ? "  (nothing)" : lines.join("\n");
}
