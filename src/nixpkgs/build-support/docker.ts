/**
 * `pkgs.dockerTools`: container images as archives for `docker load` and `podman load`, or as programs that write one
 * (nixpkgs' manual, "pkgs.dockerTools"). What needs a virtual machine, a registry or Nix's own database is refused by name.
 */
import {
  Attrs,
  callFunction,
  EvalError,
  explainAbsence,
  type Lazy,
  lazy,
  type NixString,
  textOf,
} from "../../lang/index.ts";
import { absentImageTool } from "../absent.ts";
import { builderFile } from "../builder-files.ts";
import { makeOverridable } from "../customisation.ts";
import { packageOf, type Scope } from "../scope.ts";
import {
  attribute,
  expectString,
  expectText,
  flag,
  given,
  join,
  listAttribute,
  merge,
  set,
  setFunction,
  textAttribute,
} from "../values.ts";
import type { TrivialBuilders } from "./trivial.ts";

/** Names of processors as Go, and so the format of images, has them. */
const architectures: Readonly<Record<string, string>> = {
  "x86_64-linux": "amd64",
  "aarch64-linux": "arm64",
  "i686-linux": "386",
};

const formals = {
  name: false,
  tag: true,
  fromImage: true,
  contents: true,
  copyToRoot: true,
  config: true,
  architecture: true,
  created: true,
  mtime: true,
  uid: true,
  gid: true,
  maxLayers: true,
  extraCommands: true,
  fakeRootCommands: true,
  includeStorePaths: true,
  compressor: true,
  meta: true,
  passthru: true,
};

/** Arguments that ask for what cannot be done here, and what can be done instead. */
const refused: Readonly<Record<string, string>> = {
  runAsRoot: "it needs a virtual machine; use `extraCommands`, or `fakeRootCommands` of the layered images",
  enableFakechroot: "chroot is not imitated; `fakeRootCommands` works in the image's root folder without it",
  includeNixDB: "images get no database of Nix",
  layeringPipeline: "layers are made by how many packages need a path",
};

interface Kind {
  readonly function: string;
  /** Files of the root folder are links to the store, or copies. */
  readonly mode: "link" | "copy";
  readonly maxLayers: number;
}

const layered: Kind = { function: "streamLayeredImage", mode: "link", maxLayers: 100 };
const flat: Kind = { function: "buildImage", mode: "copy", maxLayers: 1 };

const compressors: Readonly<
  Record<string, { readonly ending: string; readonly package?: string; readonly command: string }>
> = {
  gz: { ending: ".tar.gz", command: "gzip -n" },
  none: { ending: ".tar", command: "cat" },
  zstd: { ending: ".tar.zst", package: "zstd", command: "zstd -q -T1" },
};

interface Image {
  readonly name: string;
  readonly base: string;
  readonly tag: Lazy;
  readonly plan: Attrs;
  /** A program that writes the image. */
  readonly stream: Attrs;
}

export function createDockerTools(scope: Scope, trivial: TrivialBuilders): Attrs {
  const { ev } = scope;
  const tool = lazy(
    () => ev.str`${packageOf(scope, "python3")}/bin/python3 ${builderFile(ev, "build-support/docker-image.py")}`,
  );
  const run = (name: NixString, attrs: Attrs, command: Lazy): Attrs =>
    trivial.runCommand(name, attrs, command, { local: true });

  const image = (args: Attrs, kind: Kind): Image => {
    for (const [argument, why] of Object.entries(refused))
      if (given(args, argument) !== undefined && attribute(args, argument) !== false)
        throw new EvalError(`dockerTools.${kind.function}: \`${argument}\` is not supported by d2n: ${why}`);
    const name = expectText(args.get("name")!, "the name of an image").toLowerCase();
    const base = name.slice(name.lastIndexOf("/") + 1);
    const created = textAttribute(args, "created") ?? "1970-01-01T00:00:01Z";
    const mtime = textAttribute(args, "mtime") ?? "1970-01-01T00:00:01Z";
    for (const time of [created, mtime])
      if (time !== "now" && Number.isNaN(Date.parse(time)))
        throw new EvalError(
          `dockerTools.${kind.function}: '${time}' is neither a time such as 2026-01-31T12:00:00Z nor \`now\``,
        );
    const maxLayers = given(args, "maxLayers") ?? kind.maxLayers;
    // One is the image's own files'.
    if (typeof maxLayers !== "number" || maxLayers < (kind === flat ? 1 : 2))
      throw new EvalError(`dockerTools.${kind.function}: \`maxLayers\` must be a number of at least 2`);
    const config = run(
      `${base}-config.json`,
      set({
        config: lazy(() => callFunction(attribute(ev.builtins, "toJSON")!, given(args, "config") ?? Attrs.empty)),
        passAsFile: ["config"],
      }),
      'cp "$configPath" "$out"',
    );
    const customisation = ownFiles(args, kind, base);
    const plan = run(
      `${base}-plan.json`,
      set({
        __structuredAttrs: true,
        exportReferencesGraph: { graph: [config, customisation] },
        leaveOut: [ev.str`${config}`, ev.str`${customisation}`],
        config: ev.str`${config}`,
        withStore: flag(args, "includeStorePaths", true),
        image: {
          maxLayers: kind === flat ? 1 : maxLayers - 1,
          architecture: textAttribute(args, "architecture") ?? architecture(),
          created,
          mtime,
          fromImage: baseImage(args),
          customisation: ev.str`${customisation}/layer.tar`,
        },
      }),
      ev.str`${tool} plan "$NIX_ATTRS_JSON_FILE" "\${outputs[out]}"`,
    );
    const tag = given(args, "tag") ?? lazy(() => textOf(expectString(plan.get("outPath")!, "a path")).slice(11, 43));
    const stream = trivial.writeTextFile(
      set({
        name: `stream-${base}`,
        executable: true,
        text: ev.str`#!${packageOf(scope, "runtimeShell")}\nexec ${tool} stream ${plan} '${name}:${tag}'\n`,
        meta: { mainProgram: `stream-${base}` },
      }),
    );
    return { name, base, tag, plan, stream };
  };

  /** The layer of what is in no package: the root folder, and what commands make in it. */
  const ownFiles = (args: Attrs, kind: Kind, base: string): Attrs => {
    const contents = [...listAttribute(args, "copyToRoot"), ...listAttribute(args, "contents")];
    const asRoot = given(args, "fakeRootCommands") ?? "";
    const pack = (uid: Lazy, gid: Lazy): NixString =>
      ev.str`${tool} layer "$NIX_BUILD_TOP/layer" "$out/layer.tar" ${uid} ${gid} 1\n`;
    const rooted = textOf(expectString(asRoot, "fakeRootCommands")).trim() !== "";
    const owner = (attrName: string): Lazy =>
      lazy(() => ev.coerceToString(given(args, attrName) ?? 0, { coerceMore: true }));
    return run(
      `${base}-customisation-layer`,
      set({
        contents,
        extraCommands: given(args, "extraCommands") ?? "",
        fakeRootCommands: asRoot,
        passAsFile: ["extraCommands", "fakeRootCommands"],
        nativeBuildInputs: rooted ? [packageOf(scope, "fakeroot"), packageOf(scope, "util-linux")] : [],
      }),
      ev.str`mkdir "$out" "$NIX_BUILD_TOP/layer"
${tool} tree ${kind.mode} "$NIX_BUILD_TOP/layer" $contents
cd "$NIX_BUILD_TOP/layer"
source "$extraCommandsPath"
cd "$NIX_BUILD_TOP"
${
  rooted
    ? ev.str`fakeroot bash -euo pipefail -c 'cd "$NIX_BUILD_TOP/layer"
source "$fakeRootCommandsPath"
cd "$NIX_BUILD_TOP"
${pack("keep", "keep")}'
`
    : pack(owner("uid"), owner("gid"))
}`,
    );
  };

  const baseImage = (args: Attrs): Lazy => {
    const from = given(args, "fromImage");
    if (from === undefined) return null;
    if (from instanceof Attrs && attribute(from, "isExe") === true)
      throw new EvalError(
        "dockerTools: `fromImage` is a program that writes an image; take `buildLayeredImage` for it",
      );
    return ev.str`${from}`;
  };

  const architecture = (): string => {
    const found = architectures[scope.system];
    if (found === undefined)
      throw new EvalError(
        `dockerTools: images for ${scope.system} have no known name of their processor; say \`architecture\``,
      );
    return found;
  };

  const details = (args: Attrs, { name, tag, plan, stream }: Image, isExe: boolean): Attrs =>
    set({
      passthru: {
        ...Object.fromEntries(
          attribute(args, "passthru") instanceof Attrs ? (attribute(args, "passthru") as Attrs).entries() : [],
        ),
        imageName: name,
        imageTag: tag,
        buildArgs: args,
        conf: plan,
        ...(isExe ? { isExe } : { stream }),
      },
      meta: attribute(args, "meta") ?? Attrs.empty,
    });

  const archive = (args: Attrs, kind: Kind, prefix: string): Attrs => {
    const made = image(args, kind);
    const wanted = textAttribute(args, "compressor") ?? "gz";
    const compressor = compressors[wanted];
    if (compressor === undefined)
      throw new EvalError(
        `dockerTools: there is no compressor '${wanted}': ${Object.keys(compressors).join(", ")} are there`,
      );
    const inputs = compressor.package === undefined ? [] : [packageOf(scope, compressor.package)];
    return trivial.runCommand(
      `${prefix}${made.base}${compressor.ending}`,
      merge(set({ nativeBuildInputs: inputs }), details(args, made, false)),
      ev.str`${made.stream} | ${compressor.command} > "$out"`,
    );
  };

  const overridable = (name: string, run: (args: Attrs) => Attrs): Lazy => {
    const build = setFunction(name, formals, run);
    return setFunction(name, formals, (args) => makeOverridable(build, args));
  };
  const lines = (args: Attrs, name: string): NixString =>
    join(
      ev,
      "",
      listAttribute(args, name).map((line) => ev.str`${line}\n`),
    );
  const links = (name: string, what: Readonly<Record<string, Lazy>>): Lazy =>
    lazy(() =>
      run(
        name,
        Attrs.empty,
        join(
          ev,
          "\n",
          Object.entries(what).map(
            ([link, target]) => ev.str`mkdir -p "$out/$(dirname ${link})"; ln -s ${target} "$out/${link}"`,
          ),
        ),
      ),
    );
  const certificates = lazy(() => ev.str`${packageOf(scope, "cacert")}/etc/ssl/certs/ca-bundle.crt`);

  const tools = set({
    streamLayeredImage: overridable("streamLayeredImage", (args) => {
      const made = image(args, layered);
      return trivial.runCommand(`stream-${made.base}`, details(args, made, true), ev.str`cp ${made.stream} "$out"`, {
        local: true,
      });
    }),
    buildLayeredImage: overridable("buildLayeredImage", (args) => archive(args, layered, "")),
    buildImage: overridable("buildImage", (args) => archive(args, flat, "docker-image-")),
    binSh: links("bin-sh", { "bin/sh": lazy(() => ev.str`${packageOf(scope, "bashInteractive")}/bin/bash`) }),
    usrBinEnv: links("usr-bin-env", { "usr/bin/env": lazy(() => ev.str`${packageOf(scope, "coreutils")}/bin/env`) }),
    caCertificates: links("ca-certificates", {
      "etc/ssl/certs/ca-bundle.crt": certificates,
      "etc/ssl/certs/ca-certificates.crt": certificates,
      "etc/pki/tls/certs/ca-bundle.crt": certificates,
    }),
    fakeNss: lazy(() =>
      makeOverridable(
        setFunction("fakeNss", { extraPasswdLines: true, extraGroupLines: true }, (args) =>
          run(
            "fake-nss",
            set({
              passwd: ev.str`root:x:0:0:root user:/var/empty:/bin/sh
${lines(args, "extraPasswdLines")}nobody:x:65534:65534:nobody:/var/empty:/bin/sh
`,
              group: ev.str`root:x:0:\n${lines(args, "extraGroupLines")}nobody:x:65534:\n`,
              passAsFile: ["passwd", "group"],
            }),
            `mkdir -p "$out/etc" "$out/var/empty"
cp "$passwdPath" "$out/etc/passwd"
cp "$groupPath" "$out/etc/group"
echo 'hosts: files dns' > "$out/etc/nsswitch.conf"`,
          ),
        ),
        Attrs.empty,
      ),
    ),
  });
  explainAbsence(tools, absentImageTool);
  return tools;
}
