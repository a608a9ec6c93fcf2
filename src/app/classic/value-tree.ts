/** `nix eval --write-to`: strings become files, sets become folders of them. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { D2nError } from "../../base/index.ts";

/** @throws D2nError `file-access` for a place that is taken, `evaluation` for other values */
export function writeValue(path: string, value: unknown): void {
  if (existsSync(path)) throw new D2nError("file-access", `path '${path}' already exists`);
  check(value);
  write(path, value);
}

/** Everything is looked at before anything is written. */
function check(value: unknown): void {
  if (typeof value === "string") return;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new D2nError("evaluation", `value ${JSON.stringify(value)} is not a string or an attribute set`);
  for (const [name, one] of Object.entries(value)) {
    if (name === "." || name === ".." || name.includes("/"))
      throw new D2nError("evaluation", `invalid file name '${name}'`);
    check(one);
  }
}

function write(path: string, value: unknown): void {
  if (typeof value === "string") {
    writeFileSync(path, value);
    return;
  }
  mkdirSync(path);
  for (const [name, one] of Object.entries(value as object)) write(join(path, name), one);
}
