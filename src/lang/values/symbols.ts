/** Attribute names as numbers: equal names are equal numbers, and comparing them costs nothing. */

/** An interned attribute name. */
export type Symbol = number;

const symbols = new Map<string, Symbol>();
const names: string[] = [];

export function symbol(name: string): Symbol {
  let found = symbols.get(name);
  if (found === undefined) {
    found = names.length;
    symbols.set(name, found);
    names.push(name);
  }
  return found;
}

/** The symbol of a name that has one; nothing can have an attribute of a name without. */
export function knownSymbol(name: string): Symbol | undefined {
  return symbols.get(name);
}

export function symbolName(id: Symbol): string {
  return names[id]!;
}
