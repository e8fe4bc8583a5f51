/**
 * What the ledger's short codes mean to a person: the one place where states, reasons and events get their words.
 * An unknown code is shown as it is, readable, never hidden: a screen that swallows a reason explains nothing.
 */
export interface Reason {
  /** Fits in a table cell. */
  readonly title: string;
  /** What happened, in one sentence. */
  readonly why: string;
  /** What the reader can do about it, or that nothing needs doing. */
  readonly remedy: string;
}

const nothingToDo = 'Nothing to do.';

const reasons: Readonly<Record<string, Reason>> = {
  'no-consent': {
    title: 'No consent',
    why: 'There is no recorded consent of this address for this topic.',
    remedy: 'Record the consent with its evidence on the contact, or import it with evidence, and send again.',
  },
  withdrawn: {
    title: 'Unsubscribed',
    why: 'This person withdrew consent for this topic.',
    remedy: 'Respect it. Only a new consent given by this person lifts it.',
  },
  'consent-withdrawn': {
    title: 'Unsubscribed',
    why: 'This person withdrew consent for this topic.',
    remedy: 'Respect it. Only a new consent given by this person lifts it.',
  },
  expired: {
    title: 'Consent expired',
    why: 'The consent for this topic was given too long ago and has lapsed.',
    remedy: 'Ask this person to confirm it again.',
  },
  'consent-expired': {
    title: 'Consent expired',
    why: 'The consent for this topic was given too long ago and has lapsed.',
    remedy: 'Ask this person to confirm it again.',
  },
  suppressed: {
    title: 'On the suppression list',
    why: 'This address is on the suppression list: it must not be written to, whatever the topic.',
    remedy: nothingToDo,
  },
  'suppressed-bounce': {
    title: 'Suppressed after a bounce',
    why: 'Mail to this address came back for good before, so it is on the suppression list.',
    remedy: 'Ask the person for an address that works.',
  },
  'suppressed-complaint': {
    title: 'Suppressed after a complaint',
    why: 'This person reported an earlier message as spam.',
    remedy: 'Respect it: writing again harms how mailbox providers judge all your mail.',
  },
  'address-bounced': {
    title: 'Address bounces',
    why: 'Earlier mail to this address came back for good.',
    remedy: 'Ask the person for an address that works, then replace it on the contact.',
  },
  'address-complained': {
    title: 'Reported as spam',
    why: 'This person reported an earlier message as spam.',
    remedy: 'Respect it: writing again harms how mailbox providers judge all your mail.',
  },
  'address-invalid': {
    title: 'Address not valid',
    why: 'No mail can reach this address as it is written.',
    remedy: 'Correct the address on the contact.',
  },
  'address-missing': {
    title: 'No address',
    why: 'This contact has no e-mail address.',
    remedy: 'Add an address to the contact and send again.',
  },
  'no-address': {
    title: 'No address',
    why: 'This contact has no e-mail address.',
    remedy: 'Add an address to the contact and send again.',
  },
  'contact-erased': {
    title: 'Erased',
    why: 'The personal data of this contact was erased on request.',
    remedy: nothingToDo,
  },
  'contact-missing': {
    title: 'Contact gone',
    why: 'This contact no longer exists.',
    remedy: nothingToDo,
  },
  'missing-variable': {
    title: 'A value is missing',
    why: 'The template uses a value that this contact does not have, and gives no default for it.',
    remedy: 'Fill in the value on the contact, or give the template a default: {{ contact.first_name | default: "there" }}.',
  },
  'render-failed': {
    title: 'Template failed',
    why: 'The template could not be filled in for this contact.',
    remedy: 'Open the template, preview it with this contact and correct what is listed there.',
  },
  'lane-limit': {
    title: 'Waiting for the sending limit',
    why: 'The e-mail account has used up its limit for the moment.',
    remedy: 'Nothing to do: it goes out by itself as soon as the limit allows. The limit is set on the account.',
  },
  'lane-paused': {
    title: 'Account paused',
    why: 'The e-mail account this would go through is paused.',
    remedy: 'Resume the account under Settings, E-mail accounts.',
  },
  'no-lane': {
    title: 'No e-mail account',
    why: 'No e-mail account is set up to send this.',
    remedy: 'Add or enable one under Settings, E-mail accounts.',
  },
  'no-route': {
    title: 'No e-mail account',
    why: 'No e-mail account is set up to send this.',
    remedy: 'Add or enable one under Settings, E-mail accounts.',
  },
  'campaign-paused': {
    title: 'Campaign paused',
    why: 'The campaign was paused before this message left.',
    remedy: 'Resume the campaign to send it.',
  },
  'campaign-cancelled': {
    title: 'Campaign cancelled',
    why: 'The campaign was cancelled before this message left.',
    remedy: nothingToDo,
  },
  'workspace-closed': {
    title: 'Workspace closed',
    why: 'Sending is switched off for the whole workspace.',
    remedy: 'Ask the owner of the workspace.',
  },
  retry: {
    title: 'Will be tried again',
    why: 'The receiving side could not take it just then, which usually passes.',
    remedy: 'Nothing to do: it is tried again by itself, at longer and longer intervals.',
  },
  quiet: {
    title: 'Quiet hours',
    why: 'It is the night or a day of rest where this person is.',
    remedy: 'Nothing to do: it goes out when the quiet hours end.',
  },
  'quiet-hours': {
    title: 'Quiet hours',
    why: 'It is the night or a day of rest where this person is.',
    remedy: 'Nothing to do: it goes out when the quiet hours end.',
  },
  scheduled: {
    title: 'Scheduled',
    why: 'It was asked to go out at a later time.',
    remedy: 'Nothing to do: it goes out at that time.',
  },
  'too-many-attempts': {
    title: 'Gave up after several tries',
    why: 'It was tried several times and the receiving side never took it.',
    remedy: 'Look at the attempts below; when the cause is gone, send it again.',
  },
  refused: {
    title: 'Refused',
    why: 'The receiving side refused it for good.',
    remedy: 'The answer of the receiving side is quoted in the attempts below.',
  },
  'lost-answer': {
    title: 'No answer came',
    why: 'The message was being handed over when the connection or the server broke, so it may or may not have arrived.',
    remedy: 'Decide: send it again (the person may get it twice) or leave it.',
  },
  'lease-lost': {
    title: 'Interrupted on the wire',
    why: 'The server stopped while this message was being handed over, so it may or may not have arrived.',
    remedy: 'Decide: send it again (the person may get it twice) or leave it.',
  },
};

/** The words for a reason; codes this version does not know come out readable (`some-code` as "Some code"). */
export function reasonText(code: string): Reason {
  const known = reasons[code];
  if (known) return known;
  // `missing-variable:contact.first_name` carries what it is about after a colon.
  const colon = code.indexOf(':');
  if (colon > 0) {
    const base = reasonText(code.slice(0, colon));
    const about = code.slice(colon + 1).trim();
    return { ...base, title: `${base.title}: ${about}` };
  }
  return { title: sentence(code), why: `Recorded as “${code}”.`, remedy: 'See the timeline for what happened around it.' };
}

/** `address-bounced` as "Address bounced", `contact.created` as "Contact created". */
export function sentence(code: string): string {
  const words = code.replaceAll(/[-._]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export interface State {
  readonly label: string;
  readonly meaning: string;
  readonly color: string;
}

const messageStates: Readonly<Record<string, State>> = {
  planned: { label: 'Waiting', meaning: 'Will be sent as soon as its turn comes.', color: 'blue' },
  waiting: { label: 'Waiting', meaning: 'Will be sent as soon as its turn comes.', color: 'blue' },
  sending: { label: 'Sending', meaning: 'Being handed over right now.', color: 'blue' },
  held: { label: 'Held', meaning: 'Waits for a time or for something to be cleared; the reason says which.', color: 'yellow' },
  suppressed: { label: 'Not sent', meaning: 'Never left, for the reason given.', color: 'gray' },
  accepted: { label: 'Sent', meaning: 'Taken over by the receiving mail server.', color: 'teal' },
  delivered: { label: 'Delivered', meaning: 'The receiving side confirmed delivery.', color: 'green' },
  bounced: { label: 'Bounced', meaning: 'Came back: it could not be delivered.', color: 'orange' },
  complained: { label: 'Complained', meaning: 'The person reported it as spam.', color: 'red' },
  failed: { label: 'Failed', meaning: 'Could not be handed over; the reason says why.', color: 'red' },
  unknown: {
    label: 'Unknown',
    meaning: 'It may or may not have arrived: the connection or the server broke at the wrong moment. A person decides.',
    color: 'grape',
  },
  cancelled: { label: 'Cancelled', meaning: 'Stopped by a person before it left.', color: 'gray' },
  expired: { label: 'Expired', meaning: 'Was not worth sending any more when its turn came.', color: 'gray' },
};

const otherStates: Readonly<Record<string, State>> = {
  draft: { label: 'Draft', meaning: 'Not started; nothing has been sent.', color: 'gray' },
  running: { label: 'Running', meaning: 'Work is going on.', color: 'blue' },
  paused: { label: 'Paused', meaning: 'Stopped for now; can be resumed.', color: 'yellow' },
  done: { label: 'Finished', meaning: 'Everything is done.', color: 'green' },
  granted: { label: 'Subscribed', meaning: 'Consent is recorded and counts now.', color: 'green' },
  withdrawn: { label: 'Unsubscribed', meaning: 'Consent was withdrawn.', color: 'orange' },
  none: { label: 'Not asked', meaning: 'No consent was ever recorded.', color: 'gray' },
  ok: { label: 'Working', meaning: 'No problem is known with this address.', color: 'green' },
  invalid: { label: 'Not valid', meaning: 'Nothing can reach this address.', color: 'red' },
};

export const messageStateCodes = [
  'planned',
  'held',
  'suppressed',
  'accepted',
  'delivered',
  'bounced',
  'complained',
  'failed',
  'unknown',
  'cancelled',
  'expired',
] as const;

export function stateText(code: string): State {
  return messageStates[code] ?? otherStates[code] ?? { label: sentence(code), meaning: '', color: 'gray' };
}

const events: Readonly<Record<string, string>> = {
  'contact.created': 'Contact created',
  'contact.updated': 'Contact changed',
  'contact.imported': 'Imported from a file',
  'contact.erased': 'Personal data erased',
  'contact.revealed': 'Addresses shown in full to a team member',
  'consent.granted': 'Consent given',
  'consent.withdrawn': 'Consent withdrawn',
  'consent.confirmed': 'Consent confirmed',
  'consent.expired': 'Consent expired',
  'message.planned': 'Planned',
  'message.held': 'Held back for now',
  'message.suppressed': 'Not sent',
  'message.sending': 'Handed over to the mail server',
  'message.accepted': 'Taken by the receiving mail server',
  'message.delivered': 'Delivered',
  'message.bounced': 'Bounced',
  'message.complained': 'Reported as spam',
  'message.failed': 'Failed',
  'message.unknown': 'No answer came: may or may not have arrived',
  'message.retried': 'Tried again',
  'message.resolved': 'Decided by a person',
  'message.cancelled': 'Cancelled',
  'message.expired': 'Expired',
  'message.opened': 'Opened',
  'message.clicked': 'Clicked a link',
  'message.unsubscribed': 'Unsubscribed through this message',
  'message.machine-opened': 'Opened by a machine (not counted)',
  'message.machine-clicked': 'Link fetched by a scanner (not counted)',
};

/** What an event of the log is called in a timeline. */
export function eventText(kind: string): string {
  return events[kind] ?? sentence(kind);
}

const sources: Readonly<Record<string, string>> = {
  api: 'through the API',
  import: 'with an imported file',
  form: 'on a form',
  dashboard: 'by a team member',
  'unsubscribe-link': 'through the unsubscribe link',
  'one-click': 'with the mail program’s unsubscribe button',
  unsubscribe: 'through the unsubscribe link',
  'preference-page': 'on the preference page',
  keyword: 'by keyword',
  'double-opt-in': 'by double opt-in',
  'provider-feedback': 'reported by the mailbox provider',
};

export function sourceText(source: string): string {
  return sources[source] ?? source;
}

export const basisText: Readonly<Record<string, string>> = {
  consent: 'Consent (they agreed)',
  contract: 'Contract (needed for what they bought)',
  'legitimate-interest': 'Legitimate interest (existing customer, may object)',
};
