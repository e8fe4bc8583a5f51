import type { AddressKind } from './audience/index.ts';
import { outgoingOf } from './composing.ts';
import type { Ends } from './ends.ts';
import type { Tx } from './platform/db.ts';
import { AppError, invalidField } from './platform/errors.ts';
import type { AnyRenderer, ContentRenderer, Renderer, RenderInput, TestSend } from './templates/index.ts';
import { firstOpen, post, systemMailMs, takenBy } from './wiring.ts';

type Sent = { messageId: string; state: string };

/**
 * A test of a template: rendered with the given or made-up values, its links leading straight to where they lead. It is
 * no message of the ledger, and whoever asked for it names the address, so no gate is asked.
 */
export function testSender(ends: Ends) {
  return async (tx: Tx, test: TestSend): Promise<Sent> => {
    const renderer = await ends.templates.renderer(tx, test.templateId, test.version);
    const input = await inputOf(ends, tx, test, renderer);
    const state =
      renderer.channel === 'email'
        ? await sendMail(ends, tx, test, renderer, input)
        : await sendContent(ends, tx, test, renderer, input);
    return { messageId: test.id, state };
  };
}

async function inputOf(ends: Ends, tx: Tx, test: TestSend, renderer: AnyRenderer): Promise<RenderInput> {
  const { name, postalAddress } = await ends.workspaces.settings(tx);
  const data = { contact: test.contact, variables: test.variables, workspace: { name, postalAddress } };
  const origin = ends.origin();
  const urls = {
    click: (n: number) => renderer.resolveLink(n, data) ?? origin,
    open: `${origin}/favicon.ico`,
    unsubscribe: `${origin}/u/test`,
    preferences: `${origin}/p/test`,
  };
  return { ...data, urls };
}

function refuse(result: { missing: readonly string[] } | { failure: string; where: string }): never {
  if ('missing' in result)
    throw new AppError(
      'message/missing-variable',
      `Without a value and without a default: ${result.missing.join(', ')}.`,
    );
  throw new AppError('message/render-failed', `${result.where}: ${result.failure}`);
}

async function addressOf(ends: Ends, tx: Tx, kind: AddressKind, value: string) {
  const read = await ends.audience.people.addressReader(tx, new Set([kind]));
  return read({ kind, value }, '/to');
}

async function sendMail(ends: Ends, tx: Tx, test: TestSend, renderer: Renderer, input: RenderInput): Promise<string> {
  const { value } = await addressOf(ends, tx, 'email', test.to);
  const account = await firstOpen(ends, tx, 'email');
  const content = renderer.render(input);
  if (!('subject' in content)) return refuse(content);
  const { subject, text, html } = content;
  return post(account, { messageId: test.id, to: value, subject, text: text ?? '', html: html ?? undefined });
}

async function sendContent(
  ends: Ends,
  tx: Tx,
  test: TestSend,
  renderer: ContentRenderer,
  input: RenderInput,
): Promise<string> {
  const reached = await recipientOf(ends, tx, renderer.channel, test.to);
  const account = await firstOpen(ends, tx, renderer.channel, reached.platform);
  const result = renderer.render(input);
  if (!('content' in result)) return refuse(result);
  const { category } = (await ends.templates.get(tx, test.templateId)).row;
  const envelope = { ...reached, messageId: test.id, category, kind: account.kind, now: ends.clock.now() };
  const composed = outgoingOf(result.content, envelope);
  if (!composed.ok) throw new AppError('message/render-failed', composed.detail);
  return takenBy(account, await account.sender.send(composed.outgoing, AbortSignal.timeout(systemMailMs)));
}

interface Reached {
  readonly to: string;
  readonly contactId: string;
  readonly country: string | null;
  readonly platform: string | undefined;
}

async function recipientOf(ends: Ends, tx: Tx, channel: ContentRenderer['channel'], to: string): Promise<Reached> {
  if (channel === 'inapp') {
    if (!(await ends.audience.people.exists(tx, to)))
      throw invalidField('/to', 'is no contact of this workspace: give its id');
    return { to: '', contactId: to, country: null, platform: undefined };
  }
  const address = await addressOf(ends, tx, channel === 'push' ? 'push' : 'phone', to);
  const platform = channel === 'push' ? (address.lineType ?? undefined) : undefined;
  return { to: address.value, contactId: '', country: address.country, platform };
}
