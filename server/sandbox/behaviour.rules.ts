import type { Fate } from './vendor.ts';

/**
 * What the sandbox does with a recipient, by the part before the `@` (what follows a `+` is ignored), so that every
 * outcome can be tried without a real provider:
 *
 * - `bounce@…`  refused for good: 550 5.1.1, the address does not exist
 * - `block@…`   refused for good: 550 5.7.1, the content is objected to
 * - `defer@…`   refused for now: 451 4.2.0
 * - `throttle@…` refused for now: 451 4.7.0, too fast, try again in 30 seconds
 * - `quiet@…`   takes the whole message and never answers
 * - `slow@…`    answers after three seconds
 * - all others  caught at once
 */
export type Behaviour =
  | { readonly kind: 'catch' | 'bounce' | 'block' | 'defer' | 'down' | 'quiet' | 'malformed' }
  | { readonly kind: 'throttle'; readonly afterSeconds: number }
  | { readonly kind: 'slow'; readonly ms: number };

export function behaviourOf(recipient: string): Behaviour {
  const local = recipient.slice(0, recipient.lastIndexOf('@')).split('+')[0]?.toLowerCase() ?? '';
  switch (local) {
    case 'bounce':
    case 'block':
    case 'defer':
    case 'quiet':
      return { kind: local };
    case 'throttle':
      return { kind: local, afterSeconds: 30 };
    case 'slow':
      return { kind: local, ms: 3_000 };
    default:
      return { kind: 'catch' };
  }
}

/** What a scenario decides, as a mail server does it: in the conversation, where vendors with an API report later. */
export function behaviourOfFate(fate: Fate): Behaviour {
  switch (fate.kind) {
    case 'bounce':
    case 'refuse':
      return { kind: 'bounce' };
    case 'burst':
      return { kind: 'down' };
    // A mail server hears nothing of complaints.
    case 'catch':
    case 'complain':
      return { kind: 'catch' };
    case 'block':
    case 'quiet':
    case 'malformed':
      return { kind: fate.kind };
    case 'throttle':
    case 'slow':
      return fate;
  }
}

export interface Answer {
  readonly code: number;
  readonly text: string;
}

/** What the server answers to RCPT; undefined: it takes the recipient. */
export function refusalOf(behaviour: Behaviour): Answer | undefined {
  switch (behaviour.kind) {
    case 'bounce':
      return { code: 550, text: '5.1.1 The sandbox knows nobody of this name' };
    case 'block':
      return { code: 550, text: '5.7.1 The sandbox objects to this message' };
    case 'defer':
      return { code: 451, text: '4.2.0 The sandbox takes this later' };
    case 'down':
      return { code: 451, text: '4.3.0 The sandbox is not well' };
    case 'throttle':
      return { code: 451, text: `4.7.0 Too many messages, try again in ${behaviour.afterSeconds} seconds` };
    case 'catch':
    case 'quiet':
    case 'malformed':
    case 'slow':
      return undefined;
  }
}

/**
 * What vendors with an API do with a recipient, when the scenario says nothing. They take what a mail server would refuse
 * in the conversation, and report it later:
 *
 * - e-mail, by the part before the `@`: `bounce`, `block`, `complain` (reported later), `refuse` (at once), `throttle`
 *   (429, 7 seconds), `burst` (500), `defer` (503), `quiet`, `slow`, `malformed`
 * - phones: Twilio's magic numbers `+15005550001` (no number), `…2` (no route), `…3` (no permission), `…4` (blocked), `…9`
 *   (no mobile) are refused; `+1500555` and `0110` bounce, `0111` block, `0112` complain, `0120` throttle, `0121` burst,
 *   `0130` quiet, `0131` slow, `0132` malformed
 * - push tokens: a first word as for e-mail (`bounce-…`), or, in tokens of hexadecimal digits, `dead…` (refused), `4290…`
 *   (throttle), `5000…` (burst), `0130…` (quiet), `0131…` (slow), `0132…` (malformed)
 */
export function fateOfAddress(recipient: string): Fate {
  const phone = /^\+1500555(\d{4})$/.exec(recipient)?.[1];
  if (phone !== undefined) return fateOfWord(magicNumbers[phone] ?? '', phone);
  const isMail = recipient.includes('@');
  const hexadecimal = isMail ? undefined : /^([0-9a-f]{4})[0-9a-f]{12,}$/i.exec(recipient)?.[1]?.toLowerCase();
  if (hexadecimal !== undefined) return fateOfWord(magicTokens[hexadecimal] ?? '', '');
  const local = isMail ? recipient.slice(0, recipient.lastIndexOf('@')).split('+')[0] : /^[a-z]+/i.exec(recipient)?.[0];
  return fateOfWord(local?.toLowerCase() ?? '', '');
}

const magicNumbers: Readonly<Record<string, string>> = {
  '0001': 'refuse',
  '0002': 'refuse',
  '0003': 'refuse',
  '0004': 'refuse',
  '0009': 'refuse',
  '0110': 'bounce',
  '0111': 'block',
  '0112': 'complain',
  '0120': 'throttle',
  '0121': 'burst',
  '0130': 'quiet',
  '0131': 'slow',
  '0132': 'malformed',
};

const magicTokens: Readonly<Record<string, string>> = {
  dead: 'refuse',
  '4290': 'throttle',
  '5000': 'burst',
  '0130': 'quiet',
  '0131': 'slow',
  '0132': 'malformed',
};

/** What Twilio answers to its magic numbers (https://www.twilio.com/docs/iam/test-credentials). */
const magicCodes: Readonly<Record<string, string>> = {
  '0001': '21211',
  '0002': '21612',
  '0003': '21408',
  '0004': '21610',
  '0009': '21614',
};

function fateOfWord(word: string, magic: string): Fate {
  switch (word) {
    case 'bounce':
    case 'block':
    case 'complain':
      return { kind: word };
    case 'refuse':
      return { kind: 'refuse', ...(magicCodes[magic] === undefined ? {} : { code: magicCodes[magic] }) };
    case 'throttle':
      return { kind: 'throttle', afterSeconds: 7 };
    case 'burst':
      return { kind: 'burst', status: 500 };
    case 'defer':
      return { kind: 'burst', status: 503 };
    case 'quiet':
    case 'malformed':
      return { kind: word };
    case 'slow':
      return { kind: 'slow', ms: 3_000 };
    default:
      return { kind: 'catch' };
  }
}

/** Addresses are found again however their case was written. */
export function normalRecipient(recipient: string): string {
  return recipient.trim().toLowerCase();
}
