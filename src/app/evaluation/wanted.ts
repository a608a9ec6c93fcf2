import type { Wanted } from "../../build/index.ts";

/** What has to exist so that a string with this context means something. */
export function wantedByContext(elements: readonly string[]): Wanted[] {
  return elements.map((element) => {
    const output = /^!([^!]*)!(.*)$/.exec(element);
    if (output !== null) return { drvPath: output[2]!, outputs: [output[1]!] };
    return element.startsWith("=") ? { path: element.slice(1) } : { path: element };
  });
}
