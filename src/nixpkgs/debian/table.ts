/**
 * Which Debian packages make up an attribute of the package set. Run-time files, headers and programs of one source are one
 * store path; libraries that it needs follow from Debian's own dependencies.
 */

export interface TableEntry {
  /** Debian packages, the one whose version counts first. */
  readonly debs: readonly string[];
  /** The package's name where it is not the attribute. */
  readonly pname?: string;
  /** Dependencies to leave out: Debian's, or those of an unused part. */
  readonly cut?: readonly string[];
  /** Further attributes to look in for libraries and interpreters. */
  readonly deps?: readonly string[];
  readonly drop?: readonly string[];
  /** Shell code before and after relocation. */
  readonly preFix?: string;
  readonly postFix?: string;
  /** A script of `builder/` to run after relocation, in place of `postFix`. */
  readonly script?: string;
  /** bash needs it, so that its scripts cannot have bash. */
  readonly early?: boolean;
}

type Options = Omit<TableEntry, "debs">;

function entry(debs: string, options: Options = {}): TableEntry {
  return { debs: debs.split(" "), ...options };
}

/** What the standard environment, the compiler and Python are made of. */
const basis: Readonly<Record<string, TableEntry>> = {
  acl: entry("libacl1 libacl1-dev"),
  attr: entry("libattr1 libattr1-dev"),
  bash: entry("bash", {
    early: true,
    drop: ["etc", "share", "bin/bashbug"],
    postFix: "ln -sf bash bin/sh; bin/sh -c true",
  }),
  bzip2: entry("bzip2 libbz2-1.0 libbz2-dev"),
  cacert: entry("ca-certificates", { cut: ["openssl"], script: "post-cacert.sh" }),
  coreutils: entry("coreutils", { drop: ["libexec"] }),
  db: entry("libdb5.3t64"),
  diffutils: entry("diffutils"),
  expat: entry("libexpat1 libexpat1-dev"),
  file: entry("file libmagic1t64 libmagic-mgc libmagic-dev", { drop: ["etc"], script: "post-file.sh" }),
  findutils: entry("findutils"),
  gawk: entry("gawk", { drop: ["etc"], postFix: "ln -sf gawk bin/awk" }),
  gmp: entry("libgmp10 libgmp-dev libgmpxx4ldbl"),
  gnugrep: entry("grep", { pname: "gnugrep" }),
  gnumake: entry("make", { pname: "gnumake", drop: ["bin/make-first-existing-target"] }),
  gnused: entry("sed", { pname: "gnused" }),
  gnutar: entry("tar", { pname: "gnutar", drop: ["etc", "bin/tarcat"] }),
  gzip: entry("gzip"),
  isl: entry("libisl23"),
  libcap: entry("libcap2 libcap-dev"),
  libffi: entry("libffi8 libffi-dev"),
  libmpc: entry("libmpc3", { pname: "libmpc" }),
  libselinux: entry("libselinux1"),
  libsepol: entry("libsepol2"),
  libsigsegv: entry("libsigsegv2"),
  libsystemd: entry("libsystemd0"),
  libuuid: entry("libuuid1 uuid-dev", { pname: "util-linux-libuuid" }),
  mpfr: entry("libmpfr6"),
  ncurses: entry("libtinfo6 libncursesw6 libncurses6 ncurses-base ncurses-bin libncurses-dev", { early: true }),
  openssl: entry("libssl3t64 openssl-provider-legacy openssl libssl-dev", {
    drop: ["lib/libcrypto.a", "lib/libssl.a", "lib/ssl/misc"],
    script: "post-openssl.sh",
  }),
  patch: entry("patch"),
  pcre2: entry("libpcre2-8-0"),
  readline: entry("libreadline8t64 libreadline-dev", { cut: ["readline-common"] }),
  sqlite: entry("libsqlite3-0 libsqlite3-dev sqlite3"),
  tzdata: entry("tzdata"),
  unzip: entry("unzip"),
  xz: entry("xz-utils liblzma5 liblzma-dev", {
    postFix:
      "for n in xz:unxz xz:xzcat xz:lzma xz:unlzma xz:lzcat; do [ -e bin/${n#*:} ] || ln -s ${n%:*} bin/${n#*:}; done",
  }),
  zlib: entry("zlib1g zlib1g-dev"),
  zstd: entry("zstd libzstd1 libzstd-dev"),
};

/** Libraries, by their names in nixpkgs. */
const libraries: Readonly<Record<string, TableEntry>> = {
  "alsa-lib": entry("libasound2t64 libasound2-data libasound2-dev"),
  aom: entry("libaom3 libaom-dev", { pname: "libaom" }),
  apr: entry("libapr1t64 libapr1-dev"),
  "at-spi2-core": entry("libatk1.0-0t64 libatspi2.0-0t64 libatk-bridge2.0-0t64 libatk1.0-dev"),
  blas: entry("libblas3 libblas-dev"),
  boost: entry("libboost1.83-dev"),
  brotli: entry("libbrotli1 libbrotli-dev brotli"),
  "c-ares": entry("libcares2 libc-ares-dev"),
  cairo: entry("libcairo2 libcairo2-dev libcairo-gobject2 libcairo-script-interpreter2"),
  cups: entry("libcups2t64 libcups2-dev"),
  cyrus_sasl: entry("libsasl2-2 libsasl2-modules-db libsasl2-dev", { pname: "cyrus-sasl" }),
  dav1d: entry("libdav1d7 libdav1d-dev"),
  dbus: entry("libdbus-1-3 libdbus-1-dev"),
  e2fsprogs: entry("libcom-err2 libext2fs2t64 comerr-dev"),
  eigen: entry("libeigen3-dev"),
  elfutils: entry("libelf1t64 libdw1t64 libelf-dev libdw-dev"),
  fftw: entry("libfftw3-double3 libfftw3-single3 libfftw3-long3 libfftw3-dev libfftw3-bin"),
  flac: entry("libflac14 libflac-dev"),
  fmt: entry("libfmt10 libfmt-dev"),
  fontconfig: entry("libfontconfig1 fontconfig-config fontconfig libfontconfig-dev", {
    cut: ["fonts-dejavu-core", "fonts-dejavu-mono"],
  }),
  freetds: entry("libsybdb5 libct4 freetds-dev freetds-common"),
  freetype: entry("libfreetype6 libfreetype-dev"),
  fribidi: entry("libfribidi0 libfribidi-dev"),
  gdal: entry("libgdal36 libgdal-dev"),
  gdbm: entry("libgdbm6t64 libgdbm-compat4t64 libgdbm-dev"),
  "gdk-pixbuf": entry("libgdk-pixbuf-2.0-0 libgdk-pixbuf2.0-common libgdk-pixbuf-2.0-dev"),
  geos: entry("libgeos-c1t64 libgeos3.13.1 libgeos-dev"),
  giflib: entry("libgif7 libgif-dev"),
  glib: entry(
    "libglib2.0-0t64 libgio-2.0-dev libgio-2.0-dev-bin libglib2.0-bin libglib2.0-data libglib2.0-dev libglib2.0-dev-bin",
    {
      cut: ["girepository-tools", "python3-packaging", "libgirepository-2.0-0", "libglib2.0-0"],
    },
  ),
  gnutls: entry("libgnutls30t64 libgnutls28-dev libgnutls-dane0t64"),
  "gobject-introspection": entry(
    "libgirepository-1.0-1 libgirepository1.0-dev gobject-introspection gir1.2-glib-2.0 gir1.2-glib-2.0-dev gir1.2-freedesktop gir1.2-freedesktop-dev",
  ),
  graphite2: entry("libgraphite2-3 libgraphite2-dev"),
  gsl: entry("libgsl28 libgslcblas0 libgsl-dev"),
  harfbuzz: entry(
    "libharfbuzz0b libharfbuzz-icu0 libharfbuzz-gobject0 libharfbuzz-subset0 libharfbuzz-cairo0 libharfbuzz-dev",
  ),
  hdf5: entry(
    "libhdf5-310 libhdf5-hl-310 libhdf5-cpp-310 libhdf5-hl-cpp-310 libhdf5-fortran-310 libhdf5-hl-fortran-310 libhdf5-dev hdf5-helpers",
    {
      preFix:
        "for f in lib/hdf5/serial/*; do case $f in */lib*) ln -sf hdf5/serial/${f##*/} lib/${f##*/};; esac; done; ln -sf hdf5/serial include/hdf5-serial; for f in include/hdf5/serial/*; do ln -sf ${f#include/} include/${f##*/}; done",
    },
  ),
  icu: entry("libicu76 libicu-dev icu-devtools"),
  imath: entry("libimath-3-1-29t64 libimath-dev"),
  jansson: entry("libjansson4 libjansson-dev"),
  jbigkit: entry("libjbig0 libjbig-dev"),
  json_c: entry("libjson-c5 libjson-c-dev", { pname: "json-c" }),
  keyutils: entry("libkeyutils1 libkeyutils-dev"),
  lcms2: entry("liblcms2-2 liblcms2-dev"),
  leptonica: entry("libleptonica6 libleptonica-dev"),
  lerc: entry("liblerc4 liblerc-dev"),
  libGL: entry(
    "libgl1 libglx0 libglvnd0 libegl1 libopengl0 libgles2 libgl-dev libglx-dev libegl-dev libgles-dev libopengl-dev libglvnd-core-dev libglvnd-dev",
    {
      pname: "libglvnd",
      cut: ["libglx-mesa0", "libegl-mesa0"],
    },
  ),
  libarchive: entry("libarchive13t64 libarchive-dev"),
  libavif: entry("libavif16 libavif-dev"),
  libb2: entry("libb2-1 libb2-dev"),
  libbsd: entry("libbsd0 libbsd-dev"),
  libdeflate: entry("libdeflate0 libdeflate-dev"),
  libde265: entry("libde265-0 libde265-dev"),
  libdrm: entry("libdrm2 libdrm-common libdrm-intel1 libdrm-amdgpu1 libdrm-nouveau2 libdrm-radeon1 libdrm-dev"),
  libedit: entry("libedit2 libedit-dev"),
  libev: entry("libev4t64 libev-dev"),
  libevent: entry(
    "libevent-2.1-7t64 libevent-core-2.1-7t64 libevent-extra-2.1-7t64 libevent-openssl-2.1-7t64 libevent-pthreads-2.1-7t64 libevent-dev",
  ),
  libfido2: entry("libfido2-1"),
  libgcrypt: entry("libgcrypt20 libgcrypt20-dev", { drop: ["share"] }),
  libgit2: entry("libgit2-1.9 libgit2-dev"),
  "libgpg-error": entry("libgpg-error0 libgpg-error-dev"),
  libheif: entry("libheif1 libheif-dev", { cut: ["libheif-plugin-dav1d", "libheif-plugin-aomenc"] }),
  libidn2: entry("libidn2-0 libidn2-dev"),
  libimagequant: entry("libimagequant0 libimagequant-dev"),
  libjpeg: entry("libjpeg62-turbo libjpeg62-turbo-dev libjpeg-dev libturbojpeg0 libturbojpeg0-dev", {
    pname: "libjpeg-turbo",
  }),
  libjxl: entry("libjxl0.11 libjxl-dev"),
  libkrb5: entry(
    "libkrb5-3 libgssapi-krb5-2 libk5crypto3 libkrb5support0 libgssrpc4t64 libkadm5clnt-mit12 libkadm5srv-mit12 libkdb5-10t64 krb5-multidev libkrb5-dev",
    { pname: "libkrb5" },
  ),
  liblapack: entry("liblapack3 liblapack-dev", { pname: "lapack" }),
  libmaxminddb: entry("libmaxminddb0 libmaxminddb-dev"),
  libmd: entry("libmd0 libmd-dev"),
  libmemcached: entry("libmemcached11t64 libmemcached-dev libhashkit2t64 libhashkit-dev libmemcachedutil2t64"),
  libmicrohttpd: entry("libmicrohttpd12t64 libmicrohttpd-dev"),
  libmysqlclient: entry("libmariadb3 libmariadb-dev mariadb-common mysql-common", { pname: "mariadb-connector-c" }),
  libogg: entry("libogg0 libogg-dev"),
  libopus: entry("libopus0 libopus-dev"),
  libpcap: entry("libpcap0.8t64 libpcap0.8-dev libpcap-dev", { cut: ["libdbus-1-dev"] }),
  libpng: entry("libpng16-16t64 libpng-dev"),
  libpq: entry("libpq5 libpq-dev", { script: "post-libpq.sh" }),
  libpsl: entry("libpsl5t64 libpsl-dev"),
  libraqm: entry("libraqm0 libraqm-dev"),
  libraw: entry("libraw23t64 libraw-dev"),
  librdkafka: entry("librdkafka1 librdkafka++1 librdkafka-dev"),
  librsvg: entry("librsvg2-2 librsvg2-dev librsvg2-common", { cut: ["gir1.2-rsvg-2.0"] }),
  libsamplerate: entry("libsamplerate0 libsamplerate0-dev"),
  libseccomp: entry("libseccomp2 libseccomp-dev"),
  libsndfile: entry("libsndfile1 libsndfile1-dev"),
  libsodium: entry("libsodium23 libsodium-dev"),
  libspatialindex: entry("libspatialindex8 libspatialindex-c8 libspatialindex-dev"),
  libssh: entry("libssh-4 libssh-dev"),
  libssh2: entry("libssh2-1t64 libssh2-1-dev"),
  libtasn1: entry("libtasn1-6 libtasn1-6-dev"),
  libtheora: entry("libtheora0 libtheora-dev"),
  libtiff: entry("libtiff6 libtiffxx6 libtiff-dev"),
  libtool: entry("libtool libtool-bin libltdl7 libltdl-dev", { script: "post-perl-tools.sh" }),
  libunistring: entry("libunistring5 libunistring-dev"),
  libusb1: entry("libusb-1.0-0 libusb-1.0-0-dev", { pname: "libusb" }),
  libuv: entry("libuv1t64 libuv1-dev"),
  libva: entry("libva2 libva-drm2 libva-x11-2 libva-glx2 libva-wayland2 libva-dev", { cut: ["va-driver-all"] }),
  libvorbis: entry("libvorbis0a libvorbisenc2 libvorbisfile3 libvorbis-dev"),
  libvpx: entry("libvpx9 libvpx-dev"),
  libwebp: entry("libwebp7 libwebpmux3 libwebpdemux2 libwebpdecoder3 libsharpyuv0 libwebp-dev libsharpyuv-dev"),
  libxcb: entry("libxcb1 libxcb1-dev"),
  libxkbcommon: entry("libxkbcommon0 libxkbcommon-dev"),
  libxml2: entry("libxml2 libxml2-dev libxml2-utils", { cut: ["icu-devtools"] }),
  libxslt: entry("libxslt1.1 libxslt1-dev xsltproc"),
  libyaml: entry("libyaml-0-2 libyaml-dev"),
  libzip: entry("libzip5 libzip-dev"),
  lmdb: entry("liblmdb0 liblmdb-dev"),
  lz4: entry("lz4 liblz4-1 liblz4-dev"),
  lzo: entry("liblzo2-2 liblzo2-dev"),
  mpdecimal: entry("libmpdec4 libmpdec-dev"),
  nettle: entry("libnettle8t64 libhogweed6t64 nettle-dev"),
  nghttp2: entry("libnghttp2-14 libnghttp2-dev"),
  nlohmann_json: entry("nlohmann-json3-dev"),
  nspr: entry("libnspr4 libnspr4-dev"),
  nss: entry("libnss3 libnss3-dev"),
  oniguruma: entry("libonig5 libonig-dev"),
  openal: entry("libopenal1 libopenal-data libopenal-dev"),
  openblas: entry("libopenblas0-pthread libopenblas-pthread-dev", {
    cut: ["libblas3", "liblapack3"],
    preFix:
      "for f in lib/openblas-pthread/lib*; do ln -sf openblas-pthread/${f##*/} lib/${f##*/}; done; mkdir -p lib/pkgconfig; for f in lib/openblas-pthread/pkgconfig/*.pc; do ln -sf ../openblas-pthread/pkgconfig/${f##*/} lib/pkgconfig/${f##*/}; done",
  }),
  opencv: entry("libopencv-dev"),
  openexr: entry("libopenexr-3-1-30 libopenexr-dev"),
  openjpeg: entry("libopenjp2-7 libopenjp2-7-dev", { pname: "openjpeg" }),
  openldap: entry("libldap2 libldap-dev", { cut: ["libldap-common"] }),
  "p11-kit": entry("libp11-kit0 libp11-kit-dev"),
  pango: entry("libpango-1.0-0 libpangocairo-1.0-0 libpangoft2-1.0-0 libpangoxft-1.0-0 libpango1.0-dev", {
    cut: ["gir1.2-pango-1.0", "pango1.0-tools"],
  }),
  pcre: entry("libpcre2-dev libpcre2-posix3 libpcre2-16-0 libpcre2-32-0", { pname: "pcre2-dev" }),
  pixman: entry("libpixman-1-0 libpixman-1-dev"),
  poppler: entry(
    "libpoppler147 libpoppler-dev libpoppler-glib8t64 libpoppler-glib-dev libpoppler-cpp2 libpoppler-cpp-dev",
  ),
  portaudio: entry("libportaudio2 libportaudiocpp0 portaudio19-dev"),
  proj: entry("libproj25 libproj-dev proj-data proj-bin"),
  protobuf: entry("libprotobuf32t64 libprotobuf-lite32t64 libprotoc32t64 libprotobuf-dev protobuf-compiler"),
  pybind11: entry("pybind11-dev"),
  qhull: entry("libqhull-r8.0 libqhull8.0 libqhullcpp8.0 libqhull-dev"),
  rapidjson: entry("rapidjson-dev"),
  re2: entry("libre2-11 libre2-dev"),
  rtmpdump: entry("librtmp1 librtmp-dev"),
  SDL2: entry("libsdl2-2.0-0 libsdl2-dev"),
  snappy: entry("libsnappy1v5 libsnappy-dev"),
  spdlog: entry("libspdlog1.15 libspdlog-dev"),
  speex: entry("libspeex1 libspeex-dev"),
  suitesparse: entry("libsuitesparse-dev"),
  systemd: entry("libudev1 libudev-dev libsystemd-dev", {
    pname: "systemd-libs",
    cut: ["libsystemd0"],
    deps: ["libsystemd"],
  }),
  tcl: entry("tcl8.6 libtcl8.6 tcl8.6-dev", { script: "post-tcl.sh" }),
  tk: entry("tk8.6 libtk8.6 tk8.6-dev"),
  tbb: entry("libtbb12 libtbbmalloc2 libtbbbind-2-5 libtbb-dev"),
  tesseract: entry("tesseract-ocr libtesseract5 libtesseract-dev"),
  thrift: entry("libthrift-0.19.0t64 libthrift-dev"),
  unbound: entry("libunbound8 libunbound-dev"),
  unixODBC: entry("libodbc2 libodbccr2 libodbcinst2 unixodbc unixodbc-dev unixodbc-common", { pname: "unixODBC" }),
  wayland: entry(
    "libwayland-client0 libwayland-cursor0 libwayland-egl1 libwayland-server0 libwayland-bin libwayland-dev",
  ),
  x264: entry("libx264-164 libx264-dev"),
  x265: entry("libx265-215 libx265-dev"),
  "xerces-c": entry("libxerces-c3.2t64 libxerces-c-dev", { pname: "xerces-c" }),
  xmlsec: entry(
    "libxmlsec1t64 libxmlsec1t64-openssl libxmlsec1t64-nss libxmlsec1t64-gnutls libxmlsec1t64-gcrypt libxmlsec1-dev",
    { pname: "xmlsec" },
  ),
  xxHash: entry("libxxhash0 libxxhash-dev", { pname: "xxHash" }),
  zeromq: entry("libzmq5 libzmq3-dev", { pname: "zeromq" }),
  zziplib: entry("libzzip-0-13t64 libzzip-dev"),
  libX11: entry("libx11-6 libx11-data libx11-xcb1 libx11-dev", { pname: "libX11", cut: ["xtrans-dev"] }),
  libXau: entry("libxau6 libxau-dev", { pname: "libXau" }),
  libXdmcp: entry("libxdmcp6 libxdmcp-dev", { pname: "libXdmcp" }),
  libXext: entry("libxext6 libxext-dev", { pname: "libXext" }),
  libXrender: entry("libxrender1 libxrender-dev", { pname: "libXrender" }),
  libXft: entry("libxft2 libxft-dev", { pname: "libXft" }),
  libXi: entry("libxi6 libxi-dev", { pname: "libXi" }),
  libXrandr: entry("libxrandr2 libxrandr-dev", { pname: "libXrandr" }),
  libXcursor: entry("libxcursor1 libxcursor-dev", { pname: "libXcursor" }),
  libXfixes: entry("libxfixes3 libxfixes-dev", { pname: "libXfixes" }),
  libXinerama: entry("libxinerama1 libxinerama-dev", { pname: "libXinerama" }),
  libSM: entry("libsm6 libsm-dev", { pname: "libSM" }),
  libICE: entry("libice6 libice-dev", { pname: "libICE" }),
  libXt: entry("libxt6t64 libxt-dev", { pname: "libXt" }),
  libXpm: entry("libxpm4 libxpm-dev", { pname: "libXpm" }),
  libXcomposite: entry("libxcomposite1 libxcomposite-dev", { pname: "libXcomposite" }),
  libXdamage: entry("libxdamage1 libxdamage-dev", { pname: "libXdamage" }),
  libXtst: entry("libxtst6 libxtst-dev", { pname: "libXtst" }),
  libXScrnSaver: entry("libxss1 libxss-dev", { pname: "libXScrnSaver" }),
  xorgproto: entry("x11proto-dev"),
};

/** Programs, by their names in nixpkgs. */
const programs: Readonly<Record<string, TableEntry>> = {
  autoconf: entry("autoconf", { deps: ["m4"], script: "post-perl-tools.sh" }),
  automake: entry("automake", { deps: ["autoconf", "perl"], script: "post-perl-tools.sh" }),
  bc: entry("bc"),
  binaryen: entry("binaryen"),
  bison: entry("bison"),
  bubblewrap: entry("bubblewrap"),
  busybox: entry("busybox-static"),
  ccache: entry("ccache"),
  chrpath: entry("chrpath"),
  cmake: entry("cmake cmake-data", { cut: ["procps"], drop: ["share/vim", "share/emacs", "share/icons"] }),
  cpio: entry("cpio"),
  curl: entry("curl libcurl4t64 libcurl4-openssl-dev"),
  curlWithGnuTls: entry("libcurl3t64-gnutls", { pname: "curl-gnutls" }),
  dash: entry("dash", { cut: ["debianutils"] }),
  ed: entry("ed"),
  ffmpeg: entry("ffmpeg"),
  flex: entry("flex libfl2 libfl-dev"),
  gettext: entry("gettext gettext-base", { drop: ["share/emacs"] }),
  git: entry("git", { cut: ["git-man", "perl", "liberror-perl"], script: "post-git.sh" }),
  gnupg: entry("gpg gpgv gpgconf", { pname: "gnupg" }),
  "gnutls-bin": entry("gnutls-bin"),
  gperf: entry("gperf"),
  graphviz: entry("graphviz"),
  groff: entry("groff-base"),
  hello: entry("hello"),
  imagemagick: entry("imagemagick-7.q16"),
  iproute2: entry("iproute2"),
  jq: entry("jq libjq1"),
  less: entry("less"),
  lsof: entry("lsof"),
  m4: entry("m4"),
  mercurial: entry("mercurial mercurial-common"),
  nano: entry("nano"),
  nasm: entry("nasm"),
  netcat: entry("netcat-openbsd"),
  ninja: entry("ninja-build", { pname: "ninja" }),
  nodejs: entry("nodejs libnode115 libnode-dev", {
    cut: [
      "node-acorn",
      "node-cjs-module-lexer",
      "node-undici",
      "node-balanced-match",
      "node-corepack",
      "node-xtend",
      "node-minimatch",
    ],
  }),
  openssh: entry("openssh-client", {
    pname: "openssh",
    cut: ["adduser", "passwd", "init-system-helpers"],
    drop: ["share/apport"],
  }),
  pandoc: entry("pandoc pandoc-data"),
  parallel: entry("parallel"),
  perl: entry("perl perl-base perl-modules-5.40 libperl5.40", {
    cut: ["libgdbm6t64", "libgdbm-compat4t64"],
    deps: ["gdbm", "db"],
    script: "post-perl.sh",
  }),
  "pkg-config": entry("pkgconf pkgconf-bin libpkgconf3 pkg-config", {
    drop: ["lib/dpkg", "share/pkg-config-dpkghook", "share/pkg-config-crosswrapper", "share/pkgconfig/personality.d"],
    postFix: "[ -e bin/pkg-config ] || ln -s pkgconf bin/pkg-config",
  }),
  poppler_utils: entry("poppler-utils", { pname: "poppler-utils" }),
  postgresql: entry("postgresql-17 postgresql-client-17", {
    cut: ["postgresql-common", "postgresql-client-common", "ssl-cert", "locales", "postgresql-common-dev"],
  }),
  procps: entry("procps libproc2-0"),
  redis: entry("redis-tools redis-server"),
  ripgrep: entry("ripgrep"),
  rsync: entry("rsync", { cut: ["init-system-helpers"] }),
  ghostscript: entry("ghostscript libgs10 libgs10-common libgs-common"),
  scons: entry("scons"),
  socat: entry("socat"),
  strace: entry("strace"),
  subversion: entry("subversion libsvn1"),
  swig: entry("swig"),
  texinfo: entry("texinfo"),
  tree: entry("tree"),
  "util-linux": entry("util-linux libmount1 libblkid1 libsmartcols1 libfdisk1 mount"),
  vim: entry("vim-tiny vim-common"),
  wget: entry("wget"),
  which: entry("debianutils", {
    pname: "which",
    drop: [
      "share",
      "bin/add-shell",
      "bin/remove-shell",
      "bin/update-shells",
      "bin/savelog",
      "bin/run-parts",
      "bin/ischroot",
      "bin/installkernel",
    ],
    postFix: "[ -e bin/which ] || ln -s which.debianutils bin/which",
  }),
  "xvfb-run": entry("xvfb"),
  yasm: entry("yasm"),
  zip: entry("zip"),
};

export const table: ReadonlyMap<string, TableEntry> = new Map(
  Object.entries({ ...basis, ...libraries, ...programs }).sort(([a], [b]) => (a < b ? -1 : 1)),
);

/** Other names of the same packages in nixpkgs. */
export const aliases: ReadonlyMap<string, string> = new Map(
  Object.entries({
    bashInteractive: "bash",
    bashNonInteractive: "bash",
    bzip2_1_1: "bzip2",
    "coreutils-full": "coreutils",
    curlFull: "curl",
    "cyrus-sasl": "cyrus_sasl",
    "ffmpeg-full": "ffmpeg",
    "ffmpeg-headless": "ffmpeg",
    fftwFloat: "fftw",
    gitMinimal: "git",
    gitFull: "git",
    "git-minimal": "git",
    gmp6: "gmp",
    icu76: "icu",
    krb5: "libkrb5",
    lapack: "liblapack",
    libglvnd: "libGL",
    "libjpeg-turbo": "libjpeg",
    libjpeg_turbo: "libjpeg",
    libmariadb: "libmysqlclient",
    "mariadb-connector-c": "libmysqlclient",
    libpng16: "libpng",
    "libudev-zero": "systemd",
    udev: "systemd",
    libusb: "libusb1",
    lzma: "xz",
    lzo2: "lzo",
    make: "gnumake",
    mpc: "libmpc",
    nodejs_20: "nodejs",
    openblasCompat: "openblas",
    openjpeg_2: "openjpeg",
    openssl_3: "openssl",
    openssl_3_5: "openssl",
    opensshWithKerberos: "openssh",
    pkgconf: "pkg-config",
    pkgconfig: "pkg-config",
    "pkg-config-unwrapped": "pkg-config",
    postgresql_17: "postgresql",
    proj_9: "proj",
    "sqlite-interactive": "sqlite",
    "xorg-proto": "xorgproto",
    zeromq4: "zeromq",
  }),
);

/**
 * Debian packages that are never followed: they serve package management, the running system, or documentation, or are part
 * of others here.
 */
export const cut: ReadonlySet<string> = new Set(
  (
    "adduser adwaita-icon-theme base-files base-passwd bsdextrautils bsdutils ca-certificates cdebconf console-setup dbus " +
    "dbus-session-bus debconf debianutils default-dbus-session-bus dictionaries-common dpkg emacsen-common fonts-dejavu-core " +
    "fonts-dejavu-mono fonts-liberation fonts-urw-base35 gtk-update-icon-cache hicolor-icon-theme init-system-helpers install-info " +
    "iso-codes krb5-locales libc-l10n libnsl-dev libpam-modules libpam-runtime libpam-systemd libtirpc-common locales login " +
    "login.defs logrotate lsb-base lsb-release media-types mime-support netbase nodejs-doc openssl-provider-fips passwd perl-openssl-defaults " +
    "poppler-data readline-common sensible-utils sgml-base ssl-cert systemd systemd-standalone-sysusers " +
    "systemd-sysusers sysvinit-utils tex-common tzdata-legacy ucf udev update-motd x11-common xdg-utils xfonts-utils xkb-data xml-core " +
    "libjs-jquery libjs-sphinxdoc libjs-underscore libdpkg-perl dpkg-dev pkgconf pkg-config xtrans-dev x11-xkb-utils"
  ).split(" "),
);
