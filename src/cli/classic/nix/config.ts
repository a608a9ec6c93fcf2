/** `nix config`, `nix key`: settings and keys. */
import { allSettings } from "../../../app/classic/settings.ts";
import { D2nError, UsageError } from "../../../base/index.ts";
import { type Call, readOptions } from "./options.ts";

export async function configShow(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "[OPTION]… [NAME]",
    about: "Prints Nix's settings as they are for the classic commands, or one of them.",
    switches: { json: "" },
  });
  if (given === undefined) return 0;
  const { program } = call;
  const settings = allSettings(program.common.settings, process.arch === "arm64" ? "aarch64-linux" : "x86_64-linux");
  const [name, more] = given.operands;
  if (more !== undefined) throw new UsageError(`unexpected argument '${more}'`);
  if (name !== undefined) {
    if (given.has("json")) throw new UsageError("'--json' is not supported when specifying a setting name");
    const setting = settings.get(name);
    if (setting === undefined) throw new D2nError("settings", `could not find setting '${name}'`);
    program.print(`${setting.text}\n`);
    return 0;
  }
  if (given.has("json"))
    program.printJson({ value: Object.fromEntries([...settings].map(([key, { value }]) => [key, { value }])) });
  else for (const [key, { text }] of settings) program.print(`${key} = ${text}\n`);
  return 0;
}

export async function generateSecret(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "--key-name NAME",
    about: "Prints a new key to sign store paths with.",
    values: { "key-name": "" },
  });
  if (given === undefined) return 0;
  const name = given.value("key-name");
  if (name === undefined) throw new UsageError("required argument '--key-name' is missing");
  const { newSecretKey } = await import("../../../app/classic/keys.ts");
  call.program.print(newSecretKey(name));
  return 0;
}

export async function convertSecretToPublic(call: Call): Promise<number> {
  const given = readOptions(call, {
    usage: "",
    about: "Prints the public key of the secret key that standard input has.",
  });
  if (given === undefined) return 0;
  const { publicKeyOf } = await import("../../../app/classic/keys.ts");
  call.program.print(publicKeyOf(call.program.read("-")));
  return 0;
}
