import pg from 'pg';
import type { Endpoint } from '../../contract/endpoint.ts';
import type { Clock } from './clock.ts';
import type { Db, Tx } from './db.ts';
import { AppError } from './errors.ts';
import type { Call, GroupOutcome, Route } from './http.ts';
import { claimOf, findAnswers, isKeyTaken, keepAnswers } from './http-idempotency.ts';
import { asRefusal } from './http-problems.ts';

/**
 * Group commit. While one group of calls is in its transaction, those that come for the same route and workspace wait
 * and make the next group: so a caller who is alone waits for nobody, and under load a hundred calls cost one
 * commit. A group holds calls of one workspace only, since its transaction sees that workspace alone.
 */
export interface Groups {
  /** Resolves with the answer, once it is committed; rejects with the refusal of this call. */
  answer(route: GroupedRoute, call: Call<Endpoint>): Promise<unknown>;
}

export type GroupedRoute = { readonly endpoint: Endpoint } & NonNullable<Route['inGroup']>;

interface Waiting {
  readonly call: Call<Endpoint>;
  readonly weight: number;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

interface Line {
  readonly route: GroupedRoute;
  readonly workspaceId: string;
  waiting: Waiting[];
  /** In the queue for a turn, or having it. */
  busy: boolean;
}

interface GroupDeps {
  readonly db: Db;
  readonly clock: Clock;
}

/** A group ends where its weight would pass this; a heavier call goes by itself. */
const mostWeight = 128;
/** Groups at once, of different workspaces or routes: they share the pool of the dispatcher. */
const mostAtOnce = 3;
const mostTries = 3;

export function createGroups(deps: GroupDeps): Groups {
  const lines = new Map<string, Line>();
  const turns: Line[] = [];
  let running = 0;

  async function serve(line: Line): Promise<void> {
    const group = take(line);
    try {
      await answerGroup(deps, line, group);
    } catch (error) {
      for (const one of group) one.reject(error);
    }
    running -= 1;
    line.busy = false;
    if (line.waiting.length > 0) enter(line);
    else lines.delete(keyOf(line.route, line.workspaceId));
    proceed();
  }

  function proceed(): void {
    while (running < mostAtOnce) {
      const line = turns.shift();
      if (line === undefined) return;
      running += 1;
      void serve(line);
    }
  }

  function enter(line: Line): void {
    line.busy = true;
    turns.push(line);
  }

  return {
    answer: (route, call) =>
      new Promise((resolve, reject) => {
        const { workspaceId } = call.caller;
        const key = keyOf(route, workspaceId);
        const line = lines.get(key) ?? { route, workspaceId, waiting: [], busy: false };
        lines.set(key, line);
        line.waiting.push({ call, weight: route.weigh(call), resolve, reject });
        if (line.busy) return;
        enter(line);
        // Not at once: what was read from the sockets together goes together.
        setImmediate(proceed);
      }),
  };
}

function keyOf({ endpoint }: GroupedRoute, workspaceId: string): string {
  return `${endpoint.method} ${endpoint.path} ${workspaceId}`;
}

/** Of two calls with one idempotency key the second waits for the next group: there it finds the answer of the first. */
function take(line: Line): Waiting[] {
  const group: Waiting[] = [];
  const left: Waiting[] = [];
  const keys = new Set<string>();
  let weight = 0;
  for (const one of line.waiting) {
    const key = one.call.idempotencyKey;
    const fits = group.length === 0 || weight + one.weight <= mostWeight;
    if (!fits || (key !== undefined && keys.has(key))) {
      left.push(one);
      continue;
    }
    if (key !== undefined) keys.add(key);
    weight += one.weight;
    group.push(one);
  }
  line.waiting = left;
  return group;
}

async function answerGroup(deps: GroupDeps, line: Line, group: readonly Waiting[], tries = 1): Promise<void> {
  const { route, workspaceId } = line;
  const calls = group.map((one) => one.call);
  let isDone = false;
  try {
    const outcomes = await deps.db.eager(workspaceId, async (tx) => {
      const made = await outcomesOf(tx, route, calls, deps.clock.now());
      isDone = true;
      return made;
    });
    for (const [at, one] of group.entries()) tell(one, outcomes[at]);
  } catch (error) {
    const wasRolledBack = !isDone || (error instanceof pg.DatabaseError && error.severity === 'ERROR');
    // Whoever loses the database at the commit may have committed: nothing is tried again. Without one, neither.
    if (!wasRolledBack || asRefusal(error)?.code === 'database-unavailable') return refuse(group, error);
    if (group.length > 1) {
      for (const one of group) await answerGroup(deps, line, [one]);
      return;
    }
    if (isWorthAnother(error) && tries < mostTries) return answerGroup(deps, line, group, tries + 1);
    refuse(group, error);
  }
}

/** Two changes met: the other one is there now, and may be all that is needed. */
function isWorthAnother(error: unknown): boolean {
  return isKeyTaken(error) || asRefusal(error)?.code === 'conflict';
}

function refuse(group: readonly Waiting[], error: unknown): void {
  for (const one of group) one.reject(error);
}

type Told = GroupOutcome<unknown> & { readonly isRepeated?: true };

function tell(one: Waiting, outcome: Told | undefined): void {
  if (outcome === undefined) return one.reject(new Error('a call of a group has no outcome'));
  if ('refusal' in outcome) return one.reject(outcome.refusal);
  if (outcome.isRepeated === true) one.call.setHeader('idempotency-replayed', 'true');
  one.resolve(outcome.answer);
}

/** In the order of the calls; what was answered before is answered the same, and not handled again. */
async function outcomesOf(
  tx: Tx,
  route: GroupedRoute,
  calls: readonly Call<Endpoint>[],
  now: Temporal.Instant,
): Promise<Told[]> {
  const claims = calls.map((call) => {
    const key = call.idempotencyKey;
    return key === undefined ? undefined : claimOf(route.endpoint, call, key, now);
  });
  const before = await findAnswers(
    tx,
    claims.filter((one) => one !== undefined),
  );
  const outcomes = claims.map((claim) => {
    const known = claim === undefined ? undefined : before.get(claim.key);
    return known === undefined ? undefined : repeated(known);
  });
  const fresh = calls.flatMap((_, at) => (outcomes[at] === undefined ? [at] : []));
  const handled = fresh.length === 0 ? [] : await route.handle(tx, pick(calls, fresh));
  const kept = fresh.flatMap((at, place) => {
    const outcome = handled[place];
    const claim = claims[at];
    if (outcome === undefined) throw new Error('a call of a group has no outcome');
    outcomes[at] = outcome;
    if (claim === undefined || 'refusal' in outcome) return [];
    const response = outcome.answer === undefined ? '' : JSON.stringify(outcome.answer);
    return [{ ...claim, status: route.endpoint.status, response }];
  });
  keepAnswers(tx, kept);
  return outcomes.filter((one) => one !== undefined);
}

function repeated(known: { readonly response: string } | AppError): Told {
  if (known instanceof AppError) return { refusal: known };
  return { answer: known.response === '' ? undefined : JSON.parse(known.response), isRepeated: true };
}

function pick<One>(list: readonly One[], places: readonly number[]): One[] {
  return places.flatMap((at) => list.slice(at, at + 1));
}
