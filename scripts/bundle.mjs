// Makes few files of d2n's many modules: loading hundreds of modules one by one costs more than many an evaluation, and only
// scripts can be kept compiled (src/base/bundled-code.ts). They are CommonJS, whose loader is there when Node.js starts; that of
// ECMAScript modules takes longer to come up than `d2n --version` takes to answer.
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { rolldown } from "rolldown";

/** Modules that become bundles, `x.bundle.cjs`; what imports them gets a stub that loads the bundle and exports the same. */
const ENTRIES = [
  "cli/command-line.js",
  "cli/classic/serve.js",
  "app/evaluation/worker.js",
  "app/classic/worker.js",
  "app/repl/worker.js",
];

/** What Node.js starts, as a process or a thread: with the stubs that it imports, it becomes `x.cjs`. */
const STARTED = [
  "cli/main.js",
  "cli/classic/main.js",
  "app/evaluation/worker.js",
  "app/classic/worker.js",
  "app/repl/worker.js",
];

/** Modules of Node.js that take milliseconds to load and that few commands need: loaded with the first module that does. */
const LATE =
  /^node:(assert|child_process|crypto|dns|fs\/promises|https?|http2|inspector|net|perf_hooks|readline|sqlite|stream.*|timers\/promises|tls|v8|worker_threads|zlib)$/;

/**
 * Packages with native code that every command wants: they are bundled as well, but for their addons. What they come with to
 * find these takes ten times as long as loading them.
 */
const NATIVE = ["fs-native-extensions", "libsql"];

/** What stands for modules of theirs, by the end of the path: the addon for this platform, said at once. */
const ADDON_FINDERS = {
  "/fs-native-extensions/binding.js": `
    const musl = require("detect-libc").familySync() === "musl" ? "-musl" : "";
    const host = process.platform + "-" + process.arch + musl;
    module.exports = require("fs-native-extensions/prebuilds/" + host + "/fs-native-extensions.node");`,
  "/@neon-rs/load/dist/index.js": `
    const libc = require("detect-libc").familySync() === "musl" ? "musl" : "gnu";
    exports.currentTarget = () => process.platform + "-" + process.arch + "-" + libc;`,
};

/** @param dist folder with the compiled modules; scripts take the place of the entries in it */
export async function bundle(dist) {
  // From the entries as they are now, before any is replaced.
  const made = [];
  for (const entry of ENTRIES) made.push(await bundleEntry(dist, entry));
  const packages = new Set();
  for (const { entry, code, names, modules } of made) {
    const file = join(dist, entry.replace(/\.js$/, ".bundle.cjs"));
    const ascii = onlyAscii(code);
    const id = createHash("sha256").update(ascii).digest("hex").slice(0, 16);
    writeFileSync(file, ascii);
    writeFileSync(join(dist, entry), stub(dist, entry, id, names));
    for (const module of modules) if (module.includes("/node_modules/")) packages.add(packageOf(module));
  }
  for (const entry of STARTED) await makeStarted(dist, entry);
  // What is in the scripts is nobody else's.
  for (const entry of new Set([...ENTRIES, ...STARTED]))
    for (const ending of [".js", ".d.ts"]) rmSync(join(dist, entry.replace(/\.js$/, ending)));
  writeFileSync(join(dist, "bundled-packages.txt"), [...packages].sort().map(licence).join("\n"));
}

async function bundleEntry(dist, entry) {
  const file = join(dist, entry);
  const build = await rolldown({
    input: file,
    platform: "node",
    logLevel: "warn",
    external: (id) => id.startsWith("node:") && !LATE.test(id),
    plugins: [
      {
        name: "d2n",
        resolveId(id, importer) {
          if (!LATE.test(id)) return null;
          return importer?.startsWith("\0") ? { id, external: true } : `\0${id}`;
        },
        load(id) {
          const code = id.startsWith("\0node:")
            ? `module.exports = require(${JSON.stringify(id.slice(1))});`
            : Object.entries(ADDON_FINDERS).find(([end]) => id.endsWith(end))?.[1];
          return code === undefined ? null : { code, moduleType: "js" };
        },
        transform(code, id) {
          if (id.startsWith("\0") || id.includes("/node_modules/")) return null;
          const late = code.replace(/\bimport\((["'])([^."'][^"']*)\1\)/g, (whole, quote, name) =>
            NATIVE.includes(name) ? whole : `importModule(${JSON.stringify(name)})`,
          );
          return whereItWas(late, dirname(file), id);
        },
      },
    ],
  });
  const folder = mkdtempSync(join(dist, ".bundle-"));
  try {
    const { output } = await build.write({
      file: join(folder, "bundle.cjs"),
      format: "cjs",
      codeSplitting: false,
      intro: BUNDLE_URL,
    });
    await build.close();
    const [chunk, ...more] = output;
    if (more.length > 0) throw new Error(`${entry} became more than one file`);
    return { entry, code: chunk.code, names: chunk.exports, modules: chunk.moduleIds };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function makeStarted(dist, entry) {
  const file = join(dist, entry);
  const build = await rolldown({
    input: file,
    platform: "node",
    logLevel: "warn",
    external: (id) => id.startsWith("node:"),
    plugins: [{ name: "d2n", transform: (code, id) => whereItWas(code, dirname(file), id) }],
  });
  await build.write({ file: file.replace(/\.js$/, ".cjs"), format: "cjs", codeSplitting: false, intro: BUNDLE_URL });
  await build.close();
}

const BUNDLE_URL = 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;';

/** A module finds its files from where it lay before. */
function whereItWas(code, folder, id) {
  return code.replaceAll("import.meta.url", `new URL(${JSON.stringify(relative(folder, id))}, bundleUrl).href`);
}

/** Such a file is read without decoding, and takes one byte a character in memory. */
function onlyAscii(code) {
  return code.replace(/[^\0-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function stub(dist, entry, id, names) {
  const loader = relative(dirname(entry), "base/bundled-code.js");
  const specifier = loader.startsWith(".") ? loader : `./${loader}`;
  const bundle = basename(entry).replace(/\.js$/, ".bundle.cjs");
  const wanted = names.filter((name) => name !== "default");
  return `// Made by scripts/bundle.mjs.
import { loadBundle } from "${specifier}";
${wanted.length === 0 ? "" : `export const { ${wanted.join(", ")} } = `}loadBundle({
  file: new URL("./${bundle}", import.meta.url),
  id: "${id}",
  environment: process.env,
  importModule: (name) => import(name),
});
`;
}

function packageOf(module) {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module)[0];
}

/** Name, version and licence of a package whose code is in a bundle. */
function licence(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined || !existsSync(join(folder, file))) throw new Error(`${name} has no licence file`);
  return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n\n${"-".repeat(80)}\n`;
}
