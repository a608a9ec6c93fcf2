/** What `nix-store --query` draws: the references of paths as a tree, and for graphviz and GraphML. */
import { storePathBase, storePathName } from "../../formats/index.ts";
import type { Context } from "../context.ts";
import { referencesFirst } from "./store-arguments.ts";

/** The branches of a tree, as byte strings like all that names things of a store. */
const [LAST, NEXT, LINE] = ["└───", "├───", "│   "].map((text) => Buffer.from(text, "utf8").toString("latin1")) as [
  string,
  string,
  string,
];

/** A line for each reference; what has been shown is not shown again. */
export async function referenceTree(context: Context, roots: readonly string[]): Promise<string[]> {
  const store = await context.store();
  const done = new Set<string>();
  const lines: string[] = [];
  const visit = async (path: string, first: string, rest: string): Promise<void> => {
    if (done.has(path)) {
      lines.push(`${first}${path} [...]`);
      return;
    }
    done.add(path);
    lines.push(`${first}${path}`);
    const below = await referencesFirst(context, (await store.queryPathInfo(path)).references);
    // What needs the others is shown first: that keeps the tree flat.
    for (const [i, reference] of below.reverse().entries()) {
      const last = i === below.length - 1;
      await visit(reference, rest + (last ? LAST : NEXT), rest + (last ? "    " : LINE));
    }
  };
  for (const root of roots) await visit(root, "", "");
  return lines;
}

/** Each path of a closure once, the least first, with what it refers to besides itself. */
async function* closureOf(
  context: Context,
  roots: readonly string[],
): AsyncGenerator<{ readonly path: string; readonly narSize: number; readonly references: readonly string[] }> {
  const store = await context.store();
  const waiting = new Set(roots);
  const done = new Set<string>();
  while (waiting.size > 0) {
    const path = [...waiting].reduce((least, other) => (other < least ? other : least));
    waiting.delete(path);
    if (done.has(path)) continue;
    done.add(path);
    const info = await store.queryPathInfo(path);
    const references = [...info.references].sort().filter((reference) => reference !== path);
    for (const reference of references) waiting.add(reference);
    yield { path, narSize: info.narSize, references };
  }
}

const COLOURS = ["black", "red", "green", "blue", "magenta", "burlywood"];

/** For graphviz. */
export async function dotGraph(context: Context, roots: readonly string[]): Promise<string> {
  let text = "digraph G {\n";
  let edges = 0;
  for await (const { path, references } of closureOf(context, roots)) {
    text += `"${storePathBase(path)}" [label = "${storePathName(path)}", shape = box, style = filled, fillcolor = "#ff0000"];\n`;
    for (const reference of references)
      text += `"${storePathBase(reference)}" -> "${storePathBase(path)}" [color = "${COLOURS[edges++ % COLOURS.length]}"];\n`;
  }
  return `${text}}\n`;
}

export async function graphMl(context: Context, roots: readonly string[]): Promise<string> {
  let text = `<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns='http://graphml.graphdrawing.org/xmlns'
    xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'
    xsi:schemaLocation='http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd'>
<key id='narSize' for='node' attr.name='narSize' attr.type='long'/><key id='name' for='node' attr.name='name' attr.type='string'/><key id='type' for='node' attr.name='type' attr.type='string'/><graph id='G' edgedefault='directed'>
`;
  for await (const { path, narSize, references } of closureOf(context, roots)) {
    const name = /^[^-]*-/.exec(storePathName(path))?.[0] ?? "";
    text += `  <node id="${storePathBase(path)}">
    <data key="narSize">${narSize}</data>
    <data key="name">${name}</data>
    <data key="type">${path.endsWith(".drv") ? "derivation" : "output-path"}</data>
  </node>
`;
    for (const reference of references)
      text += `  <edge source="${storePathBase(path)}" target="${storePathBase(reference)}"/>\n`;
  }
  return `${text}</graph>\n</graphml>\n`;
}
