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
export type Behaviour = 'catch' | 'bounce' | 'block' | 'defer' | 'throttle' | 'quiet' | 'slow';

const behaviours = new Set<string>(['bounce', 'block', 'defer', 'throttle', 'quiet', 'slow'] satisfies Behaviour[]);

export function behaviourOf(recipient: string): Behaviour {
  const local = recipient.slice(0, recipient.lastIndexOf('@')).split('+')[0]?.toLowerCase() ?? '';
  return behaviours.has(local) ? (local as Behaviour) : 'catch';
}

export interface Answer {
  readonly code: number;
  readonly text: string;
}

/** What the server answers to RCPT; undefined: it takes the recipient. */
export function refusalOf(behaviour: Behaviour): Answer | undefined {
  switch (behaviour) {
    case 'bounce':
      return { code: 550, text: '5.1.1 The sandbox knows nobody of this name' };
    case 'block':
      return { code: 550, text: '5.7.1 The sandbox objects to this message' };
    case 'defer':
      return { code: 451, text: '4.2.0 The sandbox takes this later' };
    case 'throttle':
      return { code: 451, text: '4.7.0 Too many messages, try again in 30 seconds' };
    case 'catch':
    case 'quiet':
    case 'slow':
      return undefined;
  }
}

/** Addresses are found again however their case was written. */
export function normalRecipient(recipient: string): string {
  return recipient.trim().toLowerCase();
}
