import {
  IconAddressBook,
  IconBuilding,
  IconChecklist,
  IconFileImport,
  IconGauge,
  IconHistory,
  IconHome,
  IconInbox,
  IconKey,
  IconMail,
  IconMailX,
  IconSend,
  IconServer,
  IconStack2,
  IconTags,
  IconTemplate,
  IconUserCircle,
  IconUsers,
  type Icon,
} from '@tabler/icons-react';
import type { Permission } from '../../contract/permissions.ts';

export interface Place {
  readonly label: string;
  readonly to: string;
  readonly icon: Icon;
  /** Left out of the menu for those who may not see it. */
  readonly permission?: Permission;
}
export interface Room {
  /** None: the places stand by themselves. */
  readonly label?: string;
  readonly places: readonly Place[];
}

/** The sidebar: one room per room of the product, only what is there. */
export const rooms: readonly Room[] = [
  { places: [{ label: 'Overview', to: '/', icon: IconHome }] },
  {
    label: 'Audience',
    places: [
      { label: 'Contacts', to: '/contacts', icon: IconAddressBook, permission: 'contacts:read' },
      { label: 'Imports', to: '/imports', icon: IconFileImport, permission: 'contacts:import' },
      { label: 'Topics & consent', to: '/consent', icon: IconChecklist, permission: 'consent:read' },
    ],
  },
  {
    label: 'Content',
    places: [{ label: 'Templates', to: '/templates', icon: IconTemplate, permission: 'templates:read' }],
  },
  {
    label: 'Outreach',
    places: [{ label: 'Campaigns', to: '/campaigns', icon: IconSend, permission: 'campaigns:read' }],
  },
  {
    label: 'Delivery',
    places: [
      { label: 'Messages', to: '/messages', icon: IconMail, permission: 'messages:read' },
      { label: 'Limits', to: '/limits', icon: IconGauge, permission: 'providers:read' },
      { label: 'Dead letters', to: '/dead-letters', icon: IconMailX, permission: 'messages:read' },
      { label: 'Queues', to: '/queues', icon: IconStack2, permission: 'messages:read' },
      { label: 'Sandbox inbox', to: '/sandbox', icon: IconInbox, permission: 'sandbox:read' },
    ],
  },
  {
    label: 'Settings',
    places: [
      { label: 'Profile', to: '/settings/profile', icon: IconUserCircle },
      { label: 'Workspace', to: '/settings/workspace', icon: IconBuilding, permission: 'settings:read' },
      { label: 'Team & roles', to: '/settings/team', icon: IconUsers, permission: 'team:read' },
      { label: 'API keys', to: '/settings/api-keys', icon: IconKey, permission: 'keys:read' },
      { label: 'Topics', to: '/settings/topics', icon: IconTags, permission: 'topics:read' },
      { label: 'Accounts', to: '/settings/accounts', icon: IconServer, permission: 'providers:read' },
      { label: 'Audit log', to: '/settings/audit', icon: IconHistory, permission: 'audit:read' },
    ],
  },
];
