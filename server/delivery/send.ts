import type { z } from 'zod';
import type { sendWithConsent } from '../../contract/messages.ts';
import type { Tx } from '../platform/db.ts';
import { AppError, invalidField } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { decide, needsConsent } from './gate.rules.ts';
import type { Decision } from './gate.rules.ts';
import { readRecipientFacts } from './ledger.store.ts';
import { planPage, sharedPlan } from './plan.ts';
import type { Recipient } from './plan.ts';
import type { PlanRow } from './plan.store.ts';
import type { MessageDeps } from './ports.ts';

type Body = z.output<(typeof sendWithConsent)['body']>;
type Given = Extract<Body, { to: unknown }>;

export interface Answer {
  readonly id: string;
  readonly state: 'planned' | 'held' | 'suppressed';
  readonly decision: { outcome: 'send' | 'hold' | 'suppress'; reason?: string; until?: string };
}

interface Intended {
  readonly given: Given;
  readonly pointer: string;
  readonly plan: PlanRow;
  readonly contactId: string;
  readonly addressId: string | null;
}

const farthestDays = 366;

/**
 * One message or many: each gets its row in the ledger and its decision in the answer. A wrong one refuses the whole
 * call, naming it, before anything is written. The gate decides once more at the hand-over.
 */
export async function send(tx: Tx, deps: MessageDeps, body: Body, shard: number): Promise<Answer[]> {
  const list = 'messages' in body ? body.messages : [body];
  const intended: Intended[] = [];
  const asking = remembering(deps);
  for (const [i, given] of list.entries())
    intended.push(await intend(tx, asking, given, 'messages' in body ? `/messages/${i}` : ''));
  const answers = new Map<string, Answer>();
  const ids = list.map(() => newId(deps.clock));
  for (const [plan, positions] of byPlan(intended)) {
    const facts = await readRecipientFacts(
      tx,
      plan.channel,
      plan.topicId,
      positions.flatMap((i) => intended[i]?.addressId ?? []),
    );
    const recipients = positions.map((i): Recipient => {
      const one = need(intended[i]);
      const id = need(ids[i]);
      const notBefore = one.given.sendAt === undefined ? null : Temporal.Instant.from(one.given.sendAt);
      const fact = one.addressId === null ? undefined : facts.get(one.addressId);
      const decision = decide(
        {
          plan,
          notBefore,
          contactErased: fact?.erasedAt != null,
          addressState: fact?.addressState ?? null,
          suppression: fact?.suppression ?? null,
          consent: fact?.consent ?? null,
        },
        deps.clock.now(),
      );
      answers.set(id, answerOf(id, decision));
      return {
        messageId: id,
        recipientKey: id,
        contactId: one.contactId,
        addressId: one.addressId,
        ...(one.given.variables === undefined ? {} : { variables: one.given.variables }),
        ...(notBefore === null ? {} : { notBefore }),
        ...(decision.outcome === 'suppress' ? { suppressed: decision.reason } : {}),
      };
    });
    await planPage(tx, deps, plan, recipients, shard);
  }
  return ids.map((id) => need(answers.get(id)));
}

/** Messages of one call mostly share template and topic: each is looked up once a call, not once a message. */
function remembering(deps: MessageDeps): MessageDeps {
  const templates = new Map<string, ReturnType<MessageDeps['templateFor']>>();
  const topics = new Map<string, ReturnType<MessageDeps['topicIdOf']>>();
  return {
    ...deps,
    templateFor: (tx, id, pointer) => known(templates, id, () => deps.templateFor(tx, id, pointer)),
    topicIdOf: (tx, key, pointer) => known(topics, key, () => deps.topicIdOf(tx, key, pointer)),
  };
}

function known<Value>(values: Map<string, Value>, key: string, find: () => Value): Value {
  const value = values.get(key) ?? find();
  values.set(key, value);
  return value;
}

function answerOf(id: string, decision: Decision): Answer {
  switch (decision.outcome) {
    case 'send':
      return { id, state: 'planned', decision: { outcome: 'send' } };
    case 'hold':
      return {
        id,
        state: 'held',
        decision: { outcome: 'hold', reason: decision.reason, until: decision.until.toString() },
      };
    case 'suppress':
      return { id, state: 'suppressed', decision: { outcome: 'suppress', reason: decision.reason } };
    case 'cancel':
    case 'expire':
      throw new Error('a plan of the API is neither cancelled nor expired');
  }
}

/** Everything that can be wrong with one message is found here, before a row is written. */
async function intend(tx: Tx, deps: MessageDeps, given: Given, pointer: string): Promise<Intended> {
  const template = await deps.templateFor(tx, given.templateId, `${pointer}/templateId`);
  if (template.channel !== given.channel)
    throw invalidField(`${pointer}/templateId`, `is a template for ${template.channel}, not for ${given.channel}`);
  if (given.topic === undefined && needsConsent(template.category))
    throw new AppError(
      'message/topic-required',
      `A ${template.category} template needs a topic the person agreed to.`,
      { errors: [{ pointer: `${pointer}/topic`, message: 'is required for a marketing template' }] },
    );
  const topicId = given.topic === undefined ? null : await deps.topicIdOf(tx, given.topic, `${pointer}/topic`);
  checkTime(given.sendAt, deps.clock.now(), pointer);
  const { contactId, addressId } = await deps.recipientOf(tx, given.to, given.channel, topicId, `${pointer}/to`);
  await checkContent(tx, deps, given, template.version, contactId, addressId, pointer);
  const plan = await sharedPlan(tx, deps, {
    source: 'api',
    sourceId: null,
    channel: given.channel,
    category: template.category,
    topicId,
    templateId: given.templateId,
    templateVersion: template.version,
  });
  return { given, pointer, plan, contactId, addressId };
}

function checkTime(sendAt: string | undefined, now: Temporal.Instant, pointer: string): void {
  if (sendAt === undefined) return;
  if (Temporal.Instant.compare(Temporal.Instant.from(sendAt), now.add({ hours: 24 * farthestDays })) > 0)
    throw invalidField(`${pointer}/sendAt`, 'is more than a year ahead');
}

async function checkContent(
  tx: Tx,
  deps: MessageDeps,
  given: Given,
  version: number,
  contactId: string,
  addressId: string | null,
  pointer: string,
): Promise<void> {
  const tried = await deps.tryRender(tx, {
    templateId: given.templateId,
    version,
    contactId,
    addressId,
    variables: given.variables ?? {},
  });
  if (tried.ok) return;
  if (tried.missing.length === 0)
    throw new AppError('message/render-failed', tried.detail, {
      errors: [{ pointer: `${pointer}/templateId`, message: tried.detail }],
    });
  throw new AppError(
    'message/missing-variable',
    `Without a value and without a default: ${tried.missing.join(', ')}.`,
    {
      errors: tried.missing.map((name) => ({
        pointer: `${pointer}/${name.replaceAll('.', '/')}`,
        message: 'is missing and has no default',
      })),
    },
  );
}

function byPlan(intended: readonly Intended[]): Map<PlanRow, number[]> {
  const plans = new Map<string, { plan: PlanRow; positions: number[] }>();
  for (const [i, { plan }] of intended.entries()) {
    const entry = plans.get(plan.id) ?? { plan, positions: [] };
    entry.positions.push(i);
    plans.set(plan.id, entry);
  }
  return new Map([...plans.values()].map(({ plan, positions }) => [plan, positions]));
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a list lost an element');
  return value;
}
