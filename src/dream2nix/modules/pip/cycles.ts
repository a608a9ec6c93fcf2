/** Cycles between packages: who needs whom, both ways. */

/** Package to the packages that it needs. */
export type DependencyGraph = ReadonlyMap<string, readonly string[]>;

/**
 * The groups of packages that need each other, by member: only those of two and more, each sorted. Linear (Tarjan), and without
 * recursion, since chains may be long.
 */
export function dependencyCycles(graph: DependencyGraph): Map<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>();
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();

  for (const start of graph.keys()) {
    if (order.has(start)) continue;
    const walk: { readonly name: string; next: number }[] = [];
    const enter = (name: string): void => {
      order.set(name, order.size);
      low.set(name, order.get(name)!);
      open.push(name);
      isOpen.add(name);
      walk.push({ name, next: 0 });
    };
    enter(start);
    for (let step = walk.at(-1); step !== undefined; step = walk.at(-1)) {
      const { name } = step;
      const needed = graph.get(name)?.[step.next++];
      if (needed !== undefined) {
        if (!graph.has(needed)) continue;
        if (!order.has(needed)) enter(needed);
        else if (isOpen.has(needed)) low.set(name, Math.min(low.get(name)!, order.get(needed)!));
        continue;
      }
      walk.pop();
      const above = walk.at(-1);
      if (above !== undefined) low.set(above.name, Math.min(low.get(above.name)!, low.get(name)!));
      if (low.get(name) !== order.get(name)) continue;
      const group = open.splice(open.lastIndexOf(name));
      for (const member of group) isOpen.delete(member);
      if (group.length > 1) {
        group.sort();
        for (const member of group) groups.set(member, group);
      }
    }
  }
  return groups;
}

/**
 * What a package hands on, such that nothing hands itself on: members of its own cycle are left out, and of every other cycle
 * that it touches it has all members, since these do not hand each other on. The order of the lock is kept.
 */
export function propagatedBy(
  name: string,
  graph: DependencyGraph,
  cycles: ReadonlyMap<string, readonly string[]>,
): string[] {
  const own = cycles.get(name);
  const result = new Set<string>();
  for (const needed of graph.get(name) ?? []) {
    if (needed === name || own?.includes(needed) === true) continue;
    result.add(needed);
    for (const member of cycles.get(needed) ?? []) result.add(member);
  }
  return [...result];
}

/**
 * What a package needs by itself: as `propagatedBy`, but with the other members of its own cycle, as it is the one who joins
 * them. They bring what they need.
 */
export function neededByRoot(
  name: string,
  graph: DependencyGraph,
  cycles: ReadonlyMap<string, readonly string[]>,
): string[] {
  const result = new Set(propagatedBy(name, graph, cycles));
  for (const member of cycles.get(name) ?? []) if (member !== name) result.add(member);
  return [...result];
}
