import type { Audience } from './audience/index.ts';
import { contactVariables } from './audience/index.ts';
import type { Channels, LaneAccount as ChannelAccount, Mailbox } from './channels/index.ts';
import type { Composer, LaneAccount, PlanRow } from './delivery/index.ts';
import { needsConsent } from './delivery/index.ts';
import type { Clock } from './platform/clock.ts';
import type { Db, Tx } from './platform/db.ts';
import { AppError } from './platform/errors.ts';
import { newId } from './platform/ids.ts';
import { clickToken, makeToken } from './platform/links.ts';
import type { Vault } from './platform/sealing.ts';
import { confidential } from './sandbox/index.ts';
import type { MessageUrls, Renderer, Templates, TestSend } from './templates/index.ts';
import type { SystemMail, Workspaces } from './workspaces/index.ts';

/** What the wires run between. Each function here fills a port of one slice from others below or beside it. */
export interface Ends {
  readonly clock: Clock;
  readonly vault: Vault;
  readonly origin: () => string;
  readonly audience: Audience;
  readonly templates: Templates;
  readonly channels: Channels;
  readonly workspaces: Workspaces;
}

const given = <T extends object>(name: string, value: T | undefined) => (value === undefined ? {} : { [name]: value });

/** Where the links of one message lead: one signature for all of them. */
export function urlsOf(origin: string, linkKey: Uint8Array, workspaceId: string, messageId: string): MessageUrls {
  const token = makeToken(linkKey, { workspaceId, messageId });
  return {
    click: (n) => `${origin}/t/c/${clickToken(token, n)}`,
    open: `${origin}/t/o/${token}`,
    unsubscribe: `${origin}/u/${token}`,
    preferences: `${origin}/p/${token}`,
  };
}

function mailbox(one: { readonly address: string; readonly name?: string | undefined }): Mailbox {
  return one.name === undefined ? { address: one.address } : { address: one.address, name: one.name };
}

/** Whether it reads the contact's phone. A path that is only known while rendering is "contact": it may be any. */
export function needsPhone({ compiled }: Renderer): boolean {
  return compiled.variables.some(({ name }) => /^contact(\.phone(\.|$)|$)/.test(name));
}

/** Makes e-mail of ledger rows: everything that is the same for a batch is read and built once. */
export async function composerFor(ends: Ends, tx: Tx, plan: PlanRow, account: LaneAccount): Promise<Composer> {
  const renderer = await ends.templates.renderer(tx, plan.templateId, plan.templateVersion);
  const settings = await ends.workspaces.settings(tx);
  const [lane] = await ends.channels.accountsFor(tx, plan.channel, account.id);
  const from = plan.sender.from === undefined ? lane?.identity.from : mailbox(plan.sender.from);
  const replyTo = plan.sender.replyTo === undefined ? lane?.identity.replyTo : mailbox(plan.sender.replyTo);
  const workspace = { name: settings.name, postalAddress: settings.postalAddress };
  const { workspaceId } = tx;
  const linkKey = ends.vault.linkKey(workspaceId);
  const origin = ends.origin();
  const feedbackId = `${plan.sourceId ?? 'single'}:${plan.category}:${workspaceId}:parley`;
  const canLeave = needsConsent(plan.category);
  const inParts = account.sender.many !== undefined;
  return {
    needsPhone: needsPhone(renderer),
    compose: (row, address, phone) => {
      if (from === undefined) return { ok: false, reason: 'no-sender', detail: 'The account has no From address.' };
      const urls = urlsOf(origin, linkKey, workspaceId, row.id);
      const contact = contactVariables({
        ...row,
        id: row.contactId,
        attributes: attributesOf(row.attributes),
        email: address,
        phone,
      });
      const content = renderer.render({ contact, variables: row.variables ?? {}, workspace, urls }, inParts);
      if ('missing' in content) return { ok: false, reason: 'missing-variable', detail: content.missing.join(', ') };
      if ('failure' in content)
        return { ok: false, reason: 'render-failed', detail: `${content.where}: ${content.failure}` };
      return {
        ok: true,
        outgoing: {
          channel: 'email',
          messageId: row.id,
          to: address,
          from,
          ...given('replyTo', replyTo),
          subject: content.subject,
          ...(content.html === null ? {} : { html: content.html }),
          text: content.text ?? '',
          ...given('merge', content.merge),
          ...(canLeave ? { unsubscribeUrl: urls.unsubscribe } : {}),
          feedbackId,
        },
      };
    },
  };
}

/** Attributes were validated when they were written. */
export function attributesOf(
  stored: Readonly<Record<string, unknown>>,
): Parameters<typeof contactVariables>[0]['attributes'] {
  return stored as Parameters<typeof contactVariables>[0]['attributes'];
}

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

const systemMailMs = 20_000;

async function firstOpen(ends: Ends, tx: Tx): Promise<ChannelAccount> {
  const accounts = await ends.channels.accountsFor(tx, 'email');
  const account = accounts.find((one) => !one.paused);
  if (account === undefined)
    throw new AppError('message/no-account', 'No e-mail account is open. Connect one, or resume it.');
  return account;
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
async function post(account: ChannelAccount, letter: Letter): Promise<string> {
  const from = account.identity.from;
  if (from === undefined)
    throw new AppError('message/no-account', `The account "${account.name}" has no From address.`);
  const { html, ...rest } = letter;
  const result = await account.sender.send(
    { channel: 'email', from, ...rest, ...(html === undefined ? {} : { html }) },
    AbortSignal.timeout(systemMailMs),
  );
  if (result.kind === 'accepted') return 'accepted';
  const words = result.kind === 'unknown' ? result.cause : result.reason;
  throw new AppError('message/not-sent', `The account "${account.name}" did not take it: ${words} (${result.code}).`);
}

/** Reset links, invitations: from the first open account of the workspace. */
export function systemMailer(ends: Ends, read: <T>(workspaceId: string, work: (tx: Tx) => Promise<T>) => Promise<T>) {
  return async (workspaceId: string, mail: SystemMail): Promise<void> => {
    const account = await read(workspaceId, (tx) => firstOpen(ends, tx));
    const { readerId, ...letter } = mail;
    // What the sandbox catches, colleagues look at; a real account needs no such mark, and its readers no ids of ours.
    const headers = account.isSandbox ? confidential(readerId) : {};
    await post(account, { messageId: newId(ends.clock), ...letter, headers });
  };
}

/** A test of a template: rendered with the given or made-up values, its links leading straight to where they lead. */
export function testSender(ends: Ends) {
  return async (tx: Tx, test: TestSend): Promise<{ messageId: string; state: string }> => {
    const account = await firstOpen(ends, tx);
    const renderer = await ends.templates.renderer(tx, test.templateId, test.version);
    const { name, postalAddress } = await ends.workspaces.settings(tx);
    const data = { contact: test.contact, variables: test.variables, workspace: { name, postalAddress } };
    const origin = ends.origin();
    const content = renderer.render({
      ...data,
      urls: {
        click: (n) => renderer.resolveLink(n, data) ?? origin,
        open: `${origin}/favicon.ico`,
        unsubscribe: `${origin}/u/test`,
        preferences: `${origin}/p/test`,
      },
    });
    if ('missing' in content)
      throw new AppError(
        'message/missing-variable',
        `Without a value and without a default: ${content.missing.join(', ')}.`,
      );
    if ('failure' in content) throw new AppError('message/render-failed', `${content.where}: ${content.failure}`);
    const state = await post(account, {
      messageId: test.id,
      to: test.to,
      subject: content.subject,
      text: content.text ?? '',
      html: content.html ?? undefined,
    });
    return { messageId: test.id, state };
  };
}

const problem = (key: string, title: string, detail: string, fix: string) => {
  return { key, title, state: 'problem' as const, detail, fix };
};
const accountMissing = problem(
  'account',
  'An account to send with',
  'No account is open on this channel.',
  'Connect an account, or resume a paused one, under Settings, E-mail accounts.',
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
    laneLimits: async (tx: Tx, channel: string) => (await first(tx, channel))?.limits,
    accountProblems: async (tx: Tx, { channel, from }: Question) => {
      const account = await first(tx, channel);
      if (account === undefined) return [accountMissing];
      if (from !== undefined || account.identity.from !== undefined) return [];
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
