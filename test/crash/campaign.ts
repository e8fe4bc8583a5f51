import { csv } from '../../bench/people.ts';
import { until } from '../../bench/rig.ts';
import type { Instance } from './house.ts';

/** A campaign to invented people through a sink, and what the API says of it. */
export interface Stats extends Readonly<Record<string, unknown>> {
  readonly status: string;
  readonly planned: number;
  readonly waiting: number;
  readonly held: number;
  readonly sending: number;
  readonly suppressed: number;
  readonly accepted: number;
  readonly failed: number;
  readonly unknown: number;
  readonly cancelled: number;
  readonly expired: number;
}

interface ImportState {
  readonly state: string;
  readonly created: number;
}

async function importPeople(
  server: Instance,
  file: string,
  options: Readonly<Record<string, unknown>>,
  rows: number,
): Promise<void> {
  const form = new FormData();
  form.append('options', JSON.stringify(options));
  form.append('file', new Blob([file]), 'people.csv');
  const { id } = await server.call<{ id: string }>('POST', '/contacts/import', form);
  const done = await until(async () => {
    const now = await server.call<ImportState>('GET', `/imports/${id}`);
    return now.state === 'running' ? undefined : now;
  }, 100);
  if (done.state !== 'done' || done.created !== rows) throw new Error(`not imported: ${JSON.stringify(done)}`);
}

/** Nobody agreed: everything is planned, nothing may be sent. */
const strangers = (count: number) =>
  `external_id,email\n${Array.from({ length: count }, (_, n) => `s-${n},stranger.${n}@example.com\n`).join('')}`;

/**
 * Imports `agreed` people who agreed and `others` who did not, and drafts a campaign to all of them. Answers its id.
 * `connections`: so many to the SMTP server, each with one message at a time on the wire.
 */
export async function prepareCampaign(
  server: Instance,
  sinkPort: number,
  agreed: number,
  others: number,
  connections = 64,
): Promise<string> {
  await server.call('POST', '/topics', { key: 'news', name: 'News' });
  const consent = { channel: 'email', topic: 'news', basis: 'consent', evidence: { source: 'test', textVersion: '1' } };
  await importPeople(server, [...csv(agreed)].join(''), { consent }, agreed);
  if (others > 0) await importPeople(server, strangers(others), {}, others);
  const account = await server.call<{ id: string }>('POST', '/providers', {
    kind: 'smtp',
    channel: 'email',
    name: 'Sink',
    settings: { host: '127.0.0.1', port: sinkPort, security: 'none', maxConnections: connections },
    sender: { from: { email: 'news@example.com', name: 'News' } },
  });
  await server.call('PUT', '/routes/email', { accountIds: [account.id] });
  const template = await server.call<{ id: string }>('POST', '/templates', {
    name: 'News',
    channel: 'email',
    category: 'marketing',
    locale: 'en',
    subject: 'News for {{ contact.first_name | default: "you" }}',
    html: '<html><body><p>Hello {{ contact.first_name | default: "you" }}</p><p><a href="https://example.com/news">Read on</a></p></body></html>',
  });
  const campaign = await server.call<{ id: string }>('POST', '/campaigns', {
    name: 'News',
    channels: ['email'],
    templateId: template.id,
    topic: 'news',
    audience: { all: true },
  });
  return campaign.id;
}

export const statsOf = (server: Instance, campaignId: string) =>
  server.call<Stats>('GET', `/campaigns/${campaignId}/stats`);

/** The nine parts every planned message is in exactly one of. */
export function parts(stats: Stats): number {
  const { waiting, held, sending, suppressed, accepted, failed, unknown, cancelled, expired } = stats;
  return waiting + held + sending + suppressed + accepted + failed + unknown + cancelled + expired;
}
