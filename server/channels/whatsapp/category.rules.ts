import type { OutgoingWhatsApp, WhatsAppContent } from '../port.ts';

/**
 * Pure: as what WhatsApp sees a message of a template of ours. What is no template answers a person (`service`); of
 * templates Meta knows three kinds, and what is transactional here is `utility` there.
 */
export function whatsAppCategory(content: WhatsAppContent, category: string): OutgoingWhatsApp['category'] {
  if (content.kind !== 'template') return 'service';
  if (category === 'marketing') return 'marketing';
  return category === 'otp' ? 'authentication' : 'utility';
}
