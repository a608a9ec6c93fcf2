// Real Nix, out of the Debian archive, as the judge of conformance tests: `node scripts/oracle.mjs` prints the command.
//
// Nothing is installed: the packages are unpacked below node_modules/.cache, and Nix is started through its own loader. It is
// for tests only, so an index that has expired will do.
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./setup.mjs";

const SUITE = "forky";
const ROOTS = ["nix-bin", "bash-static"];
/** Parts of the closure that Nix does not need to run. */
const UNNEEDED =
  /^(debconf|perl.*|libperl.*|dpkg|tar|adduser|passwd|init-system-helpers|systemd.*|dbus.*|login.*|libpam.*|base-files|coreutils|install-info)$/;

/** @returns the command, or undefined (with the reason on stderr) where Nix cannot be had */
export async function provideOracle() {
  if (process.env.NIX_ORACLE) return process.env.NIX_ORACLE;
  if (process.arch !== "x64") return undefined;
  const home = join(root, "node_modules/.cache/nix-oracle");
  const command = join(home, "nix-oracle");
  if (existsSync(command)) return command;
  try {
    await install(home, command);
    return command;
  } catch (error) {
    process.stderr.write(`real Nix cannot be had, its comparisons are skipped: ${error.message}\n`);
    return undefined;
  }
}

async function install(home, command) {
  const load = (path) => import(join(root, "dist", path));
  const { Context } = await load("app/context.js");
  const { findMirrors, mirrorFetch, fetchDeb } = await load("app/debian-archive.js");
  const { openArchive, unpackDeb } = await load("debian/index.js");
  const context = new Context({
    environment: { ...process.env, HOME: home, XDG_CACHE_HOME: join(home, "cache"), XDG_DATA_HOME: join(home, "data") },
    cwd: root,
    uid: process.getuid(),
    sink: () => {},
    signal: new AbortController().signal,
    options: {},
  });
  const open = async (now) =>
    openArchive({
      mirrors: await findMirrors(context),
      fetch: mirrorFetch(context),
      cacheDir: join(home, "cache/debian"),
      now,
      sink: () => {},
    });
  const lookup = async (archive, name) => archive.lookup(SUITE, "amd64", name);
  let archive = await open(new Date());
  try {
    await lookup(archive, ROOTS[0]);
  } catch (error) {
    const expired = /expired on (\S+Z)/.exec(error.message)?.[1];
    if (expired === undefined) throw error;
    archive = await open(new Date(Date.parse(expired) - 1000));
  }
  const unpacked = join(home, `unpacked.${process.pid}`);
  rmSync(unpacked, { recursive: true, force: true });
  const seen = new Set();
  const queue = [...ROOTS];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (seen.has(name) || UNNEEDED.test(name)) continue;
    seen.add(name);
    const pin = await lookup(archive, name);
    if (pin === undefined) throw new Error(`Debian has no ${name}`);
    const one = join(unpacked, "one");
    mkdirSync(one, { recursive: true });
    await unpackDeb(fetchDeb(context, pin), one, (path) => (/^usr\/(bin|lib|lib64)\//.test(path) ? path : undefined));
    cpSync(one, join(unpacked, "all"), { recursive: true, verbatimSymlinks: true });
    rmSync(one, { recursive: true });
    queue.push(...pin.depends);
  }
  const final = join(home, "root");
  rmSync(final, { recursive: true, force: true });
  renameSync(join(unpacked, "all"), final);
  rmSync(unpacked, { recursive: true });
  const libraries = join(final, "usr/lib/x86_64-linux-gnu");
  const loader = readdirSync(libraries).find((name) => /^ld-linux/.test(name));
  mkdirSync(join(home, "conf"), { recursive: true });
  writeFileSync(
    join(home, "conf/nix.conf"),
    `experimental-features = nix-command flakes
substituters =
build-users-group =
build-hook =
sandbox = true
sandbox-paths = /bin/sh=${final}/usr/bin/bash-static
warn-dirty = false
`,
  );
  writeFileSync(
    command,
    `#!/bin/sh
tool=$1
shift
export NIX_CONF_DIR="\${NIX_CONF_DIR:-${home}/conf}" NIX_USER_CONF_FILES=
exec ${join(libraries, loader)} --argv0 "$tool" --library-path ${libraries}:${libraries}/nix ${final}/usr/bin/nix "$@"
`,
  );
  chmodSync(command, 0o755);
  rmSync(join(home, "cache"), { recursive: true, force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(`${(await provideOracle()) ?? ""}\n`);
