import type { LaneAccount as ChannelAccount, SendResult } from './channels/index.ts';
import { mailbox } from './composing.ts';
import type { Ends } from './ends.ts';
import { objectionsOf } from './fitness.ts';
import type { Db, Tx } from './platform/db.ts';
import { AppError } from './platform/errors.ts';
import { newId } from './platform/ids.ts';
import { confidential } from './sandbox/index.ts';
import type { SystemMail } from './workspaces/index.ts';

/** Where link `n` of a message leads for its contact now. */
export function destinationOf(ends: Ends) {
  return async (
    tx: Tx,
    message: {
      contactId: string;
      templateId: string;
      templateVersion: number;
      variables: Readonly<Record<string, unknown>> | null;
    },
    n: number,
  ): Promise<string | undefined> => {
    const contact = await ends.audience.people.variablesOf(tx, message.contactId);
    if (contact === undefined) return undefined;
    const { name, postalAddress } = await ends.workspaces.settings(tx);
    const data = { contact, variables: message.variables ?? {}, workspace: { name, postalAddress } };
    return ends.templates.resolveLink(tx, message.templateId, message.templateVersion, n, data);
  };
}

export const systemMailMs = 20_000;

const channelNames: Readonly<Record<string, string>> = {
  email: 'e-mail',
  sms: 'SMS',
  whatsapp: 'WhatsApp',
  push: 'push',
  inapp: 'in-app',
};

/** `kind`: of push, where only the account of a platform will do. */
export async function firstOpen(ends: Ends, tx: Tx, channel: string, kind?: string): Promise<ChannelAccount> {
  const accounts = await ends.channels.accountsFor(tx, channel);
  const account = accounts.find((one) => !one.paused && (kind === undefined || one.kind === kind));
  if (account !== undefined) return account;
  const which = `${channelNames[channel] ?? channel}${kind === undefined ? '' : ` (${kind})`}`;
  throw new AppError('message/no-account', `No account for ${which} is open. Connect one, or resume it.`);
}

interface Letter {
  readonly messageId: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A mail that is no message of the ledger: to somebody who works here, who asked for it a moment ago. */
export async function post(account: ChannelAccount, letter: Letter): Promise<string> {
  const from = account.identity.from;
  if (from === undefined)
    throw new AppError('message/no-account', `The account "${account.name}" has no From address.`);
  const { html, ...rest } = letter;
  const result = await account.sender.send(
    { channel: 'email', from, ...rest, ...(html === undefined ? {} : { html }) },
    AbortSignal.timeout(systemMailMs),
  );
  return takenBy(account, result);
}

export function takenBy({ name }: Pick<ChannelAccount, 'name'>, result: SendResult): string {
  if (result.kind === 'accepted') return 'accepted';
  const words = result.kind === 'unknown' ? result.cause : result.reason;
  throw new AppError('message/not-sent', `The account "${name}" did not take it: ${words} (${result.code}).`);
}

/** Reset links, invitations: from the first open account of the workspace. */
export function systemMailer(ends: Ends, read: <T>(workspaceId: string, work: (tx: Tx) => Promise<T>) => Promise<T>) {
  return async (workspaceId: string, mail: SystemMail): Promise<void> => {
    const account = await read(workspaceId, (tx) => firstOpen(ends, tx, 'email'));
    const { readerId, ...letter } = mail;
    // What the sandbox catches, colleagues look at; a real account needs no such mark, and its readers no ids of ours.
    const headers = account.isSandbox ? confidential(readerId) : {};
    await post(account, { messageId: newId(ends.clock), ...letter, headers });
  };
}

const problem = (key: string, title: string, detail: string, fix: string) => {
  return { key, title, state: 'problem' as const, detail, fix };
};
const accountMissing = problem(
  'account',
  'An account to send with',
  'No account is open on this channel.',
  'Connect an account, or resume a paused one, under Settings, Accounts.',
);

interface Question {
  readonly channel: string;
  readonly from: { readonly address: string; readonly name?: string | undefined } | undefined;
}

/** What campaigns ask about the account that the channel's route begins with. */
export function campaignPorts(ends: Ends, db: Db) {
  const first = async (tx: Tx, channel: string) =>
    (await ends.channels.accountsFor(tx, channel)).find((one) => !one.paused);
  return {
    objections: async (tx: Tx, templateId: string, version: number, category: string) =>
      objectionsOf(await ends.templates.renderer(tx, templateId, version), category),
    laneLimits: async (tx: Tx, channel: string) => (await first(tx, channel))?.limits,
    accountProblems: async (tx: Tx, { channel, from }: Question) => {
      const account = await first(tx, channel);
      if (account === undefined) return [accountMissing];
      // Only mail is from an address; other channels' senders are settings of the account.
      if (channel !== 'email' || from !== undefined || account.identity.from !== undefined) return [];
      const detail = `The account "${account.name}" has no From address.`;
      return [problem('sender', 'A From address', detail, 'Give the account, or this campaign, a From address.')];
    },
    accountReadiness: async (workspaceId: string, { channel, from }: Question) => {
      const account = await db.read(workspaceId, (tx) => first(tx, channel));
      if (account === undefined) return [];
      const query = { workspaceId, accountId: account.id, publicOrigin: ends.origin() };
      return ends.channels.readiness(db, from === undefined ? query : { ...query, from: mailbox(from) });
    },
  };
}
