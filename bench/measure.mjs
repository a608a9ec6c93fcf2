// Running commands side by side and comparing what they took.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const TIME = "/usr/bin/time";
const MARK = "\u0001";

/** Runs a command once: seconds by the clock, seconds of CPU, megabytes at most. @throws if it fails */
export function run(command, options = {}) {
  const timed = existsSync(TIME)
    ? [TIME, "-f", `${MARK}%U %S %M`, ...command]
    : ["/bin/sh", "-c", `"$@"; status=$?; printf '${MARK}' >&2; times >&2; exit $status`, "sh", ...command];
  const start = process.hrtime.bigint();
  const { status, stdout, stderr, error } = spawnSync(timed[0], timed.slice(1), {
    encoding: "latin1",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "pipe"],
    ...options,
  });
  const wall = Number(process.hrtime.bigint() - start) / 1e9;
  if (error !== undefined) throw error;
  const [said, numbers = ""] = stderr.split(MARK);
  if (status !== 0) throw new Error(`${command.join(" ")}\nended with status ${status}:\n${said.slice(-2000)}`);
  const clock = [...numbers.matchAll(/(\d+)m([\d.]+)s/g)].map(([, minutes, seconds]) => minutes * 60 + Number(seconds));
  const [user, system, kilobytes] = clock.length === 4 ? clock.slice(2) : numbers.trim().split(" ").map(Number);
  return { wall, cpu: user + system, memory: kilobytes === undefined ? undefined : kilobytes / 1024, stdout };
}

/**
 * Runs several contenders in turn, so that a busy moment of the machine hits all of them, and keeps the minimum of each.
 * `contenders` are functions that return what `run` does.
 */
export function interleave(contenders, rounds) {
  const best = contenders.map(() => undefined);
  for (let round = 0; round < rounds; round++)
    contenders.forEach((contender, i) => {
      const result = contender();
      const before = best[i];
      best[i] =
        before === undefined
          ? result
          : {
              wall: Math.min(before.wall, result.wall),
              cpu: Math.min(before.cpu, result.cpu),
              memory: result.memory && Math.min(before.memory, result.memory),
              stdout: result.stdout,
            };
    });
  return best;
}

const seconds = (value) => (value === undefined ? "–" : value.toFixed(2)).padStart(7);
const megabytes = (value) => (value === undefined ? "–" : value.toFixed(0)).padStart(6);
const ratio = (a, b) => (a === undefined || b === undefined || b === 0 ? "–" : `×${(a / b).toFixed(2)}`).padStart(8);

/** One line of a table: ours, theirs (if there are any), and the ratios. */
export function line(name, ours, theirs) {
  return [
    name.padEnd(30),
    seconds(ours.wall),
    seconds(theirs?.wall),
    ratio(ours.wall, theirs?.wall),
    seconds(ours.cpu),
    seconds(theirs?.cpu),
    ratio(ours.cpu, theirs?.cpu),
    megabytes(ours.memory),
    megabytes(theirs?.memory),
  ].join(" ");
}

export function heading(ours, theirs) {
  return [
    "".padEnd(30),
    ours.padStart(7),
    theirs.padStart(7),
    "wall".padStart(8),
    ours.padStart(7),
    theirs.padStart(7),
    "cpu".padStart(8),
    ours.padStart(6),
    `${theirs} MB`.padStart(6),
  ].join(" ");
}

/** `--rounds N` of the command line. */
export function roundsFrom(argv, usual) {
  const at = argv.indexOf("--rounds");
  return at < 0 ? usual : Math.max(1, Number(argv[at + 1]));
}

/** The word of a name given on the command line, if any: only cases that contain it are run. */
export function filterFrom(argv) {
  return argv.filter((word, i) => !word.startsWith("--") && argv[i - 1] !== "--rounds")[0] ?? "";
}
