import { z } from 'zod';
import { mailboxOf } from '../../contract/mailbox.ts';
import type { limits as givenLimitsSchema } from '../../contract/providers.ts';
import { AppError, invalidField } from '../platform/errors.ts';
import type { FieldProblem } from '../platform/errors.ts';
import { UnfitMessage, mailboxHeader, wireAddress } from './email/header.rules.ts';
import type { Mailbox, Provider } from './port.ts';

/** Decisions about accounts: what is open and what is secret, how a change is applied, who the sender is. */

export type Fields = Readonly<Record<string, unknown>>;

export interface OpenAndSecret {
  readonly settings: Fields;
  readonly secrets: Fields;
}

/** What callers give as one object, parted into what may be shown and what is sealed. */
export function partSettings(provider: Provider, given: Fields): OpenAndSecret {
  const secretNames = new Set(Object.keys(provider.secrets.shape));
  const settings: Record<string, unknown> = {};
  const secrets: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    (secretNames.has(name) ? secrets : settings)[name] = value;
  }
  return { settings, secrets };
}

/** What was left out, as it is then: the schema's own default, else null. */
export function withAbsent(provider: Provider, settings: Fields): Fields {
  const whole: Record<string, unknown> = { ...settings };
  for (const [name, schema] of Object.entries(provider.settings.shape)) {
    if (whole[name] === undefined && !z.safeParse(schema, undefined).success) whole[name] = null;
  }
  return whole;
}

/** Parses both halves by the provider's own schemas and refuses what is wrong with every field named. */
export function checkSettings(provider: Provider, given: OpenAndSecret): OpenAndSecret {
  const { settings, secrets } = provider.complete?.(given.settings, given.secrets) ?? given;
  const open = provider.settings.safeParse(settings);
  const sealed = provider.secrets.safeParse(secrets);
  const issues = [...(open.error?.issues ?? []), ...(sealed.error?.issues ?? [])];
  if (!open.success || !sealed.success) {
    throw refusal(issues.map((issue) => ({ pointer: `/settings/${issue.path.join('/')}`, message: issue.message })));
  }
  const problems = provider.problems(open.data, sealed.data);
  if (problems.length > 0) throw refusal(problems);
  return { settings: open.data, secrets: sealed.data };
}

function refusal(problems: readonly FieldProblem[]): AppError {
  const text = problems.map((problem) => `${problem.pointer.slice(1)} ${problem.message}`).join('; ');
  return new AppError('invalid-input', text, { errors: problems });
}

/**
 * Applies a change. A stored password does not follow its account to another host or onto an open line: whoever may
 * change accounts could otherwise have it sent to a server of his own.
 */
export function changeSettings(provider: Provider, stored: OpenAndSecret, given: Fields): OpenAndSecret {
  const change = partSettings(provider, given);
  const settings = { ...stored.settings, ...change.settings };
  const moved =
    settings['host'] !== stored.settings['host'] ||
    (settings['security'] === 'none' && stored.settings['security'] !== 'none');
  const keepsPassword = stored.secrets['password'] !== undefined && change.secrets['password'] === undefined;
  if (moved && keepsPassword) {
    throw invalidField('/settings/password', 'must be given again when the host changes or encryption is turned off');
  }
  const kept = Object.keys(stored.secrets).find((name) => change.secrets[name] === undefined);
  if (settings['baseUrl'] !== stored.settings['baseUrl'] && kept !== undefined)
    throw invalidField(`/settings/${kept}`, 'must be given again when the base URL changes');
  return checkSettings(provider, { settings, secrets: { ...stored.secrets, ...change.secrets } });
}

/** Who messages of an account come from, unless a campaign names its own. */
export interface SenderIdentity {
  readonly from?: Mailbox;
  readonly replyTo?: Mailbox;
}

export interface GivenSender {
  readonly from: string | { readonly email: string; readonly name?: string | undefined };
  readonly replyTo?: string | null | undefined;
}

/** Reads From and Reply-To as people write them; what could not stand in a header is refused here, not at hand-over. */
export function senderIdentity(given: GivenSender): SenderIdentity {
  const box = mailboxOf(
    typeof given.from === 'string'
      ? given.from
      : { email: given.from.email, ...(given.from.name === undefined ? {} : { name: given.from.name }) },
  );
  if (box === undefined)
    throw invalidField('/sender/from', 'must be an address, or a name and an address in angle brackets');
  const from = checkedMailbox(
    { address: box.email, ...(box.name === undefined ? {} : { name: box.name }) },
    '/sender/from',
  );
  if (given.replyTo === null || given.replyTo === undefined) return { from };
  return { from, replyTo: checkedMailbox({ address: given.replyTo }, '/sender/replyTo') };
}

function checkedMailbox(mailbox: Mailbox, pointer: string): Mailbox {
  try {
    mailboxHeader('From', mailbox.name, wireAddress(mailbox.address));
    return mailbox;
  } catch (error) {
    if (error instanceof UnfitMessage) throw invalidField(pointer, error.message);
    throw error;
  }
}

type Given = z.output<typeof givenLimitsSchema>;
type Known<T> = { readonly [Name in keyof T]?: Exclude<T[Name], undefined> };

/** What an account may send; delivery keeps to it. */
export type AccountLimits = Known<Given>;

/** Without the ones that were left out, which JSON would keep as nothing and comparisons as a change. */
export function givenLimits(limits: { readonly [Name in keyof Given]: Given[Name] }): AccountLimits {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

export interface HealthFacts {
  readonly accepted: number;
  readonly failed: number;
  readonly unknown: number;
  readonly lastAcceptedAt: Temporal.Instant | undefined;
  readonly lastFailureAt: Temporal.Instant | undefined;
  readonly lastFailure: string | undefined;
}

/** How an account does, in one word: judged by the last hour. */
export function healthState(facts: HealthFacts, paused: boolean): 'idle' | 'ok' | 'degraded' | 'down' | 'paused' {
  if (paused) return 'paused';
  const bad = facts.failed + facts.unknown;
  if (facts.accepted + bad === 0) return 'idle';
  if (facts.accepted === 0) return 'down';
  // One in twenty: below that, single addresses explain it.
  return bad * 20 > facts.accepted + bad ? 'degraded' : 'ok';
}
