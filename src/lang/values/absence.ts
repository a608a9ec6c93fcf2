/** What to say of names that a set could have been expected to have, and has not. */
import type { Attrs } from "./attrs.ts";

/** Given a name: the next step for the user, or undefined if there is nothing to say of it. */
export type ExplainAbsence = (name: string) => string | undefined;

const explanations = new WeakMap<Attrs, ExplainAbsence>();

/** From now on, messages about a missing attribute of this very set say more. Sets made of it with `//` are others. */
export function explainAbsence(set: Attrs, explain: ExplainAbsence): void {
  explanations.set(set, explain);
}

/** What there is to say of a name that `set` lacks. */
export function absenceOf(set: Attrs, name: string): string | undefined {
  return explanations.get(set)?.(name);
}
