/** The services of a REPL: those of evaluation, where each flake that is opened has a session of its own. */
import type { Context } from "../context.ts";
import { type ClassicServices, openServices, type OpenServices } from "../classic/services.ts";

export function openReplServices(context: () => Promise<Context>): OpenServices {
  const opened = [openServices(context)];
  const services = new Proxy({} as ClassicServices, {
    get: (_, name) => async (argument: never) => {
      // The locks of a flake are those that lie beside it.
      if (name === "openProject") opened.push(openServices(context));
      const current = await opened.at(-1)!;
      return (current.services[name as keyof ClassicServices] as (argument: never) => Promise<unknown>)(argument);
    },
  });
  return {
    services,
    close: async () => {
      for (const one of opened) await (await one).close();
    },
  };
}
