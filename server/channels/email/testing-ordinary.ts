/** Mail that is no bounce, of the kinds that reach a return path or a reply address all the same. */

interface Draft {
  readonly what: string;
  readonly from?: string;
  readonly subject: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
  readonly html?: string;
  /** Whole body with its own Content-Type, instead of text or HTML. */
  readonly body?: { readonly type: string; readonly content: string };
}

const quoted =
  '\n\nAm 12.11.2026 um 10:00 schrieb News:\n> Dear Ada,\n> your order could not be delivered to ada@example.com.\n> 550 5.1.1 User unknown\n';

const replies: readonly Draft[] = [
  { what: 'a plain reply', subject: 'Re: News', text: 'Thanks, that helps.' },
  { what: 'a reply that quotes a failure', subject: 'Re: Delivery failed?', text: `What does this mean?${quoted}` },
  {
    what: 'a reply that asks about a bounce',
    subject: 'Undelivered Mail Returned to Sender',
    text: 'I got "550 5.1.1 user unknown" for bob@example.org. Can you help? My message could not be delivered.',
  },
  {
    what: 'a complaint in words',
    subject: 'Re: News',
    text: 'This is spam. Stop it, or I report you. My mailbox is full of your mail!',
  },
  { what: 'a wish to leave', subject: 'unsubscribe', text: 'unsubscribe' },
  {
    what: 'a change of address',
    subject: 'New address',
    text: 'My old address does not exist any more. Please write to ada.new@example.net. The old account is disabled.',
  },
  {
    what: 'somebody who has left the company, by hand',
    subject: 'Re: News',
    text: 'Mr Byron is no longer with the company. The address a.byron@example.com is no longer valid; write to office@example.com.',
  },
  {
    what: 'a German reply',
    subject: 'AW: Ihre Nachricht',
    text: 'Vielen Dank! Die letzte Mail konnte nicht zugestellt werden, jetzt klappt es.',
  },
  {
    what: 'a French reply',
    subject: 'RE: Bonjour',
    text: 'Merci. Votre message précédent n’a pas pu être remis à marie@example.fr.',
  },
  {
    what: 'a Japanese reply',
    subject: 'Re: お知らせ',
    text: 'ありがとうございます。前のメールは配信できませんでした。',
  },
  { what: 'a Russian reply', subject: 'Re: Новости', text: 'Спасибо! Прошлое письмо не может быть доставлено?' },
  {
    what: 'a forward of a bounce by a person',
    subject: 'Fwd: Mail delivery failed: returning message to sender',
    text: 'FYI\n\n---------- Forwarded message ----------\nFrom: Mail Delivery System <mailer-daemon@mx.example.org>\n\nThis message was created automatically by mail delivery software.\n  bob@example.org\n    550 5.1.1 User unknown\n',
  },
  {
    what: 'a reply in HTML only',
    subject: 'Re: News',
    html: '<p>Thanks!</p><blockquote>Delivery to the following recipients failed: ada@example.com</blockquote>',
  },
  { what: 'a reply without a subject', subject: '', text: 'ok' },
  { what: 'a reply of one emoji', subject: 'Re: News', text: '👍' },
  {
    what: 'a signed reply',
    subject: 'Re: News',
    body: {
      type: 'multipart/signed; boundary=s; micalg=pgp-sha256; protocol="application/pgp-signature"',
      content:
        '--s\r\nContent-Type: text/plain\r\n\r\nYes.\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\n-----BEGIN PGP SIGNATURE-----\r\n-----END PGP SIGNATURE-----\r\n--s--\r\n',
    },
  },
  {
    what: 'a reply from a post office',
    from: 'postmaster@parcels.example.com',
    subject: 'Your question about parcel 550',
    text: 'Dear customer,\n\nyour parcel arrives tomorrow.\n\nThe postmaster of Exampletown',
  },
];

const auto = (what: string, subject: string, text: string, headers: Readonly<Record<string, string>> = {}): Draft => ({
  what,
  subject,
  text,
  headers,
});
const autoReplied = { 'Auto-Submitted': 'auto-replied' };
const autoReplies: readonly Draft[] = [
  auto('a vacation notice (RFC 3834)', 'Away until May 5', 'I am away and will answer on my return.', autoReplied),
  auto(
    'a vacation notice with a null return path',
    'Out of Office: News',
    'I am out of the office. For urgent matters write to bob@example.com.',
    { ...autoReplied, 'Return-Path': '<>' },
  ),
  auto('Exchange’s automatic reply', 'Automatic reply: News', 'I have no access to mail until Monday.', {
    'X-Auto-Response-Suppress': 'All',
    ...autoReplied,
  }),
  auto(
    'a German absence',
    'Abwesenheitsnotiz: News',
    'Ich bin bis 5. Mai nicht im Büro. Ihre Nachricht wird nicht weitergeleitet.',
  ),
  auto('a German automatic answer', 'Automatische Antwort: News', 'Danke für Ihre Nachricht.'),
  auto('a French absence', 'Réponse automatique : News', 'Je suis absent jusqu’au 5 mai.'),
  auto('a Spanish absence', 'Respuesta automática: News', 'Estoy fuera de la oficina.'),
  auto('an Italian absence', 'Risposta automatica: News', 'Sono fuori ufficio.'),
  auto('a Portuguese absence', 'Resposta automática: News', 'Estou fora do escritório.'),
  auto('a Japanese absence', '自動応答: News', '不在にしております。'),
  auto('a Chinese absence', '自动回复：News', '我正在休假。'),
  auto('one of an old autoresponder', 'Re: News', 'Thank you for your mail.', { 'X-Autoreply': 'yes' }),
  auto('one by precedence', 'Re: News', 'Thank you for your mail.', { Precedence: 'auto_reply' }),
  auto(
    'a person who has left, automatically',
    'Automatic reply: News',
    'Ada Byron no longer works here. This mailbox is not monitored and her account has been deactivated. 5.1.1',
    autoReplied,
  ),
  auto(
    'a ticket system',
    '[#4711] We got your request',
    'Your ticket was created. Do not reply if the message was not delivered to you by mistake.',
    { 'Auto-Submitted': 'auto-generated' },
  ),
  auto(
    'a challenge',
    'Please confirm your message',
    'Your message to ada@example.com is waiting. Click to have it delivered.',
    autoReplied,
  ),
  auto(
    'a mailbox that is not read',
    'Automatic reply: News',
    'This mailbox does not accept replies. Your message was not delivered to a person.',
    autoReplied,
  ),
];

const list = { 'List-Id': '<news.example.org>', 'List-Unsubscribe': '<https://example.org/u>', Precedence: 'bulk' };
const bulk: readonly Draft[] = [
  {
    what: 'a newsletter',
    from: 'news@shop.example',
    subject: '50 % off',
    headers: list,
    html: '<h1>Sale</h1><p>Not delivered in time? You get your money back.</p>',
  },
  {
    what: 'a newsletter about e-mail',
    from: 'tips@mail.example',
    subject: 'Why your mail bounces: 550 5.1.1 explained',
    headers: list,
    text: 'Hard bounce: "550 5.1.1 user unknown" means that the address does not exist. Example: bob@example.org.',
  },
  {
    what: 'a digest of a mailing list',
    from: 'ops-request@lists.example',
    subject: 'ops Digest, Vol 12, Issue 3',
    headers: list,
    text: 'Today:\n 1. Mail delivery failed (Ada)\n 2. Re: undeliverable message',
  },
  {
    what: 'an order',
    from: 'orders@shop.example',
    subject: 'Your order 5510',
    text: 'Your order was sent. It could not be delivered on Monday and comes on Tuesday.',
  },
  {
    what: 'a parcel that was not delivered',
    from: 'noreply@parcels.example',
    subject: 'Delivery failed: we missed you',
    text: 'Delivery failed. Your parcel could not be delivered to 5 Main Street. Contact help@parcels.example.',
  },
  {
    what: 'an invitation to a meeting',
    from: 'ada@example.com',
    subject: 'Invitation: review',
    body: {
      type: 'text/calendar; method=REQUEST; charset=utf-8',
      content: 'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n',
    },
  },
  {
    what: 'a notice of a code host',
    from: 'notifications@code.example',
    subject: 'Re: [mail/server] 550 5.1.1 is logged twice (#12)',
    headers: list,
    text: 'ada commented: the log says "could not be delivered to bob@example.org"',
  },
  {
    what: 'an alert of a monitor',
    from: 'alerts@watch.example',
    subject: 'CRITICAL: queue of undelivered mail',
    text: '120 messages could not be delivered in the last hour.',
  },
  {
    what: 'a DMARC report (aggregate)',
    from: 'noreply-dmarc@mail.example',
    subject: 'Report domain: example.com Submitter: mail.example',
    body: { type: 'application/zip; name="report.zip"', content: 'UEsDBAo=\r\n' },
  },
  {
    what: 'a TLS report',
    from: 'tlsrpt@mail.example',
    subject: 'Report Domain: example.com',
    body: {
      type: 'multipart/report; report-type="tlsrpt"; boundary=t',
      content:
        '--t\r\nContent-Type: text/plain\r\n\r\nThis is a TLS report.\r\n--t\r\nContent-Type: application/tlsrpt+gzip\r\n\r\nH4sI\r\n--t--\r\n',
    },
  },
  {
    what: 'a read receipt',
    from: 'ada@example.com',
    subject: 'Read: News',
    body: {
      type: 'multipart/report; report-type=disposition-notification; boundary=r',
      content:
        '--r\r\nContent-Type: text/plain\r\n\r\nYour message was read.\r\n--r\r\nContent-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822;ada@example.com\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n--r--\r\n',
    },
  },
  {
    what: 'a receipt of a mail deleted unread',
    from: 'ada@example.com',
    subject: 'Not read: News',
    body: {
      type: 'multipart/report; report-type=disposition-notification; boundary=r',
      content:
        '--r\r\nContent-Type: text/plain\r\n\r\nYour message was deleted without being read.\r\n--r\r\nContent-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822;ada@example.com\r\nDisposition: automatic-action/MDN-sent-automatically; deleted\r\n--r--\r\n',
    },
  },
  {
    what: 'an advertisement of a mail service',
    from: 'sales@bulk.example',
    subject: 'Tired of bounces?',
    headers: list,
    html: '<p>Undeliverable mail costs you money. 5.2.2 Mailbox full? Call us.</p>',
  },
  {
    what: 'a phishing mail that plays a bounce',
    from: 'support@evil.example',
    subject: 'Undeliverable: 5 messages',
    text: 'Your messages could not be delivered. Sign in at https://evil.example to release them. ada@example.com 550 5.7.1',
  },
  {
    what: 'a bank’s notice',
    from: 'no-reply@bank.example',
    subject: 'Payment returned',
    text: 'The payment of 550.00 EUR was returned: account unknown.',
  },
  {
    what: 'a password reset',
    from: 'no-reply@app.example',
    subject: 'Reset your password',
    text: 'If you did not ask for this, ignore it. The link expires.',
  },
  {
    what: 'a mail of the postmaster to everybody',
    from: 'postmaster@example.com',
    subject: 'Maintenance on Sunday',
    text: 'Dear all,\n\nmail may be late on Sunday. Messages to old-list@example.com will no longer be accepted from June.\n\nYour postmaster',
  },
  {
    what: 'a statistic of the mail server',
    from: 'postmaster@example.com',
    subject: 'Weekly mail statistics',
    text: 'Received: 5500\nRejected as spam: 4210\nQuarantine: 12',
  },
  {
    what: 'a confirmation of a list subscription',
    from: 'news-confirm@lists.example',
    subject: 'confirm 5f2a',
    headers: list,
    text: 'Reply to this mail to join the list.',
  },
  { what: 'an empty mail', from: 'ada@example.com', subject: '', text: '' },
  {
    what: 'binary that calls itself text',
    from: 'ada@example.com',
    subject: 'scan',
    text: '\u0000\u0001\u0002 5.1.1 \ufffd',
  },
];

function compose({ from = 'Ada Byron <ada@example.com>', subject, headers = {}, text, html, body }: Draft): Buffer {
  const type = body?.type ?? (html === undefined ? 'text/plain; charset=utf-8' : 'text/html; charset=utf-8');
  const lines = {
    'Return-Path': '<ada@example.com>',
    From: from,
    To: 'news@us.example',
    Subject: subject,
    Date: 'Thu, 12 Nov 2026 10:00:00 +0000',
    'Message-ID': '<1@example.com>',
    'MIME-Version': '1.0',
    'Content-Type': type,
    ...headers,
  };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${head.join('')}\r\n${body?.content ?? html ?? text ?? ''}\r\n`);
}

export interface OrdinaryMail {
  readonly what: string;
  readonly raw: Buffer;
  readonly isAutoReply: boolean;
}

export const ordinaryMails: readonly OrdinaryMail[] = [...replies, ...autoReplies, ...bulk].map((draft) => ({
  what: draft.what,
  raw: compose(draft),
  isAutoReply: autoReplies.includes(draft),
}));
