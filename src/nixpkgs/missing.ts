/**
 * What a failed build says that it lacks – a header, a library, a program, a module – and which attribute of the package set has
 * it: compilers, linkers, pkg-config, meson, cmake and scripts have each their own words for the same thing.
 */

import { adviceOnLibraries } from "./missing-libraries.ts";

export type MissingKind = "header" | "library" | "module" | "program" | "python" | "crates";

export interface Missing {
  readonly kind: MissingKind;
  /** As the log has it: `ffi.h`, `xml2` (what `-l` takes), `libxml-2.0`, `pg_config`, `Cython`. */
  readonly name: string;
  /** The attribute that has it, where that is known. */
  readonly attribute: string | undefined;
}

/**
 * Headers (`ffi.h`, or a folder of them, `libxml/`), libraries (`-lffi`), pkg-config's modules, cmake's names and programs, by
 * attribute. Where the attribute's own name is meant, nothing need be said.
 */
const provided: Readonly<Record<string, string>> = {
  "alsa-lib": "alsa/ alsa -lasound",
  boost: "boost/ Boost -lboost_system",
  brotli: "brotli/ libbrotlienc libbrotlidec -lbrotlienc -lbrotlidec",
  bzip2: "bzlib.h -lbz2",
  cairo: "cairo.h cairo/ -lcairo py3cairo",
  "c-ares": "ares.h libcares -lcares",
  cargo: "cargo",
  cmake: "cmake",
  cups: "cups/ -lcups cups-config",
  curl: "curl/ libcurl -lcurl curl-config",
  cyrus_sasl: "sasl/ libsasl2 -lsasl2",
  dbus: "dbus/ dbus-1 -ldbus-1",
  eigen: "Eigen/ eigen3 Eigen3",
  expat: "expat.h -lexpat",
  ffmpeg:
    "libavcodec/ libavformat/ libavutil/ libavcodec libavformat libavutil libavdevice libavfilter libswscale libswresample",
  fftw: "fftw3.h fftw3 fftw3f -lfftw3 -lfftw3f",
  fontconfig: "fontconfig/ -lfontconfig",
  freetds: "sybdb.h sqlfront.h -lsybdb -lct",
  freetype: "ft2build.h freetype/ freetype2 Freetype -lfreetype freetype-config",
  fuse3: "fuse3/ -lfuse3",
  gdal: "gdal.h gdal_priv.h -lgdal gdal-config",
  gdbm: "gdbm.h ndbm.h -lgdbm",
  gettext: "msgfmt xgettext",
  geos: "geos_c.h geos/ -lgeos_c geos-config",
  git: "git",
  glib: "glib.h glib-2.0 gobject-2.0 gio-2.0 gmodule-2.0 -lglib-2.0 -lgobject-2.0",
  gmp: "gmp.h gmpxx.h -lgmp",
  "gobject-introspection": "girepository.h gobject-introspection-1.0 g-ir-scanner",
  graphviz: "graphviz/ libcgraph libgvc -lcgraph -lgvc dot",
  gsl: "gsl/ -lgsl gsl-config",
  hdf5: "hdf5.h hdf5 HDF5 -lhdf5 h5cc",
  hunspell: "hunspell/ -lhunspell-1.7",
  icu: "unicode/ icu-i18n icu-uc -licui18n -licuuc icu-config",
  imagemagick: "MagickWand/ MagickWand -lMagickWand-7.Q16",
  lcms2: "lcms2.h -llcms2",
  leptonica: "leptonica/ allheaders.h lept -llept",
  libGL: "GL/ EGL/ gl egl -lGL -lEGL",
  libGLU: "GL/glu.h glu -lGLU",
  libX11: "X11/ x11 -lX11",
  libXext: "X11/extensions/ xext -lXext",
  libXtst: "X11/extensions/XTest.h xtst -lXtst",
  libXScrnSaver: "X11/extensions/scrnsaver.h xscrnsaver -lXss",
  libarchive: "archive.h archive_entry.h -larchive",
  libev: "ev.h -lev",
  libevent: "event.h event2/ -levent",
  libffi: "ffi.h ffitarget.h -lffi",
  libgit2: "git2.h git2/ -lgit2",
  libheif: "libheif/ -lheif",
  libimagequant: "libimagequant.h imagequant -limagequant",
  libjpeg: "jpeglib.h turbojpeg.h libturbojpeg JPEG jpeg -ljpeg -lturbojpeg",
  libkrb5: "krb5.h gssapi.h gssapi/ krb5/ krb5 krb5-gssapi mit-krb5 -lkrb5 -lgssapi_krb5 krb5-config",
  liblapack: "lapack LAPACK -llapack",
  libmemcached: "libmemcached/ -lmemcached",
  libmysqlclient: "mysql.h mysql/ mysqlclient libmariadb mariadb -lmysqlclient -lmariadb mysql_config mariadb_config",
  libogg: "ogg/ ogg -logg",
  libopus: "opus/ opus.h opus -lopus",
  libpcap: "pcap.h pcap/ -lpcap pcap-config",
  libpng: "png.h libpng16 PNG -lpng -lpng16 libpng-config",
  libpq: "libpq-fe.h postgres_ext.h PostgreSQL -lpq pg_config",
  libpulseaudio: "pulse/ -lpulse",
  librdkafka: "librdkafka/ rdkafka rdkafka++ -lrdkafka",
  libseccomp: "seccomp.h -lseccomp",
  libsecret: "libsecret/ libsecret-1",
  libsndfile: "sndfile.h sndfile -lsndfile",
  libsodium: "sodium.h sodium/ -lsodium",
  libspatialindex: "spatialindex/ -lspatialindex -lspatialindex_c",
  libssh: "libssh/ -lssh",
  libssh2: "libssh2.h -lssh2",
  libtiff: "tiffio.h tiff.h libtiff-4 TIFF -ltiff",
  libusb1: "libusb.h libusb-1.0/ libusb-1.0 -lusb-1.0",
  libuuid: "uuid/ uuid -luuid",
  libuv: "uv.h -luv",
  libwebp: "webp/ libwebpmux libwebpdemux -lwebp",
  libxml2: "libxml/ libxml-2.0 LibXml2 -lxml2 xml2-config",
  libxslt: "libxslt/ libexslt/ libexslt LibXslt -lxslt -lexslt xslt-config",
  libyaml: "yaml.h yaml-0.1 -lyaml",
  lmdb: "lmdb.h -llmdb",
  lz4: "lz4.h lz4frame.h liblz4 -llz4",
  lzo: "lzo/ lzo2 -llzo2",
  mpfr: "mpfr.h -lmpfr",
  libmpc: "mpc.h -lmpc",
  nasm: "nasm",
  ncurses: "curses.h ncurses.h ncursesw -lncurses -lncursesw",
  ninja: "ninja",
  nodejs: "node npm",
  numactl: "numa.h -lnuma",
  openblas: "cblas.h openblas OpenBLAS BLAS -lopenblas -lblas",
  openjpeg: "openjpeg.h libopenjp2 -lopenjp2",
  openldap: "ldap.h lber.h ldap -lldap -llber",
  openmpi: "mpi.h ompi mpicc mpirun MPI -lmpi",
  openssl: "openssl/ libssl libcrypto OpenSSL -lssl -lcrypto",
  pango: "pango/ pangocairo pangoft2 -lpango-1.0",
  pcre2: "pcre2.h libpcre2-8 -lpcre2-8",
  perl: "perl",
  "pkg-config": "pkg-config pkgconf PkgConfig",
  poppler: "poppler/ poppler-cpp poppler-glib -lpoppler -lpoppler-cpp",
  portaudio: "portaudio.h portaudio-2.0 -lportaudio",
  portmidi: "portmidi.h -lportmidi",
  proj: "proj.h proj_api.h PROJ -lproj",
  protobuf: "google/protobuf/ Protobuf -lprotobuf protoc",
  re2: "re2/ -lre2",
  readline: "readline/ -lreadline",
  rustc: "rustc",
  SDL2: "SDL.h SDL2/ sdl2 sdl -lSDL2 sdl2-config",
  SDL2_image: "SDL_image.h -lSDL2_image",
  SDL2_mixer: "SDL_mixer.h -lSDL2_mixer",
  SDL2_ttf: "SDL_ttf.h -lSDL2_ttf",
  secp256k1: "secp256k1.h libsecp256k1 -lsecp256k1",
  snappy: "snappy.h snappy-c.h -lsnappy",
  sqlite: "sqlite3.h sqlite3 SQLite3 -lsqlite3",
  suitesparse: "cholmod.h umfpack.h klu.h suitesparse/ -lcholmod -lumfpack",
  swig: "swig swig4.0 SWIG",
  systemd: "systemd/ libsystemd libudev.h libudev -lsystemd -ludev",
  tbb: "tbb/ TBB -ltbb",
  tcl: "tcl.h -ltcl8.6",
  tesseract: "tesseract/ -ltesseract",
  tk: "tk.h -ltk8.6",
  unixODBC: "sql.h sqlext.h odbc -lodbc odbc_config",
  xmlsec: "xmlsec/ xmlsec1 xmlsec1-openssl xmlsec1-config",
  xxHash: "xxhash.h libxxhash -lxxhash",
  xz: "lzma.h liblzma -llzma",
  zbar: "zbar.h -lzbar",
  zeromq: "zmq.h libzmq ZeroMQ -lzmq",
  zlib: "zlib.h ZLIB -lz",
  zstd: "zstd.h libzstd -lzstd",
};

const attributeByWord = new Map<string, string>();
for (const [attribute, words] of Object.entries(provided)) {
  for (const word of words.split(" ")) attributeByWord.set(word.toLowerCase(), attribute);
  if (!attributeByWord.has(attribute.toLowerCase())) attributeByWord.set(attribute.toLowerCase(), attribute);
}

/** How tools say it; the first group is the name. */
const patterns: readonly (readonly [MissingKind, RegExp])[] = [
  ["header", /fatal error: '?([^\s':]+\.(?:h|hh|hpp|hxx))'?(?:: No such file or directory| file not found)/],
  ["header", /fatal error: '?([A-Z]\w*\/\w+)'?: No such file or directory/],
  ["library", /\bld(?:\.\w+)?: cannot find -l([\w+.-]+)/],
  ["module", /Package '?([\w+.-]+)'? was not found in the pkg-config search path/],
  ["module", /Package '([\w+.-]+)', required by '[^']+', not found/],
  ["module", /No package '([\w+.-]+)' found/],
  ["module", /\bDependency "([\w+.-]+)" not found/],
  ["module", /\bDependency lookup for ([\w+.-]+) with method '?pkgconfig'? failed/],
  ["module", /CMake Error.* Could NOT find ([A-Za-z][\w+-]*)/],
  ["module", /Could not find a package configuration file provided by "([\w+.-]+)"/],
  ["crates", /(can't find Rust compiler|cargo, the Rust package manager, is not installed)/],
  [
    "crates",
    /(?:error: )?(failed to (?:get|download|load source for dependency) [`\w].*|Unable to update registry .*)/,
  ],
  ["program", /(?:^|\s)(?:\S*\/)?(?:ba)?sh: (?:line )?\d*:? ?([\w+.-]+): (?:command )?not found/],
  ["program", /(?:^|: )([\w+.-]+): command not found/],
  ["program", /\b([a-z]\w+[_-]config) (?:executable )?not found/],
  ["program", /Program '([\w+.-]+)' not found or not executable/],
  ["program", /\[Errno 2\] No such file or directory: '([\w+.-]+)'/],
  ["program", /error: (?:command|can't find program) '([\w+.-]+)' (?:failed: No such file or directory|not found)/],
  ["python", /ModuleNotFoundError: No module named '(\w+)(?:\.[\w.]*)?'/],
];

/** The attribute that has it, as far as is known. */
function attributeOf(kind: MissingKind, name: string): string | undefined {
  const known = (word: string): string | undefined => attributeByWord.get(word.toLowerCase());
  switch (kind) {
    case "header":
      for (let folder = name; ;) {
        const found = known(folder);
        if (found !== undefined) return found;
        const at = folder.replace(/\/$/, "").lastIndexOf("/");
        if (at < 0) return undefined;
        folder = folder.slice(0, at + 1);
      }
    case "library":
      return known(`-l${name}`);
    case "module":
    case "program":
      return known(name);
    case "python":
    case "crates":
      return undefined;
  }
}

/** What the lines of a log say is missing, in their order, each thing once. */
export function findMissing(log: Iterable<string>): readonly Missing[] {
  const found = new Map<string, Missing>();
  // cmake says what it cannot find in a line of its own, and as often of things that it can do without.
  let cmakeError = 0;
  for (const one of log) {
    cmakeError = one.includes("CMake Error") ? 4 : cmakeError - 1;
    const line = cmakeError > 0 && one.trim() !== "" ? `CMake Error ${one}` : one;
    for (const [kind, pattern] of patterns) {
      const name = pattern.exec(line)?.[1];
      if (name === undefined) continue;
      const attribute = attributeOf(kind, name);
      // Of crates one line is enough: cargo names every one of them.
      const id = kind === "crates" ? kind : (attribute ?? `${kind} ${name}`);
      if (!found.has(id)) found.set(id, { kind, name, attribute });
      break;
    }
  }
  return [...found.values()];
}

/** Programs belong to the machine that builds, and are looked for on PATH. */
function inputList({ kind, attribute }: Missing): string {
  return kind === "program" || attribute === "pkg-config" ? "nativeBuildInputs" : "buildInputs";
}

const shownAtMost = 3;

/**
 * What to write into the project so that it is no longer missing; undefined where nothing is known to help.
 * @param pname canonical name of the package that does not build
 */
export function adviceOnMissing(log: Iterable<string>, pname: string): string | undefined {
  const libraries = adviceOnLibraries(log, pname, (word) => attributeOf("library", word));
  if (libraries !== undefined) return libraries;
  const all = findMissing(log);
  if (all.some(({ kind }) => kind === "crates"))
    return (
      `${pname} is built with cargo, and builds have no network to fetch crates from. Use its wheel: take it out of \`--no-binary\` in pip.pipFlags and lock again. ` +
      `Where there is none: \`pip.overrides.${pname}.mkDerivation = { src = …; nativeBuildInputs = [ config.deps.cargo config.deps.rustc ]; }\` with a source that has its crates in it (\`cargo vendor\`).`
    );
  const known = all.filter(({ attribute }) => attribute !== undefined).slice(0, shownAtMost);
  if (known.length > 0) {
    const names = (list: readonly Missing[]): string => list.map(({ attribute }) => `nixpkgs.${attribute}`).join(" ");
    const lists = ["nativeBuildInputs", "buildInputs"]
      .map((list) => [list, known.filter((one) => inputList(one) === list)] as const)
      .filter(([, items]) => items.length > 0);
    const what = known.map(({ name, attribute }) => (name === attribute ? name : `${name} (of ${attribute})`));
    const where = lists.map(([list, items]) => `\`pip.overrides.${pname}.mkDerivation.${list} = [ ${names(items)} ]\``);
    return `${what.join(", ")} ${known.length === 1 ? "is" : "are"} missing. Add ${where.join(" and ")} (\`mkDerivation.…\` for your own package; nixpkgs is packageSets.nixpkgs, or take it through deps).`;
  }
  const python = all.find(({ kind }) => kind === "python");
  if (python !== undefined)
    return `the Python module ${python.name} is missing where ${pname} is built. If it belongs to the build system: \`pip.overrides.${pname}.buildPythonPackage.build-system = [ config.deps.python.pkgs.… ]\`.`;
  const other = all.find(({ kind }) => kind === "header" || kind === "library" || kind === "module");
  if (other !== undefined)
    return `the ${{ header: "header", library: "library", module: "library" }[other.kind as "header"]} ${other.name} is missing: \`pip.overrides.${pname}.mkDerivation.buildInputs\` takes the package of nixpkgs that has it.`;
  return undefined;
}
