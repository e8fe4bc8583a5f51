import { IconBell, IconBrandWhatsapp, IconInbox, IconMail, IconMessage } from '@tabler/icons-react';
import type { Account } from '../../contract/providers.ts';

export type Channel = Account['channel'];

/** What channels are called, in the order in which they are offered. */
export const channels = {
  email: { label: 'E-mail', icon: IconMail },
  sms: { label: 'SMS', icon: IconMessage },
  whatsapp: { label: 'WhatsApp', icon: IconBrandWhatsapp },
  push: { label: 'Push notification', icon: IconBell },
  inapp: { label: 'In-app message', icon: IconInbox },
} as const satisfies Record<Channel, unknown>;

export const channelNames = Object.keys(channels) as Channel[];
