import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Receipt } from '../channels/index.ts';
import { newId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { makeReturnPath } from '../platform/return-path.ts';
import { createCallbackDesk } from './callback-desk.ts';
import type { CallbackDesk } from './callback-desk.ts';
import { openMailDoor } from './mail-door.ts';
import type { MailDoor } from './mail-door.ts';
import { createInboundLab } from './testing.ts';

type Lab = Awaited<ReturnType<typeof createInboundLab>>;
let lab: Lab;
let desk: CallbackDesk;
let door: MailDoor;
const applied: Receipt[] = [];

beforeAll(async () => {
  lab = await createInboundLab();
  const { db, below } = lab;
  desk = createCallbackDesk({
    hot: db.pinned,
    clock: db.clock,
    vault: db.vault,
    log: silentLog,
    events: below.activity,
    channels: { receiptsFor: async () => undefined },
    delivery: {
      applyReceipts: async (_tx, _account, receipts) => {
        applied.push(...receipts);
        return { unmatched: [] };
      },
      messageOfRef: async () => undefined,
    },
    consent: below.consent,
    choices: lab.choices,
    findAddress: below.audience.people.findAddress,
  });
  door = await openMailDoor({
    host: '127.0.0.1',
    port: 0,
    domain: 'returns.example',
    clock: db.clock,
    log: silentLog,
    linkKey: (id) => db.vault.linkKey(id),
    keep: desk.keepMail,
  });
});
afterAll(async () => {
  await door.close();
  await lab.close();
});

/** Speaks the commands one after the other; answers the codes. */
function converse(...commands: readonly string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(door.port, '127.0.0.1');
    const codes: string[] = [];
    const waiting = ['EHLO mx.example.org', ...commands, 'QUIT'];
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString();
      const last = heard.split('\r\n').at(-2) ?? '';
      if (!heard.endsWith('\r\n') || !/^\d{3} /.test(last)) return;
      codes.push(last.slice(0, 3));
      heard = '';
      const next = waiting.shift();
      if (next === undefined) return void socket.end();
      socket.write(`${next}\r\n`);
    });
    socket.on('close', () => resolve(codes));
    socket.on('error', reject);
  });
}

const bounce = (recipient: string) =>
  [
    'From: MAILER-DAEMON@mx.example.org',
    'Message-ID: <bounce-1@mx.example.org>',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    '',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.org',
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    'Action: failed',
    'Status: 5.1.1',
    `Diagnostic-Code: smtp; 550 5.1.1 <${recipient}> no such user`,
    '',
    '--b--',
    '.',
  ].join('\r\n');

const pathOf = (messageId: string) =>
  `${makeReturnPath(lab.db.vault.linkKey(lab.db.workspaceId), { workspaceId: lab.db.workspaceId, messageId })}@returns.example`;

describe('the door for mail that comes back', () => {
  it('takes a bounce to the return path of a message, keeps it before it says so, and reads it once', async () => {
    const sent = await lab.send();
    const deliver = () =>
      converse('MAIL FROM:<>', `RCPT TO:<${pathOf(sent.messageId).toUpperCase()}>`, 'DATA', bounce(sent.email));
    expect(await deliver()).toEqual(['220', '250', '250', '250', '354', '250', '221']);
    await deliver();
    const { rows } = await lab.db.owner.query<{ sealed: Buffer }>('select sealed from callback');
    expect(rows).toHaveLength(2);
    expect(rows[0]?.sealed.toString('latin1')).not.toContain('Final-Recipient');
    await desk.reader.drain();
    expect(applied).toMatchObject([
      {
        kind: 'bounced',
        category: 'address',
        messageId: sent.messageId,
        code: '5.1.1',
        reason: expect.not.stringContaining(sent.email),
      },
    ]);
  });

  it('takes what a person answers, as a reply to the message', async () => {
    const sent = await lab.send();
    const reply = `From: ${sent.email}\r\nSubject: Re: News\r\nMessage-ID: <r@example.com>\r\n\r\nThanks!\r\n.`;
    await converse(`MAIL FROM:<${sent.email}>`, `RCPT TO:<${pathOf(sent.messageId)}>`, 'DATA', reply);
    await desk.reader.drain();
    const { rows } = await lab.db.owner.query(
      'select contact_id, automatic from inbound_message where contact_id = $1',
      [sent.contactId],
    );
    expect(rows).toEqual([{ contact_id: sent.contactId, automatic: false }]);
  });

  it.each([
    ['another domain', () => 'someone@example.org'],
    ['a mailbox we do not have', () => 'postmaster@returns.example'],
    ['a path with a forged signature', () => `b${'a'.repeat(61)}@returns.example`],
    ['a path of another domain', () => pathOf(newId(lab.db.clock)).replace('returns', 'other')],
  ])('is closed to %s', async (_what, address) => {
    expect((await converse('MAIL FROM:<x@example.org>', `RCPT TO:<${address()}>`)).slice(3)).toEqual(['550', '221']);
  });

  it('refuses mail about a message that is not there (any more)', async () => {
    const codes = await converse(
      'MAIL FROM:<>',
      `RCPT TO:<${pathOf(newId(lab.db.clock))}>`,
      'DATA',
      bounce('x@example.org'),
    );
    expect(codes.at(-2)).toBe('550');
  });
});
