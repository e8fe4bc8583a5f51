import type { MessageGiven } from '../../contract/messages.ts';
import type { AddressKind } from '../audience/index.ts';
import { AppError, invalidField } from '../platform/errors.ts';
import type { Decision } from './gate.rules.ts';
import type { SendableTemplate, Tried } from './ports.ts';

/** What a caller is told of one message. */
export interface Answer {
  readonly id: string;
  readonly state: 'planned' | 'held' | 'suppressed';
  readonly decision: { outcome: 'send' | 'hold' | 'suppress'; reason?: string; until?: string };
}

const farthestDays = 366;

/** The addresses a channel goes to; in-app goes to the contact, whichever of its addresses carries the consent. */
const kinds: Readonly<Record<string, AddressKind | 'any'>> = {
  email: 'email',
  sms: 'phone',
  whatsapp: 'phone',
  push: 'push',
  inapp: 'any',
};

export function kindOf(channel: string): AddressKind | 'any' {
  return kinds[channel] ?? 'email';
}

/** The address that is named, if one is; refused where the channel does not go to its kind. */
export function writtenIn(
  { to, channel }: Pick<MessageGiven, 'to' | 'channel'>,
  pointer: string,
): { kind: AddressKind; value: string } | undefined {
  const written = addressIn(to);
  if (written === undefined || kindOf(channel) === written.kind) return written;
  const how = channel === 'inapp' ? 'contactId or externalId' : `contactId, externalId or ${kindOf(channel)}`;
  throw invalidField(`${pointer}/to/${written.kind}`, `is not where ${channel} goes: give ${how}`);
}

function addressIn(to: MessageGiven['to']): { kind: AddressKind; value: string } | undefined {
  if ('email' in to) return { kind: 'email', value: to.email };
  if ('phone' in to) return { kind: 'phone', value: to.phone };
  return 'push' in to ? { kind: 'push', value: to.push } : undefined;
}

export function answerOf(id: string, decision: Decision): Answer {
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

/** Refuses a template that is for another channel, and marketing that is about nothing anybody can have agreed to. */
export function checkTemplate(
  template: Pick<SendableTemplate, 'channel' | 'category'>,
  given: Pick<MessageGiven, 'channel' | 'topic'>,
  needsTopic: boolean,
  pointer: string,
): void {
  if (template.channel !== given.channel)
    throw invalidField(`${pointer}/templateId`, `is a template for ${template.channel}, not for ${given.channel}`);
  if (given.topic === undefined && needsTopic)
    throw new AppError(
      'message/topic-required',
      `A ${template.category} template needs a topic the person agreed to.`,
      { errors: [{ pointer: `${pointer}/topic`, message: 'is required for a marketing template' }] },
    );
}

/** The time before which it must not go; null for at once. */
export function timeOf(sendAt: string | undefined, now: Temporal.Instant, pointer: string): Temporal.Instant | null {
  if (sendAt === undefined) return null;
  const at = Temporal.Instant.from(sendAt);
  if (Temporal.Instant.compare(at, now.add({ hours: 24 * farthestDays })) > 0)
    throw invalidField(`${pointer}/sendAt`, 'is more than a year ahead');
  return at;
}

/** What is missing is named where the caller can put it right: a variable in the call, a value of the contact at `to`. */
export function checkTried(tried: Tried, pointer: string): void {
  if (tried.ok) return;
  if (tried.missing.length === 0)
    throw new AppError('message/render-failed', tried.detail, {
      errors: [{ pointer: `${pointer}/templateId`, message: tried.detail }],
    });
  throw new AppError(
    'message/missing-variable',
    `Without a value and without a default: ${tried.missing.join(', ')}.`,
    { errors: tried.missing.map((name) => missingAt(name, pointer)) },
  );
}

function missingAt(name: string, pointer: string): { pointer: string; message: string } {
  const [root, ...rest] = name.split('.');
  if (root === 'variables' && rest.length > 0)
    return {
      pointer: `${pointer}/${[root, ...rest.map(escaped)].join('/')}`,
      message: 'is missing and has no default',
    };
  const place = root === 'contact' ? 'to' : 'templateId';
  return { pointer: `${pointer}/${place}`, message: `has no value for ${name}, which has no default` };
}

/** RFC 6901. */
function escaped(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}
