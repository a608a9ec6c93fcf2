/** `lib.generators.toPlist`: Apple's property lists. */
import {
  Attrs,
  type Evaluator,
  force,
  isInteger,
  isString,
  type Lazy,
  NixFloat,
  NixPath,
  textOf,
} from "../lang/index.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  '"': "&quot;",
  "'": "&apos;",
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
};

export function toPlist(ev: Evaluator, value: Lazy, escape: boolean): string {
  const quote = (text: string): string => (escape ? text.replace(/["'<>&]/g, (found) => ENTITIES[found]!) : text);
  const show = (lazyValue: Lazy, indent: string): string => {
    const inner = force(lazyValue);
    if (inner === null) return "";
    if (typeof inner === "boolean") return `${indent}<${inner}/>`;
    if (isInteger(inner)) return `${indent}<integer>${inner}</integer>`;
    if (inner instanceof NixFloat)
      return `${indent}<real>${textOf(ev.coerceToString(inner, { coerceMore: true }))}</real>`;
    if (isString(inner)) return `${indent}<string>${quote(textOf(inner))}</string>`;
    if (inner instanceof NixPath) return `${indent}<string>${quote(inner.path)}</string>`;
    if (Array.isArray(inner)) {
      const items = (inner as readonly Lazy[]).map((element) => show(element, `${indent}\t`));
      return [`${indent}<array>`, items.join("\n"), `${indent}</array>`].join("\n");
    }
    // Whatever else there is has no form of its own: functions fail as in any string.
    if (!(inner instanceof Attrs)) return textOf(ev.coerceToString(inner));
    const entries = [...inner.entries()]
      .filter(([name, attribute]) => name !== "_module" && force(attribute) !== null)
      .flatMap(([name, attribute]) => [`${indent}\t<key>${quote(name)}</key>`, show(attribute, `${indent}\t`)]);
    return [`${indent}<dict>`, entries.join("\n"), `${indent}</dict>`].join("\n");
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0">\n${show(value, "")}\n</plist>`;
}
