import type { Found } from '../channels/index.ts';
import type { Tx } from '../platform/db.ts';
import { note } from './act.ts';
import type { ActDeps } from './act.ts';
import { askAgain, doubtWork, setRefs, takeDoubts } from './doubt.store.ts';
import type { Asked, Doubt } from './doubt.store.ts';
import { moveMessages } from './ledger.store.ts';
import type { DeliveryDeps, LookUp } from './ports.ts';
import { askPausesMs, verdict } from './resolve.rules.ts';
import type { Verdict } from './resolve.rules.ts';
import type { UnknownPolicy } from './settle.rules.ts';
import { dropLetters } from './trouble.store.ts';

/** Messages in doubt: their provider is asked; who cannot be asked, or never says, leaves it to the workspace's policy. */

export type ResolverDeps = ActDeps &
  Pick<DeliveryDeps, 'hot' | 'log' | 'addressOpener' | 'accountsFor' | 'unknownPolicy' | 'lookUpFor'>;

const mostWorkspaces = 100;
const mostAsked = 100;
/** At a time of one workspace: vendors limit look-ups more than sending. */
const atOnce = 4;
/** Longer than all askings of a round can take. */
const leaseSeconds = 600;

interface Question {
  readonly doubt: Doubt;
  readonly to: string | undefined;
  /** Whom to ask: the account it went through, or, when the worker died before telling, all it may have gone through. */
  readonly accounts: readonly { readonly id: string; readonly lookUp: LookUp }[];
}

/** One round over all workspaces; answers whether there was anything to ask. */
export async function resolveDoubts(deps: ResolverDeps, signal: AbortSignal): Promise<boolean> {
  const workspaces = await deps.hot.glance((tx) => doubtWork(tx, deps.clock.now(), mostWorkspaces));
  for (const id of workspaces) if (!signal.aborted) await resolveIn(deps, id, signal);
  return workspaces.length > 0;
}

async function resolveIn(deps: ResolverDeps, workspaceId: string, signal: AbortSignal): Promise<void> {
  const now = deps.clock.now();
  const until = now.add({ seconds: leaseSeconds });
  const questions = await deps.hot.transaction(workspaceId, async (tx) =>
    prepare(tx, deps, await takeDoubts(tx, now, until, mostAsked)),
  );
  const answered: { question: Question; answer: Answer }[] = [];
  for (let at = 0; at < questions.length && !signal.aborted; at += atOnce) {
    const some = questions.slice(at, at + atOnce);
    const answers = await Promise.all(some.map((question) => ask(deps, question)));
    answered.push(...some.map((question, place) => ({ question, answer: answers[place] ?? silent })));
  }
  await deps.hot.transaction(workspaceId, (tx) => settleAnswers(tx, deps, answered));
}

async function prepare(tx: Tx, deps: ResolverDeps, doubts: readonly Doubt[]): Promise<Question[]> {
  // What is in doubt no more was settled by a receipt that came while nobody looked.
  await dropLetters(
    tx,
    doubts.flatMap((one) => (one.state === 'unknown' ? [] : [one.id])),
  );
  const open = await deps.addressOpener(tx);
  const lines = new Map<string, LookUp | undefined>();
  const questions: Question[] = [];
  for (const doubt of doubts.filter((one) => one.state === 'unknown')) {
    const ids = doubt.accountId === null ? await routeOf(tx, deps, doubt.channel) : [doubt.accountId];
    for (const id of ids) if (!lines.has(id)) lines.set(id, await deps.lookUpFor?.(tx, id));
    const accounts = ids.flatMap((id) => {
      const lookUp = lines.get(id);
      return lookUp === undefined ? [] : [{ id, lookUp }];
    });
    // Absent from some of the accounts only is no absence.
    questions.push({ doubt, to: addressOf(open, doubt), accounts: accounts.length === ids.length ? accounts : [] });
  }
  return questions;
}

async function routeOf(tx: Tx, deps: ResolverDeps, channel: string): Promise<string[]> {
  return (await deps.accountsFor(tx, channel, undefined)).map((account) => account.id);
}

function addressOf(open: (row: { salt: Buffer; sealed: Buffer }) => string, { channel, salt, sealed }: Doubt) {
  if (channel === 'inapp') return '';
  if (salt === null || sealed === null) return undefined;
  try {
    return open({ salt, sealed });
  } catch {
    return undefined;
  }
}

interface Answer {
  readonly found: Found;
  readonly accountId: string | null;
}

const silent: Answer = { found: { kind: 'unclear', reason: 'nobody can be asked' }, accountId: null };
const hourMs = 3_600_000;

/** Since when to look: a doubt is noted minutes after the sending, but that of a dead worker whenever it is found. */
function sentAfter({ reason, at, plannedAt }: Doubt): Temporal.Instant {
  const soonest = at.subtract({ milliseconds: hourMs });
  return reason === 'worker-lost' || Temporal.Instant.compare(plannedAt, soonest) > 0 ? plannedAt : soonest;
}

async function ask(deps: ResolverDeps, { doubt, to, accounts }: Question): Promise<Answer> {
  if (to === undefined || accounts.length === 0) return silent;
  let unclear: Found | undefined;
  for (const { id, lookUp } of accounts) {
    const found = await lookUp({ messageId: doubt.id, to, sentAfter: sentAfter(doubt) }).catch(
      (error: unknown): Found => {
        deps.log.warn({ err: error, account: id }, 'a provider could not be asked about a message in doubt');
        return { kind: 'unclear', reason: 'asking failed' };
      },
    );
    if (found.kind === 'accepted') return { found, accountId: id };
    if (found.kind === 'unclear') unclear ??= found;
  }
  return { found: unclear ?? { kind: 'absent' }, accountId: accounts.length === 1 ? (accounts[0]?.id ?? null) : null };
}

type Answered = readonly { readonly question: Question; readonly answer: Answer }[];

async function settleAnswers(tx: Tx, deps: ResolverDeps, answered: Answered): Promise<void> {
  const policy = await deps.unknownPolicy(tx);
  const judged = answered.map(({ question, answer }) => ({
    id: question.doubt.id,
    answer,
    ...judge(question, answer, policy),
  }));
  const of = <Kind extends Verdict['kind']>(kind: Kind) => judged.filter((one) => one.verdict.kind === kind);
  const taken = of('accepted');
  await moveAll(tx, deps, taken, { to: 'accepted', reason: null, answer: 'accepted' });
  await setRefs(
    tx,
    taken.flatMap(({ id, answer: { found, accountId } }) =>
      found.kind === 'accepted' ? [{ id, ref: found.ref, accountId }] : [],
    ),
  );
  await moveAll(tx, deps, of('absent'), { to: 'planned', reason: 'resolved-absent', answer: 'absent' });
  if (policy === 'resend')
    await moveAll(tx, deps, of('policy'), { to: 'planned', reason: 'unknown-resent', answer: 'unclear' });
  if (policy === 'give-up')
    await moveAll(tx, deps, of('policy'), { to: 'failed', reason: 'unknown-given-up', answer: 'unclear' });
  const now = deps.clock.now();
  await askAgain(
    tx,
    judged.flatMap(({ id, asks, verdict: said }): Asked[] => {
      if (said.kind === 'policy') return policy === 'hold' ? [{ id, asks, at: null }] : [];
      return said.kind === 'wait' ? [{ id, asks, at: now.add({ milliseconds: said.afterMs }) }] : [];
    }),
  );
}

/** Where nobody can be asked there is one long wait, for a callback; then the policy applies. */
function judge(
  { doubt, accounts }: Question,
  { found }: Answer,
  policy: UnknownPolicy,
): { verdict: Verdict; asks: number } {
  const asks = doubt.asks + 1;
  const judged = verdict(found, asks, policy);
  if (judged.kind !== 'wait' || accounts.length > 0) return { verdict: judged, asks };
  const afterMs = askPausesMs.slice(asks).reduce<number>((sum, pause) => sum + pause, 0);
  return { verdict: { kind: 'wait', afterMs }, asks: askPausesMs.length - 1 };
}

interface Settled {
  readonly to: 'accepted' | 'planned' | 'failed';
  readonly reason: string | null;
  readonly answer: Found['kind'];
}

async function moveAll(
  tx: Tx,
  deps: ResolverDeps,
  judged: readonly { readonly id: string }[],
  { to, reason, answer }: Settled,
): Promise<void> {
  if (judged.length === 0) return;
  const ids = judged.map((one) => one.id);
  const moved = await moveMessages(tx, ids, ['unknown'], to, reason, deps.clock.now());
  const data = { as: to, by: answer === 'unclear' ? 'policy' : 'provider', answer };
  await note(tx, deps, moved, { to, reason, kind: 'message.resolved', data });
}
