/** `nix registry`: names for flakes. */
import { resolve } from "node:path";
import {
  addToRegistry,
  listRegistries,
  pinInRegistry,
  removeFromRegistry,
  resolveNames,
} from "../../../app/classic/registry.ts";
import { userRegistry } from "../../../app/registries.ts";
import { type Call, exactly, type Given, readOptions } from "./options.ts";

export async function list(call: Call): Promise<number> {
  const given = readOptions(call, { usage: "", about: "Lists the names of flakes, and what they stand for." });
  if (given === undefined) return 0;
  exactly(given, 0);
  const { registries } = call.program.commonOptions();
  for (const [kind, from, to] of registries === undefined ? [] : listRegistries(registries))
    call.program.print(`${kind.padEnd(6)} ${from} ${to}\n`);
  return 0;
}

const values = { registry: "" };

export async function add(call: Call): Promise<number> {
  const about = "Gives a flake a name in your registry.";
  const given = readOptions(call, { usage: "[OPTION]… NAME REFERENCE", about, values });
  if (given === undefined) return 0;
  const [name, reference] = exactly(given, 2) as [string, string];
  addToRegistry(registryFile(call, given), name, reference, call.program.world.cwd);
  return 0;
}

export async function remove(call: Call): Promise<number> {
  const about = "Removes a name from your registry.";
  const given = readOptions(call, { usage: "[OPTION]… NAME", about, values });
  if (given === undefined) return 0;
  removeFromRegistry(registryFile(call, given), exactly(given, 1)[0]!);
  return 0;
}

export async function pin(call: Call): Promise<number> {
  const about = "Gives the present version of a flake a name in your registry.";
  const given = readOptions(call, { usage: "[OPTION]… NAME [REFERENCE]", about, values });
  if (given === undefined) return 0;
  const [name, reference = name] = exactly(given, given.operands.length > 1 ? 2 : 1) as [string, string | undefined];
  const loose = await pinInRegistry(await call.program.context(), registryFile(call, given), name, reference);
  if (loose !== undefined) call.program.warn(`flake '${loose}' is not locked`);
  return 0;
}

export async function resolveReferences(call: Call): Promise<number> {
  const given = readOptions(call, { usage: "NAME…", about: "Says what names of flakes stand for." });
  if (given === undefined) return 0;
  const found = resolveNames(await call.program.context(), given.operands);
  call.program.print(found.map((text) => `${text}\n`).join(""));
  return 0;
}

function registryFile({ program }: Call, given: Given): string {
  const { cwd, environment } = program.world;
  const custom = given.value("registry");
  return custom === undefined ? userRegistry(environment) : resolve(cwd, custom);
}
