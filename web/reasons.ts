import type { ErrorCategory } from '../contract/dead-letters.ts';

/**
 * What the ledger's codes mean to a person: the one place where states, events and sources get their words. An unknown code is shown as it is, readable, never hidden.
 */
export interface Reason {
  /** Fits in a table cell. */
  readonly title: string;
  /** What happened, in one sentence. */
  readonly why: string;
  /** What the reader can do about it, or that nothing needs doing. */
  readonly remedy: string;
}

const reasons: Readonly<Record<string, Reason>> = {
  // The gate: never sent
  'contact-erased': {
    title: 'Contact erased',
    why: 'The personal data of this contact was erased on request.',
    remedy: 'Nothing to do: this is final.',
  },
  'address-missing': {
    title: 'No e-mail address',
    why: 'The contact has no e-mail address.',
    remedy: 'Add an address to the contact and send again.',
  },
  'address-invalid': {
    title: 'Address not valid',
    why: 'No mail can reach the address as it is written.',
    remedy: 'Correct the address on the contact.',
  },
  'address-bounced': {
    title: 'Address bounces',
    why: 'An earlier message to this address came back for good.',
    remedy: 'Ask the person for an address that works and replace it on the contact.',
  },
  'address-complained': {
    title: 'Reported as spam before',
    why: 'The person marked an earlier message as spam.',
    remedy: 'Leave them alone: writing again harms how mailbox providers judge all your mail.',
  },
  'suppressed-bounce': {
    title: 'Suppressed after a bounce',
    why: 'Mail to this address came back for good, so it is on the suppression list.',
    remedy: 'Ask the person for an address that works.',
  },
  'suppressed-complaint': {
    title: 'Suppressed after a complaint',
    why: 'The person reported an earlier message as spam.',
    remedy: 'Leave them alone.',
  },
  'suppressed-opt-out': {
    title: 'Opted out of everything',
    why: 'The person asked to get no messages at all.',
    remedy: 'Only the person can opt in again.',
  },
  'suppressed-manual': {
    title: 'Suppressed by the team',
    why: 'Somebody of the team put the address on the suppression list.',
    remedy: 'Take it off the list if that was a mistake.',
  },
  'suppressed-erased': {
    title: 'Asked to be erased',
    why: 'The person asked for their data to be erased.',
    remedy: 'Nothing to do: this is final.',
  },
  'no-topic': {
    title: 'No topic',
    why: 'Marketing needs a topic that people can agree to, and none was named.',
    remedy: 'Name the topic and send again.',
  },
  'no-consent': {
    title: 'Never agreed to this topic',
    why: 'No consent of this address is recorded for this topic.',
    remedy: 'Ask for it; record it with its evidence on the contact, or import it with evidence.',
  },
  withdrawn: {
    title: 'Unsubscribed from this topic',
    why: 'The person withdrew their consent to this topic.',
    remedy: 'Respect it: only the person can agree again.',
  },
  'consent-expired': {
    title: 'Consent has expired',
    why: 'The consent to this topic was given too long ago and has lapsed.',
    remedy: 'Ask the person for it again.',
  },
  'missing-variable': {
    title: 'A value is missing',
    why: 'The template needs a value that this contact does not have.',
    remedy: 'Fill it in on the contact, or give the template a default: {{ contact.first_name | default: "there" }}.',
  },
  'render-failed': {
    title: 'Template failed',
    why: 'The template could not be filled in for this contact.',
    remedy: 'Preview the template with this contact and correct what is listed there.',
  },
  // Held back, or waiting for another try
  scheduled: {
    title: 'Scheduled for later',
    why: 'It was asked to go out at a later time.',
    remedy: 'Nothing to do: it goes out at that time.',
  },
  retry: {
    title: 'Will be tried again',
    why: 'The receiving side could not take it just then, which usually passes.',
    remedy: 'Nothing to do: it is tried again by itself, at longer and longer intervals.',
  },
  throttled: {
    title: 'Provider asked for a pause',
    why: 'The provider asked us to slow down.',
    remedy: 'Nothing to do: it goes on by itself.',
  },
  'provider-down': {
    title: 'Provider not reachable',
    why: 'The provider could not be reached.',
    remedy: 'It is tried again by itself; test the account under Settings, Accounts.',
  },
  'account-refused': {
    title: 'Account refused',
    why: 'The provider does not accept this account, for instance its password.',
    remedy: 'Correct the account under Settings, Accounts; the messages wait for it.',
  },
  'lane-paused': {
    title: 'Account paused',
    why: 'The account it would go through is paused.',
    remedy: 'Resume it under Settings, Accounts.',
  },
  'lane-limit': {
    title: 'Waiting for the sending limit',
    why: 'The account has used up its limit for now.',
    remedy: 'Nothing to do: it goes on by itself. The limit is set on the account.',
  },
  landline: {
    title: 'Landline',
    why: 'The number is a landline, which takes no SMS.',
    remedy: 'Ask the person for a mobile number, or use another channel.',
  },
  'whatsapp-window-closed': {
    title: 'WhatsApp window closed',
    why: 'The person has not written within 24 hours, so WhatsApp takes approved templates only.',
    remedy: 'Use a template that Meta has approved, or wait until the person writes.',
  },
  'whatsapp-marketing-to-us': {
    title: 'No marketing to US numbers',
    why: 'WhatsApp delivers no marketing templates to numbers of the United States.',
    remedy: 'Use another channel for these people.',
  },
  'whatsapp-wrong-category': {
    title: 'Category does not fit',
    why: 'WhatsApp takes this kind of message only in an approved template of its own category.',
    remedy: 'Use a template that Meta has approved for it.',
  },
  'no-push-account': {
    title: 'No account for the device',
    why: 'The route of push has no account for the platform the device is registered with.',
    remedy: 'Add an account for that platform (FCM, APNs or Web Push) to the order under Settings, Accounts.',
  },
  'no-account': {
    title: 'No account',
    why: 'No account of this channel is set to send through.',
    remedy: 'Choose one under Settings, Accounts.',
  },
  'campaign-paused': {
    title: 'Campaign paused',
    why: 'The campaign was paused before this message left.',
    remedy: 'Resume the campaign to send it.',
  },
  quiet: {
    title: 'Quiet hours',
    why: 'It is the night or a day of rest where this person is.',
    remedy: 'Nothing to do: it goes out when the quiet hours end.',
  },
  'unknown-resent': {
    title: 'Sent again by policy',
    why: 'Nobody knows whether the last try arrived; your workspace’s policy is to send again.',
    remedy: 'The person may get it twice. The policy is set under Settings, Workspace.',
  },
  'resolved-resent': {
    title: 'Sent again on purpose',
    why: 'Somebody of the team decided to send it again.',
    remedy: 'The person may get it twice.',
  },
  'resolved-absent': {
    title: 'Sent again: it had not arrived',
    why: 'The provider was asked and never took the last try, so it is sent again.',
    remedy: 'Nothing to do: nobody gets it twice.',
  },
  // Failed
  'address-refused': {
    title: 'Mailbox does not exist',
    why: 'The receiving side does not take mail for this address.',
    remedy: 'Ask the person for an address that works.',
  },
  'content-refused': {
    title: 'Content refused',
    why: 'The receiving side refused what the message says or how it is built.',
    remedy: 'Read its answer in the attempts, change the template, and send again.',
  },
  'retries-exhausted': {
    title: 'Gave up after several tries',
    why: 'The receiving side did not take it after several tries.',
    remedy: 'Look at the attempts; when the cause is gone, send it again.',
  },
  'address-unreadable': {
    title: 'Address cannot be opened',
    why: 'The stored address could not be unsealed: the keys do not fit it.',
    remedy: 'Check that the server runs with the master key the data was written with.',
  },
  'unknown-given-up': {
    title: 'Given up by policy',
    why: 'Nobody knows whether it arrived; your workspace’s policy is to leave it.',
    remedy: 'Send it again if it matters: the person may then get it twice.',
  },
  'resolved-failed': {
    title: 'Did not arrive',
    why: 'Somebody of the team said that it did not arrive.',
    remedy: 'Send it again if it still matters.',
  },
  // In doubt
  'worker-lost': {
    title: 'Server stopped on the way',
    why: 'The server stopped while the message was being handed over, so it may or may not have arrived.',
    remedy: 'Decide: say whether it arrived, or send it again (the person may then get it twice).',
  },
  'connection-lost': {
    title: 'Connection broke',
    why: 'The connection broke after the message was sent and before the answer came.',
    remedy: 'Decide: say whether it arrived, or send it again (the person may then get it twice).',
  },
  timeout: {
    title: 'No answer came',
    why: 'The receiving side did not answer in time after the message was sent.',
    remedy: 'Decide: say whether it arrived, or send it again (the person may then get it twice).',
  },
  malformed: {
    title: 'Answer not understood',
    why: 'The receiving side answered something that is no answer.',
    remedy: 'Decide: say whether it arrived, or send it again (the person may then get it twice).',
  },
  'provider-bug': {
    title: 'Failed on the way',
    why: 'Something went wrong while it was being handed over, so it may or may not have arrived.',
    remedy: 'Decide: say whether it arrived, or send it again (the person may then get it twice).',
  },
  closed: {
    title: 'Connection was closed',
    why: 'The connection was closed before the answer came.',
    remedy: 'Decide: say whether it arrived, or send it again (the person may then get it twice).',
  },
};

const categories: Readonly<Record<ErrorCategory, string>> = {
  address: 'The address',
  content: 'The content',
  account: 'The account',
  throttled: 'Too fast',
  transient: 'Passing trouble',
  'provider-down': 'Provider not reachable',
  unknown: 'Not known',
};

export const categoryCodes = Object.keys(categories) as ErrorCategory[];

/** The kind of trouble that a vendor's code speaks of. */
export function categoryText(code: string): string {
  return Object.entries(categories).find(([category]) => category === code)?.[1] ?? sentence(code);
}

/** Every reason there are words for, for a filter to choose from. */
export const reasonCodes: readonly string[] = Object.keys(reasons);

/** The words for a reason; a code this version does not know comes out readable. */
export function reasonText(code: string): Reason {
  return (
    reasons[code] ?? {
      title: sentence(code),
      why: `Recorded as “${code}”.`,
      remedy: 'See the timeline for what happened around it.',
    }
  );
}

/** `address-bounced` as "Address bounced", `contact.created` as "Contact created". */
export function sentence(code: string): string {
  const words = code.replaceAll(/[-._]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export interface State {
  readonly label: string;
  readonly meaning: string;
}

const messageStates: Readonly<Record<string, State>> = {
  planned: { label: 'Waiting', meaning: 'Will be sent as soon as its turn comes.' },
  waiting: { label: 'Waiting', meaning: 'Will be sent as soon as its turn comes.' },
  sending: { label: 'Sending', meaning: 'Being handed over right now.' },
  held: {
    label: 'Held',
    meaning: 'Waits for a time or for something to be cleared; the reason says which.',
  },
  suppressed: { label: 'Not sent', meaning: 'Never left, for the reason given.' },
  accepted: { label: 'Sent', meaning: 'Taken over by the receiving mail server.' },
  delivered: { label: 'Delivered', meaning: 'The receiving side confirmed delivery.' },
  bounced: { label: 'Bounced', meaning: 'Came back: it could not be delivered.' },
  complained: { label: 'Complained', meaning: 'The person reported it as spam.' },
  failed: { label: 'Failed', meaning: 'Could not be handed over; the reason says why.' },
  unknown: {
    label: 'Unknown',
    meaning:
      'It may or may not have arrived: the connection or the server broke at the wrong moment. A person decides.',
  },
  cancelled: { label: 'Cancelled', meaning: 'Stopped by a person before it left.' },
  expired: { label: 'Expired', meaning: 'Was not worth sending any more when its turn came.' },
};

const otherStates: Readonly<Record<string, State>> = {
  draft: { label: 'Draft', meaning: 'Not started; nothing has been sent.' },
  running: { label: 'Running', meaning: 'Work is going on.' },
  paused: { label: 'Paused', meaning: 'Stopped for now; can be resumed.' },
  done: { label: 'Finished', meaning: 'Everything is done.' },
  granted: { label: 'Subscribed', meaning: 'Consent is recorded and counts now.' },
  withdrawn: { label: 'Unsubscribed', meaning: 'Consent was withdrawn.' },
  none: { label: 'Not asked', meaning: 'No consent was ever recorded.' },
  ok: { label: 'Working', meaning: 'No problem is known with this address.' },
  invalid: { label: 'Not valid', meaning: 'Nothing can reach this address.' },
};

export const messageStateCodes = [
  'planned',
  'held',
  'sending',
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
  return messageStates[code] ?? otherStates[code] ?? { label: sentence(code), meaning: '' };
}

const events: Readonly<Record<string, string>> = {
  'contact.created': 'Contact created',
  'contacts.imported': 'Imported from a file',
  'consent.imported': 'Consent imported with a file',
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
  'message.resolved': 'Doubt settled',
  'message.deferred': 'To be tried again later',
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
