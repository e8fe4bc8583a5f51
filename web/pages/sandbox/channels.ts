import { IconBell, IconBrandWhatsapp, IconInbox, IconMail, IconMessage } from '@tabler/icons-react';
import type { Answer } from '../../api.ts';

export type Mail = Answer<'GET /sandbox/messages/:id'>;

export const channels = {
  email: { label: 'E-mail', icon: IconMail },
  sms: { label: 'SMS', icon: IconMessage },
  whatsapp: { label: 'WhatsApp', icon: IconBrandWhatsapp },
  push: { label: 'Push notification', icon: IconBell },
  inapp: { label: 'In-app message', icon: IconInbox },
} as const satisfies Record<Mail['channel'], unknown>;
