/**
 * Fetchers. Each gives a fixed-output derivation: its store path follows from name and hash alone, so that evaluating never
 * fetches. Files come by `builtin:fetchurl`, which d2n and Nix do themselves; trees by a builder with network access.
 */
import {
  Attrs,
  ThrownError,
  force,
  isString,
  type Lazy,
  lazy,
  type NixString,
  textOf,
  updateAttrs,
} from "../../lang/index.ts";
import { builderFile } from "../builder-files.ts";
import { packageOf, type Scope } from "../scope.ts";
import {
  attribute,
  expectSet,
  flag,
  given,
  join,
  listAttribute,
  merge,
  set,
  setFunction,
  textAttribute,
} from "../values.ts";
import { withOverride } from "../customisation.ts";
import type { TrivialBuilders } from "./trivial.ts";

/** Variables of the caller that a fetching builder may see: proxies. */
const proxyVariables = [
  "http_proxy",
  "https_proxy",
  "ftp_proxy",
  "all_proxy",
  "no_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "NIX_SSL_CERT_FILE",
];

const hashFormals = {
  hash: true,
  sha256: true,
  sha512: true,
  sha1: true,
  md5: true,
  outputHash: true,
  outputHashAlgo: true,
};

interface FixedHash {
  readonly outputHash: Lazy;
  readonly outputHashAlgo: Lazy;
}

export function createFetchers(scope: Scope, trivial: TrivialBuilders): Readonly<Record<string, Lazy>> {
  const { ev } = scope;

  const fetchurl = (args: Attrs): Attrs => {
    const urls = urlsOf(args, "fetchurl");
    const name =
      given(args, "name") ??
      (textAttribute(args, "pname") === undefined
        ? fileNameOf(urls[0])
        : `${textAttribute(args, "pname")}-${textAttribute(args, "version") ?? ""}`);
    const postFetch = given(args, "postFetch");
    const hash = hashOf(args, "fetchurl");
    if (postFetch !== undefined && textOf(postFetch as NixString) !== "")
      return downloaded(args, {
        name: name as NixString,
        urls,
        hash,
        postFetch,
        recursive: flag(args, "recursiveHash"),
        unpack: false,
        stripRoot: false,
      });
    const executable = flag(args, "executable");
    const derivation = ev.derivation(
      set({
        name,
        system: "builtin",
        builder: "builtin:fetchurl",
        url: urls[0]!,
        urls: [...urls],
        ...fixedAttributes(hash),
        outputHashMode: executable || flag(args, "recursiveHash") ? "recursive" : "flat",
        executable,
        unpack: false,
        preferLocalBuild: true,
      }),
    );
    return describe(derivation, args, set({ url: urls[0]!, urls: [...urls] }), (changed) => fetchurl(changed));
  };

  interface Download {
    readonly name: NixString;
    readonly urls: readonly Lazy[];
    readonly hash: FixedHash;
    readonly postFetch: Lazy;
    readonly recursive: boolean;
    readonly unpack: boolean;
    readonly stripRoot: boolean;
  }

  /** What `builtin:fetchurl` cannot: unpacking, and commands on what came. */
  const downloaded = (args: Attrs, download: Download): Attrs =>
    trivial.runCommand(
      download.name,
      set({
        ...fixedAttributes(download.hash),
        outputHashMode: download.recursive ? "recursive" : "flat",
        urls: [...download.urls],
        unpack: download.unpack,
        stripRoot: download.stripRoot,
        postFetch: download.postFetch,
        caBundle: ev.str`${packageOf(scope, "cacert")}/etc/ssl/certs/ca-bundle.crt`,
        SHELL_PROGRAM: ev.str`${packageOf(scope, "bash")}/bin/bash`,
        impureEnvVars: proxyVariables,
        preferLocalBuild: true,
        nativeBuildInputs: [packageOf(scope, "unzip"), ...listAttribute(args, "nativeBuildInputs")],
        passthru: updateAttrs(
          set({ url: download.urls[0]!, urls: [...download.urls] }),
          expectSet(attribute(args, "passthru") ?? Attrs.empty, "passthru"),
        ),
        meta: attribute(args, "meta") ?? Attrs.empty,
      }),
      ev.str`${packageOf(scope, "python3")}/bin/python3 -B ${builderFile(ev, "fetch/download.py")}`,
    );

  const fetchzip = (args: Attrs): Attrs => {
    const urls = urlsOf(args, "fetchzip");
    return downloaded(args, {
      name: (given(args, "name") ?? "source") as NixString,
      urls,
      hash: hashOf(args, "fetchzip"),
      postFetch: given(args, "postFetch") ?? given(args, "extraPostFetch") ?? "",
      recursive: true,
      unpack: true,
      stripRoot: flag(args, "stripRoot", true),
    });
  };

  const fetchgit = (args: Attrs): Attrs => {
    const url = args.get("url");
    if (url === undefined) throw new ThrownError("fetchgit called without the argument 'url'");
    const rev =
      given(args, "rev") ?? (given(args, "tag") === undefined ? "HEAD" : ev.str`refs/tags/${given(args, "tag")!}`);
    const name =
      given(args, "name") ??
      gitTreeName(textOf(ev.coerceToString(url)), isString(force(rev)) ? textOf(force(rev) as NixString) : "");
    const build = trivial.runCommand(
      name as NixString,
      set({
        ...fixedAttributes(hashOf(args, "fetchgit")),
        outputHashMode: "recursive",
        url,
        rev,
        fetchSubmodules: flag(args, "fetchSubmodules", true),
        deepClone: flag(args, "deepClone", flag(args, "leaveDotGit")),
        leaveDotGit: flag(args, "leaveDotGit"),
        sparseCheckout: listAttribute(args, "sparseCheckout").slice(),
        rootDir: given(args, "rootDir") ?? "",
        postFetch: given(args, "postFetch") ?? "",
        // d2n fetches with the user's git where it can; see its HostFetcher.
        hostFetcher: "git",
        caBundle: ev.str`${packageOf(scope, "cacert")}/etc/ssl/certs/ca-bundle.crt`,
        impureEnvVars: [...proxyVariables, "GIT_PROXY_COMMAND", "SOCKS_SERVER", "SSH_AUTH_SOCK"],
        preferLocalBuild: true,
        nativeBuildInputs: [packageOf(scope, "gitMinimal"), ...listAttribute(args, "nativeBuildInputs")],
        passthru: updateAttrs(
          set({ gitRepoUrl: url, rev, url }),
          expectSet(attribute(args, "passthru") ?? Attrs.empty, "passthru"),
        ),
        meta: attribute(args, "meta") ?? Attrs.empty,
      }),
      ev.str`source ${builderFile(ev, "fetch/git.sh")}`,
    );
    return withOverride(build, (change) => fetchgit(updateAttrs(args, expectSet(change, "the argument of override"))));
  };

  /** A repository on a server: by its archive, or by git where more than the tree is wanted. */
  const repository = (
    args: Attrs,
    where: { readonly git: NixString; readonly archive: NixString; readonly homepage: NixString; readonly rev: Lazy },
  ): Attrs => {
    const byGit =
      flag(args, "fetchSubmodules") ||
      flag(args, "leaveDotGit") ||
      flag(args, "deepClone") ||
      flag(args, "forceFetchGit") ||
      listAttribute(args, "sparseCheckout").length > 0 ||
      given(args, "rootDir") !== undefined;
    const common = merge(args, set({ name: given(args, "name") ?? "source" }));
    const fetched = byGit
      ? fetchgit(merge(common, set({ url: where.git, rev: where.rev, fetchSubmodules: flag(args, "fetchSubmodules") })))
      : fetchzip(merge(common, set({ url: where.archive })));
    const more = set({
      rev: where.rev,
      tag: attribute(args, "tag") ?? null,
      owner: attribute(args, "owner") ?? null,
      repo: attribute(args, "repo") ?? null,
      gitRepoUrl: where.git,
      meta: updateAttrs(set({ homepage: where.homepage }), expectSet(attribute(args, "meta") ?? Attrs.empty, "meta")),
    });
    return updateAttrs(fetched, more);
  };

  const revision = (args: Attrs, fetcher: string): Lazy => {
    const tag = given(args, "tag");
    const rev = given(args, "rev");
    if ((tag === undefined) === (rev === undefined))
      throw new ThrownError(`${fetcher} wants exactly one of 'rev' and 'tag'`);
    return rev ?? ev.str`refs/tags/${tag!}`;
  };
  const required = (args: Attrs, fetcher: string, name: string): Lazy => {
    const value = args.get(name);
    if (value === undefined) throw new ThrownError(`${fetcher} called without required argument '${name}'`);
    return value;
  };

  const repositoryFormals = {
    owner: false,
    repo: false,
    rev: true,
    tag: true,
    name: true,
    fetchSubmodules: true,
    leaveDotGit: true,
    deepClone: true,
    sparseCheckout: true,
    forceFetchGit: true,
    meta: true,
    postFetch: true,
    passthru: true,
    ...hashFormals,
  };

  return {
    fetchurl: setFunction(
      "fetchurl",
      {
        url: true,
        urls: true,
        name: true,
        pname: true,
        version: true,
        executable: true,
        recursiveHash: true,
        postFetch: true,
        curlOpts: true,
        curlOptsList: true,
        meta: true,
        passthru: true,
        preferLocalBuild: true,
        downloadToTemp: true,
        nativeBuildInputs: true,
        netrcPhase: true,
        netrcImpureEnvVars: true,
        showURLs: true,
        ...hashFormals,
      },
      fetchurl,
    ),
    fetchzip: setFunction(
      "fetchzip",
      {
        url: true,
        urls: true,
        name: true,
        stripRoot: true,
        extension: true,
        postFetch: true,
        extraPostFetch: true,
        meta: true,
        passthru: true,
        ...hashFormals,
      },
      fetchzip,
    ),
    fetchTarball: setFunction("fetchTarball", { url: false, name: true, ...hashFormals }, fetchzip),
    fetchgit: setFunction(
      "fetchgit",
      {
        url: false,
        rev: true,
        tag: true,
        name: true,
        fetchSubmodules: true,
        leaveDotGit: true,
        deepClone: true,
        sparseCheckout: true,
        postFetch: true,
        rootDir: true,
        meta: true,
        passthru: true,
        ...hashFormals,
      },
      fetchgit,
    ),
    fetchFromGitHub: setFunction(
      "fetchFromGitHub",
      { ...repositoryFormals, githubBase: true, private: true },
      (args) => {
        const base = ev.str`https://${given(args, "githubBase") ?? "github.com"}/${required(args, "fetchFromGitHub", "owner")}/${required(args, "fetchFromGitHub", "repo")}`;
        const rev = revision(args, "fetchFromGitHub");
        return repository(args, {
          git: ev.str`${base}.git`,
          archive: ev.str`${base}/archive/${rev}.tar.gz`,
          homepage: base,
          rev,
        });
      },
    ),
    fetchFromGitLab: setFunction(
      "fetchFromGitLab",
      { ...repositoryFormals, domain: true, protocol: true, group: true },
      (args) => {
        const domain = given(args, "domain") ?? "gitlab.com";
        const group = given(args, "group");
        const slug = join(ev, "/", [
          ...(group === undefined ? [] : [group]),
          required(args, "fetchFromGitLab", "owner"),
          required(args, "fetchFromGitLab", "repo"),
        ]);
        const rev = revision(args, "fetchFromGitLab");
        const base = ev.str`${given(args, "protocol") ?? "https"}://${domain}/${slug}`;
        const encoded = textOf(slug).replaceAll("/", "%2F").replaceAll(".", "%2E");
        return repository(args, {
          git: ev.str`${base}.git`,
          archive: ev.str`${given(args, "protocol") ?? "https"}://${domain}/api/v4/projects/${encoded}/repository/archive.tar.gz?sha=${encodeURIComponent(textOf(rev as NixString))}`,
          homepage: base,
          rev,
        });
      },
    ),
    fetchFromGitea: setFunction("fetchFromGitea", { ...repositoryFormals, domain: false }, (args) => {
      const base = ev.str`https://${required(args, "fetchFromGitea", "domain")}/${required(args, "fetchFromGitea", "owner")}/${required(args, "fetchFromGitea", "repo")}`;
      const rev = revision(args, "fetchFromGitea");
      return repository(args, { git: base, archive: ev.str`${base}/archive/${rev}.tar.gz`, homepage: base, rev });
    }),
    fetchpatch: setFunction("fetchpatch", { url: false, name: true, ...hashFormals }, (args) => fetchPatch(args)),
    fetchpatch2: setFunction("fetchpatch2", { url: false, name: true, ...hashFormals }, (args) => fetchPatch(args)),
    requireFile: setFunction("requireFile", { name: true, url: true, message: true, ...hashFormals }, (args) =>
      requireFile(args),
    ),
  };

  /** A patch as a server makes it, without what changes from day to day. */
  function fetchPatch(args: Attrs): Attrs {
    const urls = urlsOf(args, "fetchpatch");
    const strip = given(args, "stripLen") ?? 0;
    return downloaded(args, {
      name: (given(args, "name") ?? fileNameOf(urls[0])) as NixString,
      urls,
      hash: hashOf(args, "fetchpatch"),
      postFetch: ev.str`sed -e '/^From [0-9a-f]\\{40\\} /d' -e '/^index [0-9a-f]*\\.\\.[0-9a-f]*/d' -e '/^-- $/,$d' -i "$out"${strip === 0 ? "" : `; echo "stripLen is not supported" >&2; exit 1`}
${given(args, "postFetch") ?? ""}`,
      recursive: false,
      unpack: false,
      stripRoot: false,
    });
  }

  function requireFile(args: Attrs): Attrs {
    const name = given(args, "name") ?? fileNameOf(args.get("url") ?? "file");
    const message =
      given(args, "message") ??
      ev.str`The file ${name} has to be obtained by hand${args.has("url") ? ev.str` from ${args.get("url")!}` : ""} and added to the store.`;
    return trivial.runCommand(
      name as NixString,
      set({
        ...fixedAttributes(hashOf(args, "requireFile")),
        outputHashMode: textAttribute(args, "hashMode") ?? "flat",
        preferLocalBuild: true,
        message,
        passAsFile: ["message"],
      }),
      `cat "$messagePath" >&2; exit 1`,
    );
  }

  function describe(derivation: Attrs, args: Attrs, more: Attrs, again: (args: Attrs) => Attrs): Attrs {
    const passthru = expectSet(attribute(args, "passthru") ?? Attrs.empty, "passthru");
    const meta = lazy(() => expectSet(attribute(args, "meta") ?? Attrs.empty, "meta"));
    return withOverride(merge(derivation, more, set({ meta, passthru }), passthru), (change) =>
      again(updateAttrs(args, expectSet(change, "the argument of override"))),
    );
  }
}

function fixedAttributes({ outputHash, outputHashAlgo }: FixedHash): { outputHash: Lazy; outputHashAlgo: Lazy } {
  return { outputHash, outputHashAlgo };
}

/** The URLs of a fetcher's arguments. */
function urlsOf(args: Attrs, fetcher: string): readonly Lazy[] {
  const urls = listAttribute(args, "urls");
  if (urls.length > 0) return urls;
  const url = given(args, "url");
  if (url === undefined) throw new ThrownError(`${fetcher} requires either 'url' or 'urls' to be set`);
  return Array.isArray(url) ? (url as readonly Lazy[]) : [url];
}

/** The hash that the arguments fix, in whatever form Nix reads. @throws ThrownError if there is none */
function hashOf(args: Attrs, fetcher: string): FixedHash {
  const outputHash = given(args, "outputHash");
  if (outputHash !== undefined && outputHash !== "")
    return { outputHash, outputHashAlgo: given(args, "outputHashAlgo") ?? "sha256" };
  const hash = given(args, "hash");
  if (hash !== undefined && isString(hash)) {
    // An empty hash is how people ask for the real one.
    if (textOf(hash) === "") return { outputHash: "0".repeat(64), outputHashAlgo: "sha256" };
    return { outputHash: hash, outputHashAlgo: "" };
  }
  for (const algorithm of ["sha512", "sha256", "sha1", "md5"]) {
    const value = given(args, algorithm);
    if (value === undefined || !isString(value)) continue;
    if (textOf(value) === "") return { outputHash: "0".repeat(64), outputHashAlgo: "sha256" };
    return { outputHash: value, outputHashAlgo: algorithm };
  }
  throw new ThrownError(`${fetcher} requires a hash for fixed-output derivation: ${String(describeSource(args))}`, {
    hint: 'Say sha256 = "…" or hash = "sha256-…"; with an empty string the build tells which one it should be.',
  });
}

function describeSource(args: Attrs): string {
  const url = given(args, "url");
  return url !== undefined && isString(url) ? textOf(url) : "no url";
}

/** The last part of a URL as the name of a file in the store. */
function fileNameOf(url: Lazy | undefined): string {
  if (url === undefined) return "source";
  const value = force(url);
  const text = isString(value) ? textOf(value) : "source";
  const name = text.slice(text.replace(/\/+$/, "").lastIndexOf("/") + 1).replace(/\/+$/, "");
  return name.replace(/[^A-Za-z0-9+\-._?=]/g, "_").replace(/^\./, "_") || "source";
}

/** What `fetchgit` calls a tree, `repo-1a2b3c4`: the repository and the beginning of a commit. */
export function gitTreeName(url: string, rev: string): string {
  const text = url.replace(/\/+$/, "");
  const last = text.slice(Math.max(text.lastIndexOf("/"), text.lastIndexOf(":")) + 1).replace(/\.git$/, "") || "source";
  return /^[a-f0-9]+$/.test(rev) ? `${last}-${rev.slice(0, 7)}` : last;
}
