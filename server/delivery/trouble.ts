import type { DeadLetter, DeadLetterSummary } from '../../contract/dead-letters.ts';
import type { Tx } from '../platform/db.ts';
import { invalidField } from '../platform/errors.ts';
import { decodeIdCursor, encodeCursor } from '../platform/http.ts';
import * as act from './act.ts';
import type { ActDeps } from './act.ts';
import { masker } from './messages.ts';
import type { LetterWork, MessageDeps } from './ports.ts';
import { messagesById } from './read.store.ts';
import { countLetters, discardLetters, findLetters, mostCounted } from './trouble.store.ts';
import type { LetterFilter } from './trouble.store.ts';

/** Dead letters: what they are, and what is done with many of them at once. */

export async function letterList(
  tx: Tx,
  deps: MessageDeps,
  { limit, cursor, ...filter }: LetterFilter & { limit: number; cursor?: string | undefined },
): Promise<{ data: DeadLetter[]; nextCursor: string | null }> {
  const { rows, next } = await findLetters(tx, filter, decodeIdCursor(cursor), limit);
  const messages = await messagesById(
    tx,
    rows.map((row) => row.id),
  );
  const mask = await masker(tx, deps);
  const accounts = await deps.accountNames(tx);
  const names = await deps.campaignNames(
    tx,
    rows.flatMap((row) => row.campaignId ?? []),
  );
  const data = rows.map(({ id, ...row }): DeadLetter => {
    const message = messages.get(id);
    return {
      ...row,
      messageId: id,
      state: row.state as DeadLetter['state'],
      channel: row.channel as DeadLetter['channel'],
      category: row.category as DeadLetter['category'],
      meaning: deps.meaningOf(row.provider, row.code),
      to: message === undefined || row.channel === 'inapp' ? null : mask(message),
      contactId: message?.contactId ?? null,
      accountName: row.accountId === null ? null : (accounts.get(row.accountId) ?? null),
      campaignName: row.campaignId === null ? null : (names.get(row.campaignId) ?? null),
      at: row.at.toString(),
      discardedAt: row.discardedAt?.toString() ?? null,
      askAt: row.askAt?.toString() ?? null,
    };
  });
  return { data, nextCursor: next === undefined ? null : encodeCursor(next) };
}

export async function letterSummary(tx: Tx, deps: MessageDeps, filter: LetterFilter): Promise<DeadLetterSummary> {
  const { total, groups } = await countLetters(tx, filter);
  const of = (by: string) => groups.filter((one) => one.by === by).map(({ value, count }) => ({ value, count }));
  const campaigns = of('campaign');
  const names = await deps.campaignNames(
    tx,
    campaigns.map((one) => one.value),
  );
  return {
    total,
    countedAtMost: mostCounted,
    byState: of('state'),
    byCategory: of('category'),
    byCode: of('code'),
    byProvider: of('provider'),
    byDomain: of('domain'),
    byChannel: of('channel'),
    byCampaign: campaigns.map((one) => ({ ...one, name: names.get(one.value) ?? null })),
  };
}

const pageSize = 1_000;

const meant = {
  redrive: 'failed',
  discard: undefined,
  accepted: 'unknown',
  failed: 'unknown',
  resend: 'unknown',
} as const;

function filterOf({ act: what, filter, asOf }: LetterWork): LetterFilter | undefined {
  const state = meant[what] ?? filter.state;
  if (filter.state !== undefined && filter.state !== state) return undefined;
  const to = filter.to !== undefined && filter.to < asOf ? filter.to : asOf;
  return { ...filter, ...(state === undefined ? {} : { state }), to, discarded: false };
}

/** One page. Answers how many were moved, and where to go on; nothing is left when there is no such place. */
export async function workPage(
  tx: Tx,
  deps: ActDeps,
  work: LetterWork,
): Promise<{ done: number; next: string | undefined }> {
  const filter = filterOf(work);
  if (filter === undefined) return { done: 0, next: undefined };
  const { rows, next } = await findLetters(tx, filter, work.before, pageSize);
  const ids = rows.map((row) => row.id);
  return { done: ids.length === 0 ? 0 : await actOn(tx, deps, work.act, ids), next };
}

export async function actOn(tx: Tx, deps: ActDeps, what: LetterWork['act'], ids: readonly string[]): Promise<number> {
  if (what === 'discard') return discardLetters(tx, ids, deps.clock.now());
  const done = what === 'redrive' ? await act.redrive(tx, deps, ids) : await act.resolveAll(tx, deps, ids, what);
  return done;
}

export interface Worked {
  readonly done: number;
  /** Letters that the background goes on with; it finds none twice. */
  readonly remaining: number;
}

const actions = {
  redrive: 'message.retried',
  discard: 'dead-letter.discarded',
  accepted: 'message.resolved',
  failed: 'message.resolved',
  resend: 'message.resolved',
} as const;

/** The first page now, the rest by a job that is there if this commits. */
export async function workByFilter(
  tx: Tx,
  deps: MessageDeps,
  what: LetterWork['act'],
  filter: LetterFilter,
): Promise<Worked> {
  const asOf = deps.clock.now().add({ milliseconds: 1 }).toString();
  const work: LetterWork = { workspaceId: tx.workspaceId, act: what, filter, asOf };
  const { done, next } = await workPage(tx, deps, work);
  let remaining = 0;
  if (next !== undefined) {
    const rest = { ...work, before: next };
    remaining = (await countLetters(tx, { ...filterOf(rest) }, next)).total;
    await deps.goOn(tx, rest);
  }
  const target =
    filter.campaignId === undefined
      ? {
          kind: 'dead-letters',
          id: Object.entries(filter)
            .flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${String(value)}`]))
            .join(' '),
        }
      : { kind: 'campaign', id: filter.campaignId };
  if (done + remaining > 0)
    await deps.record(tx, {
      action: actions[what],
      target,
      after: { count: done, ...(remaining > 0 ? { remaining } : {}), ...(what in resolutionWords ? { as: what } : {}) },
    });
  return { done, remaining };
}

const resolutionWords: Readonly<Record<string, true>> = { accepted: true, failed: true, resend: true };

export async function workByIds(
  tx: Tx,
  deps: MessageDeps,
  what: LetterWork['act'],
  given: readonly string[],
): Promise<Worked> {
  const ids = [...new Set(given)];
  const done = await actOn(tx, deps, what, ids);
  const after = { count: done, ...(what in resolutionWords ? { as: what } : {}) };
  if (done > 0) await deps.record(tx, { action: actions[what], target: { kind: 'message', id: ids[0] ?? '' }, after });
  return { done, remaining: 0 };
}

/** Retries what failed of a campaign. Nothing failed is an answer; no such campaign is a mistake. */
export async function retryCampaign(
  tx: Tx,
  deps: MessageDeps,
  { campaignId, reason }: { campaignId: string; reason?: string | undefined },
): Promise<{ retried: number; skipped: number; remaining: number }> {
  const known = await deps.campaignNames(tx, [campaignId]);
  if (known.size === 0) throw invalidField('/campaignId', 'there is no such campaign');
  const { done, remaining } = await workByFilter(tx, deps, 'redrive', { campaignId, reason });
  return { retried: done, skipped: 0, remaining };
}
