// Makes one file of each worker's entry: loading some 300 modules one by one costs every evaluation a quarter of a second.
import { dirname, join, relative } from "node:path";
import { rolldown } from "rolldown";

const ENTRIES = ["app/evaluation/worker.js", "app/classic/worker.js", "app/repl/worker.js"];

/** @param dist folder with the compiled modules; the entries in it are replaced */
export async function bundleWorkers(dist) {
  for (const entry of ENTRIES) {
    const file = join(dist, entry);
    const bundle = await rolldown({
      input: file,
      platform: "node",
      logLevel: "warn",
      // Libraries stay where npm puts them.
      external: (id) => !id.startsWith(".") && !id.startsWith("/"),
      plugins: [
        {
          name: "places",
          // A module finds its files from where it lay before.
          transform(code, id) {
            if (!code.includes("import.meta.url")) return null;
            return code.replaceAll(
              "import.meta.url",
              `new URL(${JSON.stringify(relative(dirname(file), id))}, import.meta.url).href`,
            );
          },
        },
      ],
    });
    await bundle.write({ file, format: "esm", codeSplitting: false });
    await bundle.close();
  }
}
