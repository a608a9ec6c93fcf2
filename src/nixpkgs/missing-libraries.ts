/** What to write where programs and libraries that were built elsewhere want libraries that are not among the inputs. */
import { aliases } from "./debian/aliases.ts";
import { table } from "./debian/table.ts";

/**
 * Attributes by the stems of sonames (`libGL` of `libGL.so.1`), where these are no words that a linker takes. A stem that ends in `*`
 * stands for all that begin so.
 */
const providers: Readonly<Record<string, string>> = {
  "at-spi2-core": "libatk-1.0 libatk-bridge-2.0 libatspi",
  dbus: "libdbus-1",
  e2fsprogs: "libcom_err libext2fs",
  fontconfig: "libfontconfig",
  "gdk-pixbuf": "libgdk_pixbuf-2.0",
  glib: "libglib-2.0 libgobject-2.0 libgio-2.0 libgthread-2.0 libgmodule-2.0",
  gtk3: "libgtk-3 libgdk-3",
  gtk4: "libgtk-4",
  jack2: "libjack",
  libGL: "libGL libEGL libOpenGL libGLX libGLdispatch libGLESv2",
  libICE: "libICE",
  libSM: "libSM",
  libX11: "libX11 libX11-xcb",
  libXScrnSaver: "libXss",
  libaio: "libaio",
  libcap: "libcap",
  libdrm: "libdrm",
  libgbm: "libgbm",
  libva: "libva*",
  libxcb: "libxcb libxcb-*",
  xcbutilcursor: "libxcb-cursor",
  xcbutilimage: "libxcb-image",
  xcbutilkeysyms: "libxcb-keysyms",
  xcbutilrenderutil: "libxcb-render-util",
  xcbutilwm: "libxcb-icccm libxcb-ewmh",
  libxkbcommon: "libxkbcommon libxkbcommon-x11",
  nspr: "libnspr4 libplc4 libplds4",
  nss: "libnss3 libnssutil3 libsmime3 libssl3",
  pango: "libpango-1.0 libpangocairo-1.0 libpangoft2-1.0",
  pcsclite: "libpcsclite",
  "vulkan-loader": "libvulkan",
  wayland: "libwayland-*",
};

/** Stems of what a graphics driver or the kernel's own packages bring: the machine's, never a package's. */
const ofTheMachine = /^lib(cuda|nvidia-\w+|nvcuvid|nvoptix|cudadebugger|hsa-runtime64|amdhip64|ze_loader)$/;

const byStem = new Map(
  Object.entries(providers).flatMap(([attribute, stems]) => stems.split(" ").map((stem) => [stem, attribute] as const)),
);

/**
 * The attribute that has a library.
 * @param soname as DT_NEEDED has it
 * @param linkerAttribute what has a library by the word that `-l` takes
 */
export function libraryAttribute(
  soname: string,
  linkerAttribute: (word: string) => string | undefined,
): string | undefined {
  const stem = soname.replace(/\.so(\..*)?$/, "");
  const known = byStem.get(stem) ?? linkerAttribute(`${stem.replace(/^lib/, "")}`);
  if (known !== undefined) return known;
  for (const [pattern, attribute] of byStem)
    if (pattern.endsWith("*") && stem.startsWith(pattern.slice(0, -1))) return attribute;
  // libXrandr.so.2, libXi.so.6: most of X has a package for each.
  return /^libX[a-z]+$/.test(stem) ? stem : undefined;
}

/**
 * What to write so that auto-patchelf finds what it has not found; undefined where it has not complained.
 * @param pname canonical name of the package that does not build
 */
export function adviceOnLibraries(
  log: Iterable<string>,
  pname: string,
  linkerAttribute: (word: string) => string | undefined,
): string | undefined {
  const sonames = new Set<string>();
  for (const line of log) {
    const name = /auto-patchelf could not satisfy dependency (\S+) wanted by/.exec(line)?.[1];
    if (name !== undefined) sonames.add(name);
  }
  if (sonames.size === 0) return undefined;
  const adding = new Map<string, string[]>();
  const ignored: string[] = [];
  const unknown: string[] = [];
  for (const soname of sonames) {
    const attribute = libraryAttribute(soname, linkerAttribute);
    if (ofTheMachine.test(soname.replace(/\.so(\..*)?$/, ""))) ignored.push(soname);
    else if (attribute !== undefined && (table.has(attribute) || aliases.has(attribute)))
      adding.set(attribute, [...(adding.get(attribute) ?? []), soname]);
    else unknown.push(soname);
  }
  const lines: string[] = [];
  if (adding.size > 0) {
    for (const [attribute, names] of adding) lines.push(`${names.join(", ")}: nixpkgs.${attribute}`);
    const attributes = [...adding.keys()];
    lines.push(
      `Add to the package (\`mkDerivation.…\` and \`deps\` alone for your own):`,
      `pip.overrides.${pname} = { config, ... }: {`,
      `  deps = { nixpkgs, ... }: { inherit (nixpkgs) ${attributes.join(" ")}; };`,
      `  mkDerivation.buildInputs = with config.deps; [ ${attributes.join(" ")} ];`,
      `};`,
    );
  }
  const ignore = (names: readonly string[]): string =>
    `\`pip.overrides.${pname}.env.autoPatchelfIgnoreMissingDeps = [ ${names.map((name) => `"${name}"`).join(" ")} ];\``;
  if (ignored.length > 0) lines.push(`${ignored.join(", ")}: the machine's driver has it. Write ${ignore(ignored)}`);
  if (unknown.length > 0)
    lines.push(
      `${unknown.join(", ")}: no package of d2n's set is known to have ${unknown.length === 1 ? "it" : "them"}. If the modules that you use do without: ${ignore(unknown)}`,
    );
  return lines.join("\n");
}
