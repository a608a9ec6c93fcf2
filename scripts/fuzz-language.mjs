// Compares d2n's evaluator with real Nix on random expressions:
//   NIX_ORACLE=… node scripts/fuzz-language.mjs [--count 500] [--seed 1] [--traces]
// after `npm run build`. NIX_ORACLE names a program that takes `nix-instantiate …` as its arguments. Each expression is
// evaluated in one of the forms that nix-instantiate prints; a difference is made smaller before it is shown.
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { renderNixError } from "../dist/cli/classic/render-nix-error.js";
import { classicErrorMessage } from "../dist/app/classic/errors.js";
import { messageToError } from "../dist/app/evaluation/errors.js";
import { runTask } from "../dist/app/classic/task.js";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "500" },
    seed: { type: "string", default: "1" },
    traces: { type: "boolean", default: false },
  },
});
const oracle = process.env["NIX_ORACLE"];
if (oracle === undefined) {
  console.error("NIX_ORACLE is not set: there is nothing to compare with");
  process.exit(2);
}

// --- random numbers that a seed repeats (mulberry32)
let state = Number(values.seed) >>> 0;
const random = () => {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];
const chance = (p) => random() < p;

// --- the grammar: a node is [template, ...children], so that children can be replaced when shrinking
const leaf = (text) => ({ text, parts: [] });
const node = (pieces, ...parts) => ({ pieces, parts });
const show = (n) =>
  n.text !== undefined ? n.text : n.pieces.map((piece, i) => piece + (n.parts[i] ? show(n.parts[i]) : "")).join("");
const t = (pieces, ...parts) => node([...pieces], ...parts);

const names = ["a", "b", "c", "x", "y", "foo", "or'", "type", "name", "value", "_", "a-b"];
const texts = [
  "",
  "a",
  "b",
  "foo",
  "a b",
  "1",
  "\\n",
  "\\${x}",
  "$$",
  "é",
  "\\\\",
  '\\"',
  "/",
  "1.10",
  "2.0-pre1",
  "<>&",
  "\\t",
];
const ints = ["0", "1", "2", "3", "7", "10", "255", "9223372036854775807", "-1", "-5", "4611686018427387904"];
const floats = ["0.5", "1.0", "2.5", "1.0e10", "1.0e-7", "123456.789", "-0.0", "3.0e300", "0.1"];

const gen = {
  int: (d, s) =>
    d <= 0
      ? leaf(`(${pick(ints)})`)
      : pick([
          () => leaf(`(${pick(ints)})`),
          () => t`(${gen.num(d - 1, s)} ${leaf(pick(["+", "-", "*", "/"]))} ${gen.num(d - 1, s)})`,
          () => t`(builtins.length ${gen.list(d - 1, s)})`,
          () => t`(builtins.stringLength ${gen.string(d - 1, s)})`,
          () =>
            t`(builtins.${leaf(pick(["bitAnd", "bitOr", "bitXor", "sub", "add", "compareVersions", "div"]))} ${gen.int(d - 1, s)} ${gen.int(d - 1, s)})`,
          () => t`(builtins.${leaf(pick(["floor", "ceil"]))} ${gen.num(d - 1, s)})`,
          () => t`(builtins.compareVersions ${gen.string(d - 1, s)} ${gen.string(d - 1, s)})`,
        ])(),
  num: (d, s) => (chance(0.7) ? gen.int(d, s) : leaf(`(${pick(floats)})`)),
  bool: (d, s) =>
    d <= 0
      ? leaf(pick(["true", "false"]))
      : pick([
          () => leaf(pick(["true", "false"])),
          () => t`(${gen.any(d - 1, s)} ${leaf(pick(["==", "!="]))} ${gen.any(d - 1, s)})`,
          () => t`(${gen.num(d - 1, s)} ${leaf(pick(["<", "<=", ">", ">="]))} ${gen.num(d - 1, s)})`,
          () => t`(${gen.list(d - 1, s)} < ${gen.list(d - 1, s)})`,
          () => t`(${gen.bool(d - 1, s)} ${leaf(pick(["&&", "||", "->"]))} ${gen.bool(d - 1, s)})`,
          () => t`(!${gen.bool(d - 1, s)})`,
          () => t`(${gen.attrs(d - 1, s)} ? ${gen.path()})`,
          () =>
            t`(builtins.${leaf(pick(["isInt", "isList", "isAttrs", "isString", "isFunction", "isPath", "isNull", "isFloat", "isBool"]))} ${gen.any(d - 1, s)})`,
          () => t`(builtins.elem ${gen.any(d - 1, s)} ${gen.list(d - 1, s)})`,
          () =>
            t`(builtins.${leaf(pick(["any", "all"]))} (${leaf("x")}: ${gen.bool(d - 1, [...s, "x"])}) ${gen.list(d - 1, s)})`,
          () => t`(builtins.hasAttr ${gen.string(d - 1, s)} ${gen.attrs(d - 1, s)})`,
          () => t`(builtins.tryEval ${gen.any(d - 1, s)}).success`,
        ])(),
  string: (d, s) =>
    d <= 0
      ? leaf(`"${pick(texts)}"`)
      : pick([
          () => leaf(`"${pick(texts)}"`),
          () => t`"${leaf(pick(texts))}\${${gen.string(d - 1, s)}}${leaf(pick(texts))}"`,
          () =>
            t`''${leaf(pick(["\n  ", "", " "]))}${leaf(pick(["a", "", "  b\n c\n", "''${", "'''", "''\\n", "$$"]))}\${${gen.string(d - 1, s)}}${leaf(pick(["\n", "", "\n  "]))}''`,
          () => t`(${gen.string(d - 1, s)} + ${gen.string(d - 1, s)})`,
          () => t`(toString ${gen.any(d - 1, s)})`,
          () => t`(builtins.toJSON ${gen.any(d - 1, s)})`,
          () => t`(builtins.typeOf ${gen.any(d - 1, s)})`,
          () => t`(builtins.substring ${gen.int(0, s)} ${gen.int(0, s)} ${gen.string(d - 1, s)})`,
          () => t`(builtins.concatStringsSep ${gen.string(0, s)} (map toString ${gen.list(d - 1, s)}))`,
          () =>
            t`(builtins.replaceStrings [ ${gen.string(0, s)} ${gen.string(0, s)} ] [ ${gen.string(0, s)} ${gen.string(0, s)} ] ${gen.string(d - 1, s)})`,
          () => t`(builtins.toXML ${gen.any(d - 1, s)})`,
          () =>
            t`(builtins.hashString ${leaf(pick(['"md5"', '"sha1"', '"sha256"', '"sha512"']))} ${gen.string(d - 1, s)})`,
          () =>
            t`(builtins.head (builtins.split ${leaf(pick(['"a"', '"(a|b)*"', '"[[:alpha:]]+"', '"^."', '""']))} ${gen.string(d - 1, s)}))`,
          () => t`(baseNameOf ${gen.string(d - 1, s)})`,
        ])(),
  list: (d, s) =>
    d <= 0
      ? leaf("[ ]")
      : pick([
          () => list(d, s),
          () => list(d, s),
          () => t`(${gen.list(d - 1, s)} ++ ${gen.list(d - 1, s)})`,
          () => t`(map ${gen.fn(d - 1, s)} ${gen.list(d - 1, s)})`,
          () => t`(builtins.filter (${leaf("x")}: ${gen.bool(d - 1, [...s, "x"])}) ${gen.list(d - 1, s)})`,
          () => t`(builtins.attrNames ${gen.attrs(d - 1, s)})`,
          () => t`(builtins.attrValues ${gen.attrs(d - 1, s)})`,
          () => t`(builtins.genList ${gen.fn(d - 1, s)} ${leaf(String(below(4)))})`,
          () => t`(builtins.split ${leaf(pick(['"(a)"', '"(b)?(c)"', '"x*"', '"[^a]"']))} ${gen.string(d - 1, s)})`,
          () => t`(builtins.splitVersion ${gen.string(d - 1, s)})`,
          () => t`(builtins.sort (${leaf("x")}: y: ${gen.bool(d - 1, [...s, "x", "y"])}) ${gen.list(d - 1, s)})`,
          () => t`(builtins.tail ${gen.list(d - 1, s)})`,
          () => t`(builtins.concatLists [ ${gen.list(d - 1, s)} ${gen.list(d - 1, s)} ])`,
          () => t`(builtins.catAttrs ${gen.string(0, s)} ${gen.list(d - 1, s)})`,
        ])(),
  attrs: (d, s) =>
    d <= 0
      ? leaf(pick(["{ }", "{ a = 1; }", "{ b = { c = 2; }; }"]))
      : pick([
          () => attrs(d, s),
          () => attrs(d, s),
          () => t`(${gen.attrs(d - 1, s)} // ${gen.attrs(d - 1, s)})`,
          () => t`(builtins.mapAttrs (${leaf("n")}: v: ${gen.any(d - 1, [...s, "n", "v"])}) ${gen.attrs(d - 1, s)})`,
          () => t`(builtins.listToAttrs [ { name = ${gen.string(d - 1, s)}; value = ${gen.any(d - 1, s)}; } ])`,
          () => t`(removeAttrs ${gen.attrs(d - 1, s)} [ ${gen.string(0, s)} ])`,
          () => t`(builtins.intersectAttrs ${gen.attrs(d - 1, s)} ${gen.attrs(d - 1, s)})`,
          () => t`(builtins.groupBy (${leaf("x")}: ${gen.string(d - 1, [...s, "x"])}) ${gen.list(d - 1, s)})`,
          () => t`(builtins.partition (${leaf("x")}: ${gen.bool(d - 1, [...s, "x"])}) ${gen.list(d - 1, s)})`,
          () => t`(builtins.tryEval ${gen.any(d - 1, s)})`,
          () => t`(builtins.functionArgs ${gen.fn(d - 1, s)})`,
          () => t`(builtins.parseDrvName ${gen.string(d - 1, s)})`,
          () =>
            t`(builtins.zipAttrsWith (${leaf("n")}: v: ${gen.any(d - 1, [...s, "n", "v"])}) [ ${gen.attrs(d - 1, s)} ${gen.attrs(d - 1, s)} ])`,
        ])(),
  fn: (d, s) =>
    d <= 0
      ? leaf(pick(["(x: x)", "toString", "builtins.add", "builtins.head", "(_: 1)"]))
      : pick([
          () => t`(${leaf("x")}: ${gen.any(d - 1, [...s, "x"])})`,
          () => t`(x: ${leaf("y")}: ${gen.any(d - 1, [...s, "x", "y"])})`,
          () => t`({ a ? ${gen.any(d - 1, s)}, b ? a, ... }@args: ${gen.any(d - 1, [...s, "a", "b", "args"])})`,
          () => t`({ x, y ? 1 }: ${gen.any(d - 1, [...s, "x", "y"])})`,
          () =>
            t`(builtins.${leaf(pick(["add", "elemAt", "map", "filter", "seq", "getAttr", "hasAttr"]))} ${gen.any(d - 1, s)})`,
          () => t`{ __functor = self: ${gen.fn(d - 1, s)}; }`,
        ])(),
  path: () => leaf(pick(["a", "b", "a.b", "b.c", '"a"', '${"b"}', "x.y.z"])),
  any: (d, s) => {
    if (s.length > 0 && chance(d <= 0 ? 0.5 : 0.25)) return leaf(pick(s));
    if (d <= 0)
      return leaf(
        pick([
          "null",
          "true",
          "1",
          '"s"',
          "[ ]",
          "{ }",
          "/a/b",
          "1.5",
          "(x: x)",
          'throw "t"',
          "builtins.add",
          "[ 1 2 ]",
          "abort",
        ]),
      );
    return pick([
      () => gen.int(d, s),
      () => gen.string(d, s),
      () => gen.bool(d, s),
      () => gen.list(d, s),
      () => gen.attrs(d, s),
      () => gen.fn(d, s),
      () => t`(if ${gen.bool(d - 1, s)} then ${gen.any(d - 1, s)} else ${gen.any(d - 1, s)})`,
      () =>
        t`(let ${leaf("x")} = ${gen.any(d - 1, [...s, "x", "y"])}; y = ${gen.any(d - 1, [...s, "x", "y"])}; in ${gen.any(d - 1, [...s, "x", "y"])})`,
      () => t`(with ${gen.attrs(d - 1, s)}; ${gen.any(d - 1, [...s, "a", "b"])})`,
      () => t`(assert ${gen.bool(d - 1, s)}; ${gen.any(d - 1, s)})`,
      () => t`(${gen.fn(d - 1, s)} ${gen.any(d - 1, s)})`,
      () => t`(${gen.attrs(d - 1, s)}.${gen.path()} or ${gen.any(d - 1, s)})`,
      () => t`${gen.attrs(d - 1, s)}.${gen.path()}`,
      () => t`(builtins.seq ${gen.any(d - 1, s)} ${gen.any(d - 1, s)})`,
      () =>
        t`(builtins.foldl' (${leaf("x")}: y: ${gen.any(d - 1, [...s, "x", "y"])}) ${gen.any(d - 1, s)} ${gen.list(d - 1, s)})`,
      () => t`(builtins.fromJSON (builtins.toJSON ${gen.any(d - 1, s)}))`,
      () => t`(builtins.elemAt ${gen.list(d - 1, s)} ${leaf(String(below(3)))})`,
      () => t`(builtins.head ${gen.list(d - 1, s)})`,
      () =>
        t`(builtins.match ${leaf(pick(['"a(b)?"', '"(.*)"', '"[[:digit:]]*"', '"a|b"', '"(a"', '"[a-"', '"x{2}"', '"\\\\."', '"()"', '"*"']))} ${gen.string(d - 1, s)})`,
      () => t`(throw ${gen.string(d - 1, s)})`,
      () => t`(${gen.any(d - 1, s)} + ${gen.any(d - 1, s)})`,
      () => t`(-${gen.num(d - 1, s)})`,
    ])();
  },
};
function list(d, s) {
  const parts = Array.from({ length: below(4) }, () => gen.any(d - 1, s));
  return node(
    ["[ ", ...parts.slice(1).map(() => " "), " ]"].slice(0, parts.length + 1).concat(parts.length === 0 ? ["]"] : []),
    ...parts,
  );
}
function attrs(d, s) {
  const used = new Set();
  const pieces = [chance(0.3) ? "rec { " : "{ "];
  const recursive = pieces[0].startsWith("rec");
  const parts = [];
  for (let i = below(4); i > 0; i--) {
    const name = pick(names);
    if (used.has(name)) continue;
    used.add(name);
    const key = chance(0.15) ? `"${name}"` : chance(0.1) ? `\${"${name}"}` : chance(0.15) ? `${name}.b` : name;
    pieces[pieces.length - 1] += `${key} = `;
    parts.push(gen.any(d - 1, recursive ? [...s, ...used].filter((one) => one !== "or'") : s));
    pieces.push("; ");
  }
  pieces[pieces.length - 1] += "}";
  return node(pieces, ...parts);
}

// --- both sides
const modes = [
  ["--eval"],
  ["--eval", "--strict"],
  ["--eval", "--json"],
  ["--eval", "--xml", "--no-location"],
  ["--eval", "--xml", "--strict"],
  ["--parse"],
];
const environment = { ...process.env, NIX_PATH: "", NIX_REMOTE: "dummy://", NIX_STORE_DIR: "/nix/store" };
function nix(expression, mode) {
  const { stdout, stderr, status } = spawnSync(
    oracle,
    ["nix-instantiate", ...mode, ...(values.traces ? ["--show-trace"] : []), "-E", expression],
    { env: environment, encoding: "utf8", cwd: "/" },
  );
  return status === 0 ? stdout : failure(stderr);
}
function own(expression, mode) {
  let output = "";
  const settings = {
    storeDir: "/nix/store",
    physicalRoot: "",
    store: "none",
    system: "x86_64-linux",
    cwd: "/",
    environment: {},
    searchPath: [],
    pure: false,
    restricted: false,
    allowedUris: [],
    maxCallDepth: 10_000,
    experimentalFeatures: ["nix-command", "flakes"],
    showTrace: values.traces,
    traceVerbose: false,
    lints: { url: "ignore", shortPath: "ignore", absolutePath: "ignore" },
    parsedFiles: undefined,
    abortOnWarn: false,
  };
  const task = {
    kind: "instantiate",
    sources: [{ kind: "text", text: Buffer.from(expression).toString("latin1"), name: "«string»" }],
    attributePaths: [""],
    arguments: [],
    action: mode[0] === "--parse" ? "parse" : "evaluate",
    format: mode.includes("--json") ? "json" : mode.includes("--xml") ? "xml" : "classic",
    strict: mode.includes("--strict"),
    locations: !mode.includes("--no-location"),
  };
  try {
    runTask({ settings, task }, {}, { write: (bytes) => (output += bytes), derivation() {}, notice() {} });
    return Buffer.from(output, "latin1").toString("utf8");
  } catch (error) {
    const shown = renderNixError(messageToError(classicErrorMessage(error, values.traces)), {
      showTrace: values.traces,
      color: false,
    });
    return failure(shown);
  }
}
const failure = (stderr) => {
  const clean = stderr.replace(/^(evaluation )?warning: .*\n/gm, "").replace(/^trace: .*\n/gm, "");
  return `FAILED ${values.traces ? clean : clean.slice(clean.lastIndexOf("error: "))}`.trim();
};

// --- smaller: a child in place of its parent, a leaf in place of a node
function* smaller(root) {
  function* variants(n) {
    if (n.text !== undefined) return;
    for (const part of n.parts) yield part;
    for (const simple of ["1", "[ ]", "{ }", '"s"', "null"]) yield leaf(simple);
    for (let i = 0; i < n.parts.length; i++)
      for (const variant of variants(n.parts[i]))
        yield node(n.pieces, ...n.parts.map((p, j) => (j === i ? variant : p)));
  }
  const size = show(root).length;
  for (const variant of variants(root)) if (show(variant).length < size) yield variant;
}
function shrink(root, mode) {
  let best = root;
  for (let tries = 0; tries < 300;) {
    let found = false;
    for (const variant of smaller(best)) {
      if (++tries > 300) break;
      const text = show(variant);
      if (nix(text, mode) !== own(text, mode)) {
        best = variant;
        found = true;
        break;
      }
    }
    if (!found) break;
  }
  return best;
}

let different = 0;
let failed = 0;
const count = Number(values.count);
for (let i = 0; i < count; i++) {
  const root = gen.any(2 + below(3), []);
  const mode = pick(modes);
  const text = show(root);
  const wanted = nix(text, mode);
  if (wanted.startsWith("FAILED")) failed++;
  if (wanted === own(text, mode)) continue;
  different++;
  const least = show(shrink(root, mode));
  console.log(`${mode.join(" ")}  ${least}\n  Nix: ${nix(least, mode)}\n  d2n: ${own(least, mode)}\n`);
}
console.log(`${count} expressions, ${failed} of them errors, ${different} differences`);
process.exit(different === 0 ? 0 : 1);
