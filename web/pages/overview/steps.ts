import {
  IconBuilding,
  IconFileImport,
  IconGauge,
  IconInbox,
  IconSend,
  IconServer,
  IconTags,
  IconTemplate,
  type Icon,
} from '@tabler/icons-react';
import type { Overview } from '../../../contract/overview.ts';

type StepKey = Overview['nextSteps'][number]['key'];

export interface Step {
  readonly title: string;
  readonly why: string;
  readonly action: string;
  readonly to: string;
  readonly icon: Icon;
}

/** What each next step is called, why it matters, and where it is done. */
export const steps: Readonly<Record<StepKey, Step>> = {
  'import-contacts': {
    title: 'Bring in your contacts',
    why: 'A CSV file from a spreadsheet or another tool; columns are recognised for you.',
    action: 'Import contacts',
    to: '/imports/new',
    icon: IconFileImport,
  },
  'create-topic': {
    title: 'Say what people can agree to',
    why: 'A topic, such as “Newsletter”. Only those who agreed to it are written to.',
    action: 'Create a topic',
    to: '/settings/topics',
    icon: IconTags,
  },
  'write-template': {
    title: 'Write a template',
    why: 'Start from a design, with names and other details filled in for each person.',
    action: 'Write a template',
    to: '/templates/new',
    icon: IconTemplate,
  },
  'send-campaign': {
    title: 'Send it to the sandbox',
    why: 'A campaign that nobody outside receives: see the whole way without a provider account.',
    action: 'Create a campaign',
    to: '/campaigns/new',
    icon: IconSend,
  },
  'see-it-arrive': {
    title: 'See it arrive',
    why: 'Open, click and unsubscribe in the sandbox inbox, and watch the results move.',
    action: 'Open the sandbox inbox',
    to: '/sandbox',
    icon: IconInbox,
  },
  'postal-address': {
    title: 'Add your postal address',
    why: 'The law in many countries asks for it at the foot of marketing mail.',
    action: 'Add the address',
    to: '/settings/workspace',
    icon: IconBuilding,
  },
  'connect-account': {
    title: 'Connect your e-mail account',
    why: 'When everything looks right in the sandbox, send for real through your own SMTP server.',
    action: 'Connect an account',
    to: '/settings/accounts',
    icon: IconServer,
  },
  'watch-limits': {
    title: 'Look at your limits',
    why: 'An account has used most of what it may send in an hour or a day; what waits goes out more slowly.',
    action: 'Open the limits',
    to: '/limits',
    icon: IconGauge,
  },
};
