// `npm test`: sets everything up, checks the code, runs all tests, and ends with a count.
// Arguments go to vitest: `npm test -- src/formats` runs what matches, without the checks.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provideOracle } from "./oracle.mjs";
import { build, root, run, setUp, tool } from "./setup.mjs";

setUp();
const filters = process.argv.slice(2);
// The checks end with a build.
if (filters.length === 0) run(process.execPath, [join(root, "scripts/check.mjs")]);
else build();

const scratch = mkdtempSync(join(tmpdir(), "d2n-test-"));
const report = join(scratch, "report.json");
process.env.D2N_TEST_SHARED = scratch;
await provideSandboxTools();
const oracle = await provideOracle();
if (oracle !== undefined) process.env.NIX_ORACLE = oracle;
const { status } = spawnSync(
  process.execPath,
  [
    join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...filters,
  ],
  { cwd: root, stdio: "inherit" },
);
let summary;
try {
  summary = JSON.parse(readFileSync(report, "utf8"));
} catch {
  process.exit(status || 1);
} finally {
  // Stores are read-only, also for whoever wants to delete them.
  spawnSync("chmod", ["-R", "u+w", scratch]);
  rmSync(scratch, { recursive: true, force: true });
}
const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = summary;
const failedFiles = summary.testResults.filter(
  (file) => file.status === "failed" && file.assertionResults.every((one) => one.status !== "failed"),
);
for (const file of failedFiles) process.stdout.write(`failed to run: ${file.name}\n`);
process.stdout.write(
  `\n${passed} passed, ${failed + failedFiles.length} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`,
);
process.exit(passed === 0 ? 1 : (status ?? 1));

/** The tests of sandbox and builder take bubblewrap and busybox as d2n itself gets them. */
async function provideSandboxTools() {
  if (process.env.D2N_TEST_BWRAP && process.env.D2N_TEST_BUSYBOX) return;
  const { Context } = await import(join(root, "dist/app/context.js"));
  const { sandboxTools } = await import(join(root, "dist/app/bootstrap.js"));
  const context = new Context({
    environment: {
      ...process.env,
      HOME: join(scratch, "home"),
      XDG_CACHE_HOME: join(scratch, "cache"),
      XDG_DATA_HOME: join(scratch, "data"),
    },
    cwd: root,
    uid: process.getuid(),
    sink: () => {},
    signal: new AbortController().signal,
    options: {},
  });
  const { bubblewrap, shell } = await sandboxTools(context);
  process.env.D2N_TEST_BWRAP = bubblewrap.join(" ");
  process.env.D2N_TEST_BUSYBOX = shell;
}
