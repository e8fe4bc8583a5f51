import type { ErrorTable } from '../../port.ts';
import { twilioErrors } from '../../twilio-errors.rules.ts';

/** Twilio's codes as they are meant on WhatsApp; those of other channels never come and mean what they mean everywhere. */
export const twilioWhatsAppErrors: ErrorTable = {
  ...twilioErrors,
  21617: { category: 'content', meaning: 'the text is longer than 1600 characters' },
  // Meta's 131049. Never again within 24 hours: whoever tries sooner is only refused for longer.
  63049: { category: 'transient', meaning: 'Meta holds back advertising to this person for now', afterMs: 86_400_000 },
  // Meta's 131050: service messages and one-time codes may still go to this person.
  63050: { category: 'address', meaning: 'the person has stopped advertising from this business', scope: 'marketing' },
};
