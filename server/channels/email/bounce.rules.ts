import { enhancedCodeIn, judge } from './bounce-words.rules.ts';

/** A mail that came back, reduced to what tells what it is. Headers in lower case; the first of each name counts. */
export interface Letter {
  readonly headers: ReadonlyMap<string, string>;
  /** Address of From; empty when it has none. */
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  /** Bodies of `message/delivery-status` parts (RFC 3464). */
  readonly statuses: readonly string[];
  /** Bodies of `message/feedback-report` parts (RFC 5965). */
  readonly feedback: readonly string[];
}

/**
 * - `hard`: the address does not work and never will
 * - `soft`: it was not delivered, for a reason that may pass or that lies elsewhere
 * - `complaint`: a person, or a filter for him, objected; `feedback` says how (RFC 5965, RFC 6591)
 * - `delivered`: a delivery notice
 * - `auto-reply`: a machine answered for a person
 */
export interface Returned {
  readonly class: 'hard' | 'soft' | 'complaint' | 'delivered' | 'auto-reply';
  readonly recipient?: string;
  /** Enhanced status code (RFC 3463), where there is one. */
  readonly status?: string;
  /** What the other side said, for people. */
  readonly reason: string;
  readonly feedback?: string;
  /** Of `soft`: it is still being tried. */
  readonly isDelay?: true;
}

/** Pure: what a mail says became of one of ours, one entry a recipient; empty for ordinary mail. */
export function classify(letter: Letter): readonly Returned[] {
  const complaints = letter.feedback.flatMap(complaintsOf);
  if (complaints.length > 0) return complaints;
  const reported = reportsOf(letter);
  if (reported.length > 0) return reported;
  const notified = notificationOf(letter.text);
  if (notified.length > 0) return notified;
  if (isFromDaemon(letter)) {
    const told = proseOf(letter);
    if (told.length > 0) return told;
  }
  return isAutoReply(letter) ? [{ class: 'auto-reply', reason: letter.subject.slice(0, 200) }] : [];
}

/** Header-like fields; continuation lines are joined. */
export function fieldsOf(block: string): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>();
  for (const line of block.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const at = line.indexOf(':');
    const name = line.slice(0, at).trim().toLowerCase();
    if (at <= 0 || /\s/.test(name)) continue;
    fields.set(name, [...(fields.get(name) ?? []), line.slice(at + 1).trim()]);
  }
  return fields;
}

/** `rfc822; someone@example.com` and the like. */
function addressIn(value: string | undefined): string | undefined {
  const found = /[^\s<>;,"'()|:]+@[^\s<>;,"'()|]+/.exec(value?.replace(/^[^;@]*;/, '') ?? '');
  return found?.[0].replace(/[.:]+$/, '');
}

function complaintsOf(report: string): Returned[] {
  const fields = fieldsOf(report);
  const [feedback = 'abuse'] = fields.get('feedback-type') ?? [];
  const said = { class: 'complaint', reason: feedback, feedback: feedback.toLowerCase() } as const;
  const recipients = [...(fields.get('original-rcpt-to') ?? []), ...(fields.get('removal-recipient') ?? [])];
  if (recipients.length === 0) return [said];
  return recipients.map((value) => {
    const recipient = addressIn(value);
    return recipient === undefined ? said : { ...said, recipient };
  });
}

/** Groups of fields with a recipient each, from the parts made for it or, with servers that write them so, from the text. */
function reportsOf({ statuses, text }: Letter): Returned[] {
  const found = statuses.flatMap((status) => recipientGroups(status));
  if (found.length > 0) return found.map((fields) => reportOf(fields, text));
  const inText = /^[ \t]*Reporting-MTA:[\s\S]*/im.exec(text)?.[0];
  return inText === undefined ? [] : recipientGroups(inText).map((fields) => reportOf(fields, text));
}

type Fields = ReturnType<typeof fieldsOf>;

function recipientGroups(status: string): Fields[] {
  const blocks = status.split(/\r?\n[ \t]*\r?\n/).map(fieldsOf);
  return blocks.filter(
    (fields) => fields.has('action') && ['final-recipient', 'original-recipient'].some((name) => fields.has(name)),
  );
}

const first = (fields: Fields, name: string) => fields.get(name)?.[0];

function reportOf(fields: Fields, text: string): Returned {
  const recipient = addressIn(first(fields, 'original-recipient')) ?? addressIn(first(fields, 'final-recipient'));
  const given = /\d\.\d{1,3}\.\d{1,3}/.exec(first(fields, 'status') ?? '')?.[0];
  const diagnostic = first(fields, 'diagnostic-code')?.replace(/^[A-Za-z0-9-]+;\s*/, '') ?? '';
  const action = first(fields, 'action')?.toLowerCase().trim() ?? '';
  const who = recipient === undefined ? {} : { recipient };
  const reason = (diagnostic === '' ? aroundIn(text, recipient) : diagnostic).slice(0, 500);
  const status = mostTelling(given, enhancedCodeIn(diagnostic), diagnostic === '' ? enhancedCodeIn(reason) : undefined);
  const code = status === undefined ? {} : { status };
  if (/^(?:delivered|relayed|expanded)/.test(action)) return { class: 'delivered', ...who, ...code, reason };
  if (action.startsWith('delayed')) return { class: 'soft', isDelay: true, ...who, ...code, reason };
  return { class: judge(given, status, reason), ...who, ...code, reason };
}

/** `5.0.0` says less than any other. */
function mostTelling(...codes: readonly (string | undefined)[]): string | undefined {
  return (
    codes.find((code) => code !== undefined && !/^\d\.0\.0$/.test(code)) ?? codes.find((code) => code !== undefined)
  );
}

/** What the text says right behind the address. */
function aroundIn(text: string, recipient: string | undefined): string {
  const at = recipient === undefined ? -1 : text.toLowerCase().indexOf(recipient.toLowerCase());
  if (at < 0) return '';
  const [own = ''] = text.slice(at, at + 600).split(/\n\s*(?=<?[^\s<>@]+@[^\s<>@]+>?:)/);
  return own;
}

/** Amazon's notices, as they reach a mailbox that subscribed to them. */
function notificationOf(text: string): Returned[] {
  if (!/^\s*\{[\s\S]*"notificationType"/.test(text)) return [];
  const notice = parsed(text.slice(0, text.lastIndexOf('}') + 1));
  const recipients = (key: string, list: string) => {
    const holder = notice[key];
    const found = typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>)[list] : undefined;
    return Array.isArray(found)
      ? found.map((one) =>
          typeof one === 'object' && one !== null ? (one as Record<string, unknown>) : { emailAddress: one },
        )
      : [];
  };
  const returned = (kind: Returned['class'], one: Record<string, unknown>): Returned => ({
    class: kind,
    ...(typeof one['emailAddress'] === 'string' ? { recipient: one['emailAddress'] } : {}),
    ...(typeof one['status'] === 'string' ? { status: one['status'] } : {}),
    reason: typeof one['diagnosticCode'] === 'string' ? one['diagnosticCode'] : '',
  });
  if (notice['notificationType'] === 'Delivery')
    return recipients('delivery', 'recipients').map((one) => returned('delivered', one));
  if (notice['notificationType'] === 'Complaint')
    return recipients('complaint', 'complainedRecipients').map((one) => ({
      ...returned('complaint', one),
      feedback: 'abuse',
    }));
  const bounce = notice['bounce'];
  const isHard =
    typeof bounce === 'object' && bounce !== null && 'bounceType' in bounce && bounce.bounceType === 'Permanent';
  return recipients('bounce', 'bouncedRecipients').map((one) => returned(isHard ? 'hard' : 'soft', one));
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text.replace(/\r?\n/g, ''));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

const daemons = /^(?:mailer-daemon|mail-daemon|postmaster|mdaemon|mailerdaemon|mailsystem|mail-system)$/i;

/** Whoever writes prose about a failure writes as a mail server: no person's reply is read for such words. */
function isFromDaemon({ from, headers }: Letter): boolean {
  return from === '' || daemons.test(from.split('@')[0] ?? '') || headers.has('x-mlserver');
}

const failed = [
  /(?:could|can)\s?(?:not|n[’']t) be (?:delivered|sent)/i,
  /(?:was|were|is) (?:undeliverable|not delivered|rejected|blocked)/i,
  /did not reach the following recipient/i,
  /delivery (?:to the following recipients? )?(?:has )?failed/i,
  /error (?:occurred while|was encountered|delivering)/i,
  /(?:unable|failed) to deliver/i,
  /undeliver(?:able|ed) m(?:ail|essage)/i,
  /failure reasons/i,
  /не может быть доставлено/i,
  /you are not a member of this mailing list/i,
  /we[’']?re (?:writing to let you know|sorry).*(?:tried to contact|not have permission)/is,
  /may not exist, or you may not have permission to post/i,
];

/** Where the mail itself ends and the one it returns begins. */
const returnedMail =
  /^(?:-{2,}[^\n]*(?:original|returned)[^\n]*|message headers follow.*|.*this is a copy of (?:the|your) message.*|--- ?the header of the original.*)$/im;

function proseOf({ text, subject, headers }: Letter): Returned[] {
  const own = text.split(returnedMail)[0] ?? text;
  const named = headers.get('x-failed-recipients');
  if (named === undefined && !failed.some((pattern) => pattern.test(own) || pattern.test(subject))) return [];
  const ours = addressIn(headers.get('to'))?.toLowerCase();
  const found = [...own.matchAll(/[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}/g)];
  const starts: { readonly recipient: string; readonly at: number }[] = [];
  for (const { 0: recipient, index: at } of found) {
    const lower = recipient.toLowerCase();
    if (lower === ours || daemons.test(lower.split('@')[0] ?? '') || starts.some((one) => one.recipient === lower))
      continue;
    starts.push({ recipient: lower, at });
  }
  if (starts.length === 0) {
    const recipient = addressIn(named);
    const who = recipient === undefined ? {} : { recipient };
    return [{ class: judge(undefined, enhancedCodeIn(own), own), ...who, reason: excerpt(own) }];
  }
  // Addresses that have nothing of their own said about them are named in passing, unless no other is there.
  const judged = starts.map(({ recipient, at }, place) => {
    const said = paragraph(own.slice(at, starts[place + 1]?.at));
    const status = enhancedCodeIn(said);
    return {
      class: judge(undefined, status, said),
      recipient,
      ...(status === undefined ? {} : { status }),
      reason: excerpt(said),
    };
  });
  const [head, ...rest] = judged;
  const telling = rest.filter((one) => one.class === 'hard' || /\b[45]\d\d\b|\b[45]\.\d+\.\d+\b/.test(one.reason));
  return head === undefined ? [] : [head, ...telling];
}

/** What belongs to an address: to the end of the first paragraph that gives a code, or some lines. */
function paragraph(text: string): string {
  const most = text.slice(0, 900);
  const coded = /^[\s\S]*?\b[45]\d\d\b[\s\S]*?(?=\r?\n\s*\r?\n|$)/.exec(most)?.[0];
  return coded ?? most;
}

const excerpt = (text: string) => text.replace(/\s+/g, ' ').trim().slice(0, 500);

const autoSubjects =
  /^(?:(?:re|aw|antw|sv|tr|r):\s*)*(?:auto(?:matic|mated)?[\s_-]?(?:reply|response|antwort)|automatische antwort|abwesenheits|out of (?:the )?office|on vacation|away (?:until|from)|vacation|r[ée]ponse automatique|absence du bureau|respuesta autom[áa]tica|fuera de (?:la )?oficina|risposta automatica|resposta autom[áa]tica|自動応答|自动回复)/i;

/** RFC 3834, and what came before it. */
function isAutoReply({ headers, subject }: Letter): boolean {
  const submitted = headers.get('auto-submitted')?.toLowerCase() ?? 'no';
  return (
    submitted.startsWith('auto-replied') ||
    headers.has('x-autoreply') ||
    headers.has('x-autorespond') ||
    headers.has('x-autoresponder') ||
    /^auto[_-]reply$/i.test(headers.get('precedence') ?? '') ||
    autoSubjects.test(subject)
  );
}
