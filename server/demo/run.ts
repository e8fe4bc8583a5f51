import { demoTemplate } from './campaign.ts';
import { each, until } from './client.ts';
import type { Client } from './client.ts';
import { addressOf, demoFile } from './people.ts';
import type { Caught, Import, Mail, Stats, Waterfall } from './answers.ts';
import { report } from './report.ts';

const rows = 10_000;
/** People who agreed and then, before the import, took it back: the import must not revive them. */
const withdrawnBefore = 40;
const visitors = { open: 300, click: 120, leave: 30 };

/** Imports, sends, lets people react over real HTTP, and prints what became of everything. True when it adds up. */
export async function runDemo(api: Client, say: (line: string) => void): Promise<boolean> {
  await api.patch('/settings/workspace', {
    name: 'Orchard',
    postalAddress: 'Orchard Ltd, 1 Apple Lane, Bristol, BS1 1AA',
  });
  await api.post('/topics', { key: 'harvest', name: 'Harvest letters', description: 'Four times a year' });
  await withdraw(api);
  const file = demoFile(rows);
  say(
    `Importing ${rows.toLocaleString('en')} rows: ${file.duplicates} repeated, ${file.malformed} that cannot be read …`,
  );
  const imported = await importFile(api, file.text);
  const template = await api.post<{ id: string }>('/templates', demoTemplate);
  const campaign = await api.post<{ id: string }>('/campaigns', {
    name: 'Harvest 2026',
    channels: ['email'],
    templateId: template.id,
    topic: 'harvest',
    audience: { all: true },
  });
  const waterfall = await api.get<Waterfall>(`/campaigns/${campaign.id}/audience`);
  say(`Sending to ${waterfall.willSend.toLocaleString('en')} people through the sandbox …`);
  const started = performance.now();
  await api.post(`/campaigns/${campaign.id}/start`);
  await until(async () =>
    (await api.get<Stats>(`/campaigns/${campaign.id}/stats`)).status === 'done' ? true : undefined,
  );
  const seconds = (performance.now() - started) / 1000;
  const caught = await everythingCaught(api);
  say('Some of them open, click and leave …');
  await visit(api, caught);
  const expected = { opened: visitors.open, clicked: visitors.click, unsubscribed: visitors.leave };
  const stats = await until(async () => {
    const now = await api.get<Stats>(`/campaigns/${campaign.id}/stats`);
    return now.opened >= expected.opened && now.clicked >= expected.clicked && now.unsubscribed >= expected.unsubscribed
      ? now
      : undefined;
  });
  const sample = caught[0] === undefined ? undefined : await api.get<Mail>(`/sandbox/messages/${caught[0].id}`);
  const chains = await Promise.all([
    api.get<{ ok: boolean }>('/compliance/verify'),
    api.get<{ ok: boolean }>('/audit/verify'),
  ]);
  const again = await api.get<Waterfall>(`/campaigns/${(await secondCampaign(api, template.id)).id}/audience`);
  return report(say, {
    file,
    withdrawnBefore,
    imported,
    waterfall,
    stats,
    caught,
    seconds,
    sample,
    expected,
    again,
    chainsWhole: chains.every((one) => one.ok),
  });
}

/** Some people said no before the file came. */
async function withdraw(api: Client): Promise<void> {
  const people = Array.from({ length: withdrawnBefore }, (_, n) => addressOf(n * 50 + 2));
  await each(people, 8, (value) =>
    api.post('/compliance/consent', {
      address: { kind: 'email', value },
      channel: 'email',
      topic: 'harvest',
      action: 'withdraw',
      basis: 'consent',
      evidence: { source: 'letter' },
    }),
  );
}

async function importFile(api: Client, text: string): Promise<Import> {
  const form = new FormData();
  const consent = {
    channel: 'email',
    topic: 'harvest',
    basis: 'consent',
    evidence: { source: 'demo sign-up form', textVersion: '2026-01' },
  };
  form.append('options', JSON.stringify({ consent }));
  form.append('file', new Blob([text]), 'friends.csv');
  const { id } = await api.post<{ id: string }>('/contacts/import', form);
  return until(async () => {
    const now = await api.get<Import>(`/imports/${id}`);
    return now.state === 'running' ? undefined : now;
  });
}

async function everythingCaught(api: Client): Promise<Caught[]> {
  const all: Caught[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: { data: Caught[]; nextCursor: string | null } = await api.get(
      `/sandbox/messages?limit=200${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    all.push(...page.data);
    cursor = page.nextCursor;
  }
  return all;
}

const browser = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };

/** Real requests to the links in the mails, as a mail program would make them. */
async function visit(api: Client, caught: readonly Caught[]): Promise<void> {
  const mails = caught.slice(0, visitors.open).map((one, n) => ({ ...one, n }));
  await each(mails, 8, async ({ id, n }) => {
    const mail = await api.get<Mail>(`/sandbox/messages/${id}`);
    const found = (pattern: RegExp) => (pattern.exec(mail.html)?.[0] ?? '').replaceAll('&amp;', '&');
    await fetch(found(/https?:[^"]+\/t\/o\/[^"]+/), { headers: browser });
    if (n < visitors.click) await fetch(found(/https?:[^"]+\/t\/c\/[^"]+/), { headers: browser, redirect: 'manual' });
    if (n >= visitors.leave) return;
    const leave =
      /<(https?:[^>]+)>/.exec(mail.headers['list-unsubscribe'] ?? mail.headers['List-Unsubscribe'] ?? '')?.[1] ?? '';
    await fetch(leave, {
      method: 'POST',
      body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }),
      redirect: 'manual',
    });
  });
}

async function secondCampaign(api: Client, templateId: string): Promise<{ id: string }> {
  return api.post('/campaigns', {
    name: 'Harvest 2026, second letter',
    channels: ['email'],
    templateId,
    topic: 'harvest',
    audience: { all: true },
  });
}
