// Compiles src/ to dist/ and copies what is not TypeScript (builder scripts, archive keys, Nix shims) beside it.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tsc = join(root, "node_modules/typescript-native/bin/tsc");
rmSync(join(root, "dist"), { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [tsc, "-p", join(root, "tsconfig.json")], { stdio: "inherit" });
cpSync(join(root, "src"), join(root, "dist"), {
  recursive: true,
  filter: (source) => !source.endsWith(".ts") && !source.includes("__snapshots__"),
});
if (status === 0) await bundle(join(root, "dist"));
const main = join(root, "dist/cli/main.cjs");
if (existsSync(main)) chmodSync(main, 0o755);
process.exit(status ?? 1);
