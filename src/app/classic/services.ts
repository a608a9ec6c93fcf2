/** What the worker of a classic command may ask of the main thread: what evaluation of flakes asks, and the syntax of references. */
import type { Context } from "../context.ts";
import type { Plain, PlainEntries, Services } from "../evaluation/protocol.ts";
import type { SyncServices } from "../evaluation/service-client.ts";

export interface ClassicServices extends Services {
  parseFlakeReference(text: string): Promise<PlainEntries>;
  showFlakeReference(attributes: PlainEntries): Promise<string>;
}

export type SyncClassicServices = SyncServices & {
  readonly parseFlakeReference: (text: string) => PlainEntries;
  readonly showFlakeReference: (attributes: PlainEntries) => string;
};

export interface OpenServices {
  readonly services: ClassicServices;
  close(): Promise<void>;
}

/** Made when first asked for: most evaluations need none, and none of the modules behind them. */
export async function openServices(context: () => Promise<Context>): Promise<OpenServices> {
  const [{ Session }, flake] = await Promise.all([import("../evaluation/session.ts"), import("../../flake/index.ts")]);
  let session: InstanceType<typeof Session> | undefined;
  const ofSession = (name: keyof Services) => async (argument: never) => {
    session ??= new Session(await context());
    return (session.services[name] as (argument: never) => Promise<unknown>)(argument);
  };
  const own: Pick<ClassicServices, "parseFlakeReference" | "showFlakeReference"> = {
    parseFlakeReference: async (text) =>
      [...flake.referenceToAttributes(flake.parseReference(text, { absolute: true }))] as [string, Plain][],
    showFlakeReference: async (attributes) => flake.showAttributes(new Map(attributes)),
  };
  const services = new Proxy(own as ClassicServices, {
    get: (_, name) => own[name as keyof typeof own] ?? ofSession(name as keyof Services),
  });
  return { services, close: async () => session?.close() };
}
