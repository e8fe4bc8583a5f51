/**
 * Whose turn it is. Between priorities and, inside one, between workspaces the same rule decides (stride scheduling): each
 * has a pass that moves ahead by what it got, divided by its weight, and the one furthest behind is next. So one-time
 * codes go first and yet cannot starve campaigns, and a workspace with a million messages does not delay another's ten.
 * Who comes back after a pause starts where the others are: waiting is not saved up.
 */
export interface DueTurn {
  readonly workspaceId: string;
  /** 1 one-time codes, 2 transactional, 3 journeys, 4 campaigns. */
  readonly priority: number;
  /** Of the workspace, against the others of a priority. */
  readonly weight: number;
  readonly batches: boolean;
  readonly deferrals: boolean;
  readonly fallbacks: boolean;
}
export type Turn = Pick<DueTurn, 'priority' | 'deferrals' | 'fallbacks'>;

/** Up to this priority somebody is waiting for the message. */
export const leastUrgent = 2;

/** Turns a priority gets while all of them have something waiting: each three times those of the next. */
const shares: Readonly<Record<number, number>> = { 1: 27, 2: 9, 3: 3, 4: 1 };

/** Passes of one contest. */
interface Strides {
  passOf(name: string): number;
  charge(name: string, amount: number): void;
}

const mostRemembered = 10_000;

function createStrides(): Strides {
  const passes = new Map<string, number>();
  let reached = 0;
  const passOf = (name: string) => Math.max(passes.get(name) ?? 0, reached);
  return {
    passOf,
    charge: (name, amount) => {
      reached = passOf(name);
      passes.set(name, reached + amount);
      if (passes.size <= mostRemembered) return;
      for (const [one, pass] of passes) if (pass <= reached) passes.delete(one);
    },
  };
}

export interface Turns {
  /** What is due, in the order in which it is to be tried. */
  order(due: readonly DueTurn[]): DueTurn[];
  /** It was served: so many messages were claimed. */
  charge(turn: DueTurn, messages: number): void;
}

export function createTurns(): Turns {
  const priorities = createStrides();
  const workspaces = new Map<number, Strides>();
  const stridesOf = (priority: number): Strides => {
    const known = workspaces.get(priority) ?? createStrides();
    workspaces.set(priority, known);
    return known;
  };
  return {
    order: (due) =>
      due
        .map((turn) => ({
          turn,
          ahead: priorities.passOf(String(turn.priority)),
          pass: stridesOf(turn.priority).passOf(turn.workspaceId),
        }))
        .sort(
          (a, b) =>
            a.ahead - b.ahead ||
            a.turn.priority - b.turn.priority ||
            a.pass - b.pass ||
            (a.turn.workspaceId < b.turn.workspaceId ? -1 : 1),
        )
        .map(({ turn }) => turn),
    charge: ({ priority, workspaceId, weight }, messages) => {
      priorities.charge(String(priority), 1 / (shares[priority] ?? 1));
      stridesOf(priority).charge(workspaceId, messages / Math.max(weight, 0.001));
    },
  };
}
