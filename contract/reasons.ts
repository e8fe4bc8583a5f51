/**
 * Why a message was held, suppressed, failed or is in doubt: every reason code with the words people read and what can
 * be done about it. Scripts and statistics use the code, screens the words.
 */
export const reasons = {
  'no-address': { says: 'The contact has no e-mail address.', fix: 'Add an address to the contact.' },
  'address-invalid': { says: 'The address cannot receive mail.', fix: 'Correct the address.' },
  'address-bounced': {
    says: 'An earlier message to this address bounced.',
    fix: 'Replace the address with one that works.',
  },
  'address-complained': { says: 'The person marked an earlier message as spam.', fix: 'Leave them alone.' },
  suppressed: { says: 'The address is on the suppression list.', fix: 'Look it up under Topics & consent.' },
  'suppressed-bounce': {
    says: 'The address is on the suppression list: it bounced.',
    fix: 'Replace the address with one that works.',
  },
  'suppressed-complaint': {
    says: 'The address is on the suppression list: the person complained.',
    fix: 'Leave them alone.',
  },
  'suppressed-opt-out': { says: 'The person opted out of everything.', fix: 'Only the person can opt in again.' },
  'suppressed-manual': {
    says: 'Somebody put the address on the suppression list.',
    fix: 'Take it off the list if that was a mistake.',
  },
  'suppressed-erased': { says: 'The person asked to be erased.', fix: 'Nothing: this is final.' },
  'no-consent': {
    says: 'The person never agreed to this topic.',
    fix: 'Ask for consent; it can be recorded with its evidence.',
  },
  'consent-withdrawn': {
    says: 'The person withdrew their consent to this topic.',
    fix: 'Only the person can agree again.',
  },
  'consent-expired': { says: 'The consent to this topic has expired.', fix: 'Ask for it again.' },
  'contact-erased': { says: 'The contact was erased.', fix: 'Nothing: this is final.' },
  'template-incomplete': {
    says: 'The template needs a value that this contact does not have.',
    fix: 'Give the variable a default in the template, or fill in the attribute.',
  },
  'lane-paused': { says: 'The e-mail account is paused.', fix: 'Resume it under Settings, E-mail accounts.' },
  'lane-cooling': { says: 'The provider asked for a pause.', fix: 'It goes on by itself.' },
  'no-account': { says: 'No account is set for this channel.', fix: 'Choose one under Settings, E-mail accounts.' },
  'rate-limited': { says: 'The sending limit is used up for now.', fix: 'It goes on by itself.' },
  'recipient-limit': {
    says: 'The person has had as many messages today as the account allows.',
    fix: 'It goes on tomorrow by itself.',
  },
  scheduled: { says: 'It is set to go out later.', fix: 'Nothing to do.' },
  'retry-later': { says: 'The provider could not take it just now.', fix: 'It is tried again by itself.' },
  'attempts-exhausted': {
    says: 'The provider did not take it after several tries.',
    fix: 'Look at the attempts, then retry.',
  },
  'provider-refused': {
    says: 'The provider refused it for good.',
    fix: 'Read what the provider said in the attempts.',
  },
  'provider-unreachable': {
    says: 'The provider could not be reached.',
    fix: 'Test the account under Settings, E-mail accounts.',
  },
  'bad-recipient': {
    says: 'The provider does not know this mailbox.',
    fix: 'Replace the address with one that works.',
  },
  'in-doubt': {
    says: 'It may have been handed over when the connection or the server stopped; nobody knows.',
    fix: 'Say whether it arrived, or send it again on purpose.',
  },
  'campaign-cancelled': { says: 'The campaign was cancelled.', fix: 'Nothing to do.' },
  cancelled: { says: 'Somebody took it back.', fix: 'Nothing to do.' },
  expired: { says: 'It waited too long to still make sense.', fix: 'Send it again if it still matters.' },
} as const satisfies Record<string, { says: string; fix: string }>;

export type Reason = keyof typeof reasons;

/** The words for a code; a code that is not listed (an older release wrote it) is shown as it is. */
export function reasonInWords(code: string): { says: string; fix: string } {
  return Object.hasOwn(reasons, code) ? reasons[code as Reason] : { says: code.replaceAll('-', ' '), fix: '' };
}
