import { createPrivateKey, generateKeyPairSync, hash, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import pg from 'pg';
import { Agent, request } from 'undici';
import { postgresSeconds } from './processor.ts';
import { assertDurable } from './floor-schema.ts';
import { importPeople, round } from './import.ts';
import { openRig, until } from './rig.ts';
import type { Rig, Server } from './rig.ts';
import { draftCampaign } from './send.ts';
import { connectSink, vias } from './vias.ts';

const mostMessages = 20_000;
/** Facts a message has in the mean: what it became, some opens and clicks, some told twice. */
const perMessage = 1.35;
const connections = 16;
const singles = 2_000;

interface Event {
  readonly event: string;
  readonly sg_event_id: string;
  readonly parley_id: string;
  readonly [field: string]: unknown;
}

/** What the ledger must say at the end. */
interface Expected {
  readonly states: Record<'delivered' | 'bounced' | 'complained', number>;
  /** Facts by kind of event, each once. */
  readonly facts: Record<string, number>;
}

const text = (n: number, salt: string) => hash('sha256', `${salt} ${n}`, 'base64url').slice(0, 22);

/** As SendGrid writes them, with everything it adds to each. */
function eventOf(kind: string, messageId: string, n: number, more: object = {}): Event {
  return {
    email: `person.${n}@example.com`,
    timestamp: 1_790_000_000 + (n % 10_000),
    'smtp-id': `<${messageId}@example.com>`,
    event: kind,
    category: ['Bench'],
    sg_event_id: text(n, kind),
    sg_message_id: `${text(n, 'id')}.filterdrecv-6f8d7c9b5-x2v4t-1-65A1B2C3-1F.0`,
    parley_id: messageId,
    ...more,
  };
}

const agentOf = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15';

/** Every message was delivered or bounced; some of the delivered were complained about, opened, clicked. */
function tellAll(ids: readonly string[], wanted: number): { events: Event[]; expected: Expected } {
  const states = { delivered: 0, bounced: 0, complained: 0 };
  const events: Event[] = [];
  for (const [n, id] of ids.entries()) {
    if (n % 33 === 7) {
      states.bounced += 1;
      const reason = `550 5.1.1 The email account that you tried to reach does not exist person.${n}@example.com`;
      events.push(eventOf('bounce', id, n, { type: 'bounce', status: '5.1.1', reason, ip: '203.0.113.7' }));
      continue;
    }
    events.push(eventOf('delivered', id, n, { response: '250 2.0.0 OK 1790000000 a1-20020a05 - gsmtp', tls: 1 }));
    if (n % 97 === 11) {
      states.complained += 1;
      events.push(eventOf('spamreport', id, n));
    } else states.delivered += 1;
  }
  const settled = events.length;
  const once = Math.floor(wanted * 0.95);
  for (let n = 0; events.length < once; n++) {
    const id = ids[(n * 7) % ids.length] ?? '';
    const seen = { useragent: agentOf, ip: '203.0.113.9' };
    if (n % 4 === 3) events.push(eventOf('click', id, n, { ...seen, url: `https://example.com/${n % 4}` }));
    else events.push(eventOf('open', id, n, { ...seen, sg_machine_open: false }));
  }
  const facts: Record<string, number> = {};
  for (const one of events) facts[one.event] = (facts[one.event] ?? 0) + 1;
  const twice = Array.from({ length: wanted - events.length }, (_, n) => events[(n * 13) % settled]);
  events.push(...twice.filter((one) => one !== undefined));
  return { events: shuffled(events), expected: { states, facts } };
}

/** The same order for the same list. */
function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((one, place) => ({ one, key: (place * 2_654_435_761) % 4_294_967_291 }))
    .sort((a, b) => a.key - b.key)
    .map(({ one }) => one);
}

interface Post {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

function signed(events: readonly Event[], key: KeyObject): Post {
  const body = JSON.stringify(events);
  const timestamp = String(Math.floor(Date.now() / 1000));
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'x-twilio-email-event-webhook-timestamp': timestamp,
      'x-twilio-email-event-webhook-signature': sign('sha256', Buffer.from(timestamp + body), key).toString('base64'),
    },
  };
}

/** In requests of 100 to 500, as SendGrid sends under load. */
function packed(events: readonly Event[], key: KeyObject): Post[] {
  const posts: Post[] = [];
  for (let at = 0; at < events.length;) {
    const size = 100 + ((posts.length * 137) % 401);
    posts.push(signed(events.slice(at, at + size), key));
    at += size;
  }
  return posts;
}

async function press(url: string, posts: readonly Post[]): Promise<void> {
  const agent = new Agent({ connections, pipelining: 1 });
  let next = 0;
  const line = async () => {
    for (let post = posts[next++]; post !== undefined; post = posts[next++]) {
      const answer = await request(url, { dispatcher: agent, method: 'POST', headers: post.headers, body: post.body });
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`a callback was answered with ${answer.statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: connections }, line));
  await agent.close();
}

/** A campaign that was handed over, told of by an account whose key is known. */
async function sendOut(rig: Rig, server: Server, count: number): Promise<{ accountId: string; key: KeyObject }> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const via = vias['sendgrid'];
  if (via === undefined) throw new Error('there is no way by SendGrid');
  await server.call('POST', '/topics', { key: 'news', name: 'News' });
  await importPeople(server, rig.key, count);
  const sink = await via.startSink(rig);
  const accountId = await connectSink(server, sink.port, {
    ...via,
    account: (port) => {
      const account = via.account(port) as { settings: object };
      return { ...account, settings: { ...account.settings, webhookPublicKey: publicKey.toString('base64') } };
    },
  });
  const id = await draftCampaign(server, via);
  await server.call('POST', `/campaigns/${id}/start`);
  await until(async () => {
    const { status } = await server.call<{ status: string }>('GET', `/campaigns/${id}/stats`);
    return status === 'done' ? true : undefined;
  });
  sink.stop();
  return { accountId, key: createPrivateKey(privateKey) };
}

const kindsTold: Readonly<Record<string, string>> = {
  delivered: 'message.delivered',
  bounce: 'message.bounced',
  spamreport: 'message.complained',
  open: 'message.opened-at-vendor',
  click: 'message.clicked-at-vendor',
};

/** Message by message and fact by fact: what the ledger says is what was told. */
async function check(client: pg.Client, { states, facts }: Expected): Promise<void> {
  const same = async (what: string, statement: string, expected: Readonly<Record<string, number>>) => {
    const { rows } = await client.query<{ name: string; count: number }>(statement);
    const found = Object.fromEntries(rows.map((row) => [row.name, row.count]));
    for (const [name, count] of Object.entries(expected))
      if ((found[name] ?? 0) !== count) throw new Error(`${what} ${name}: ${found[name] ?? 0}, not ${count}`);
  };
  await same('messages', 'select state as name, count(*)::int as count from message group by 1', states);
  await same('addresses', 'select state as name, count(*)::int as count from address group by 1', {
    bounced: states.bounced,
    complained: states.complained,
  });
  const sums = (['delivered', 'bounced', 'complained'] as const).map(
    (part) => `select '${part}' as name, sum(${part})::int as count from plan_count`,
  );
  await same('counts', sums.join(' union all '), states);
  const events = Object.fromEntries(Object.entries(facts).map(([kind, count]) => [kindsTold[kind] ?? kind, count]));
  await same(
    'events',
    `select kind as name, count(*)::int as count from event where data->>'source' = 'vendor' group by 1`,
    events,
  );
}

/** Until nothing waits to be read. */
async function untilRead(client: pg.Client): Promise<void> {
  await until(async () => {
    const { rows } = await client.query<{ count: number }>('select count(*)::int as count from callback');
    return rows[0]?.count === 0 ? true : undefined;
  }, 25);
}

/**
 * Events a second of signed SendGrid webhooks: stored (all answered) and read (each fact in the ledger, exactly); then
 * requests a second of one event each.
 */
export async function benchCallbacks(wanted: number, say: (line: string) => void): Promise<Record<string, number>> {
  const rig = await openRig();
  const client = new pg.Client({ connectionString: rig.ownerUrl });
  try {
    const server = await rig.startServer();
    await client.connect();
    await assertDurable(client);
    const messages = Math.max(100, Math.min(mostMessages, Math.ceil(wanted / perMessage)));
    say(`sending ${messages.toLocaleString('en')} messages …`);
    const { accountId, key } = await sendOut(rig, server, messages);
    const { rows } = await client.query<{ id: string }>('select id from message order by id');
    const { events, expected } = tellAll(
      rows.map((row) => row.id),
      wanted,
    );
    const posts = packed(events, key);
    const last = rows.length;
    const one = Array.from({ length: singles }, (_, n) =>
      signed([eventOf('open', rows[n % last]?.id ?? '', 10_000_000 + n, { sg_machine_open: true })], key),
    );
    const url = `${server.url}/api/v1/callbacks/sendgrid/${accountId}`;
    say(`telling ${events.length.toLocaleString('en')} events in ${posts.length} requests …`);
    const bulk = await measure(rig, server, client, () => press(url, posts));
    await check(client, expected);
    say(`telling ${singles.toLocaleString('en')} events one by one …`);
    const single = await measure(rig, server, client, () => press(url, one));
    await check(client, { ...expected, facts: { ...expected.facts, open: (expected.facts['open'] ?? 0) + singles } });
    const peakRssMb = server.peakRssMb();
    await server.stop();
    return {
      events: events.length,
      requests: posts.length,
      storedPerSecond: Math.round(events.length / bulk.stored),
      appliedPerSecond: Math.round(events.length / bulk.applied),
      serverMsPerEvent: round((bulk.cpu * 1000) / events.length, 3),
      postgresMsPerEvent: round((bulk.postgres * 1000) / events.length, 3),
      singlesPerSecond: Math.round(singles / single.stored),
      singlesAppliedPerSecond: Math.round(singles / single.applied),
      serverMsPerSingle: round((single.cpu * 1000) / singles, 3),
      postgresMsPerSingle: round((single.postgres * 1000) / singles, 3),
      peakRssMb: Math.round(peakRssMb),
    };
  } finally {
    await client.end().catch(() => undefined);
    await rig.close();
  }
}

/** Seconds until all is answered and until all is read, and processor seconds of both. */
async function measure(rig: Rig, server: Server, client: pg.Client, work: () => Promise<void>) {
  const [cpuBefore, postgresBefore] = [server.cpuSeconds(), postgresSeconds(rig)];
  const started = performance.now();
  await work();
  const stored = (performance.now() - started) / 1000;
  await untilRead(client);
  const applied = (performance.now() - started) / 1000;
  return { stored, applied, cpu: server.cpuSeconds() - cpuBefore, postgres: postgresSeconds(rig) - postgresBefore };
}
