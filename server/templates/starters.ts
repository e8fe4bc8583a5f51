import { readFileSync } from 'node:fs';

/** A finished design to start from. */
export interface Starter {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly category: 'marketing' | 'transactional';
  readonly subject: string;
  readonly preheader: string;
  readonly mjml: string;
}

const described: readonly Omit<Starter, 'mjml'>[] = [
  {
    key: 'announcement',
    name: 'Announcement',
    description: 'One message, one thing to do: a launch, an offer, an invitation.',
    category: 'marketing',
    subject: '{{ contact.first_name | default: "Hello" }}, something new from {{ workspace.name }}',
    preheader: 'What is new, in two minutes.',
  },
  {
    key: 'newsletter',
    name: 'Newsletter',
    description: 'A main story, two smaller ones, and a part only for readers whose city is known.',
    category: 'marketing',
    subject: 'News from {{ workspace.name }}',
    preheader: 'The stories of the month.',
  },
  {
    key: 'receipt',
    name: 'Order confirmation',
    description:
      'A list of items from the call that sends it, with a total. Transactional: no consent to a topic needed.',
    category: 'transactional',
    subject: 'Your order {{ variables.order_number }}',
    preheader: 'We have received it.',
  },
];

export const starters: readonly Starter[] = described.map((one) => ({
  ...one,
  mjml: readFileSync(new URL(`./starters/${one.key}.mjml`, import.meta.url), 'utf8'),
}));
