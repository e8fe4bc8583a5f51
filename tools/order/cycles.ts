/** Finds groups of nodes that reach each other (Tarjan's strongly connected components), each as one closed path. */
export function findCycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  return components(edges)
    .filter((group) => group.length > 1 || edges.get(group[0] ?? '')?.includes(group[0] ?? '') === true)
    .map((group) => shortestCycle(edges, new Set(group)));
}

interface Visit {
  readonly index: number;
  low: number;
  onStack: boolean;
}

function components(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const visits = new Map<string, Visit>();
  const stack: string[] = [];
  const groups: string[][] = [];
  const visit = (node: string): Visit => {
    const own: Visit = { index: visits.size, low: visits.size, onStack: true };
    visits.set(node, own);
    stack.push(node);
    for (const next of edges.get(node) ?? []) {
      const seen = visits.get(next);
      if (seen === undefined) own.low = Math.min(own.low, visit(next).low);
      else if (seen.onStack) own.low = Math.min(own.low, seen.index);
    }
    if (own.low === own.index) groups.push(popGroup(node));
    return own;
  };
  const popGroup = (node: string): string[] => {
    const group = stack.splice(stack.lastIndexOf(node));
    for (const member of group) {
      const seen = visits.get(member);
      if (seen !== undefined) seen.onStack = false;
    }
    return group;
  };
  for (const node of edges.keys()) if (!visits.has(node)) visit(node);
  return groups;
}

/** The shortest way from the group's first node (by name) back to itself, so that the message shows what to cut. */
function shortestCycle(edges: ReadonlyMap<string, readonly string[]>, group: ReadonlySet<string>): string[] {
  const start = [...group].toSorted()[0] ?? '';
  const from = new Map<string, string>();
  const queue = [start];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    for (const next of edges.get(node) ?? []) {
      if (next === start) return trace(from, start, node);
      if (!group.has(next) || from.has(next)) continue;
      from.set(next, node);
      queue.push(next);
    }
  }
  return [...group];
}

function trace(from: ReadonlyMap<string, string>, start: string, end: string): string[] {
  const path = [start];
  for (let node: string | undefined = end; node !== undefined && node !== start; node = from.get(node))
    path.splice(1, 0, node);
  return [...path, start];
}
