// Everything that can be said of the code without running it: format, types, lint, layers, dead code.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { build, root, run, setUp, tool } from "./setup.mjs";

setUp();
const step = (name) => process.stdout.write(`check: ${name}\n`);

step("format");
run(tool("prettier"), ["--check", "--log-level", "warn", "."]);
step("types");
run(process.execPath, [join(root, "node_modules/typescript-native/bin/tsc"), "-p", "tsconfig.lint.json"]);
step("layers");
checkLayers();
step("dead code");
run(tool("knip"), ["--no-progress"]);
step("lint");
run(tool("eslint"), ["--max-warnings", "0", "."]);
step("generated documents");
build();
run(process.execPath, [join(root, "scripts/docs.mjs"), "--check"]);
process.stdout.write("check: all is well\n");

/** dependency-cruiser says "no violations" also when it saw nothing: count what it saw. */
function checkLayers() {
  const { status, stdout, stderr } = spawnSync(
    tool("depcruise"),
    ["src", "--config", ".dependency-cruiser.cjs", "--output-type", "json"],
    { cwd: root, encoding: "utf8", maxBuffer: 1 << 30 },
  );
  let summary;
  try {
    ({ summary } = JSON.parse(stdout));
  } catch {
    process.stderr.write(stderr);
    process.exit(status || 1);
  }
  for (const { rule, from, to } of summary.violations) process.stderr.write(`${rule.name}: ${from} → ${to}\n`);
  process.stdout.write(`       ${summary.totalCruised} modules, ${summary.totalDependenciesCruised} imports\n`);
  if (summary.totalCruised < 100 || summary.totalDependenciesCruised < 300) {
    process.stderr.write("the layer check looked at hardly anything: it is not set up right\n");
    process.exit(1);
  }
  if (summary.violations.length > 0) process.exit(1);
}
