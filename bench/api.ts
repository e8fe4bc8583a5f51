import autocannon from 'autocannon';
import pg from 'pg';
import { assertDurable } from './floor-schema.ts';
import { importPeople, round } from './import.ts';
import { source } from './mail.ts';
import { person } from './people.ts';
import { postgresSeconds } from './processor.ts';
import { openRig, until } from './rig.ts';
import type { Rig, Server } from './rig.ts';
import { connectSink, vias } from './vias.ts';

const people = 10_000;
const connections = 100;
const warmUp = 2_000;

type Result = autocannon.Result;

/**
 * Single calls a second of `POST /messages/send_with_consent` over a hundred connections, each with an Idempotency-Key and
 * a person of its own, while the dispatcher hands over what they planned. Every answer must be in the ledger.
 */
export async function benchApi(requests: number, say: (line: string) => void): Promise<Record<string, number>> {
  const rig = await openRig();
  try {
    const server = await rig.startServer();
    const sink = await rig.startSink();
    await server.call('POST', '/topics', { key: 'news', name: 'News' });
    say(`importing ${people.toLocaleString('en')} people …`);
    await importPeople(server, rig.key, people);
    if (vias['smtp'] !== undefined) await connectSink(server, sink.port, vias['smtp']);
    const template = await server.call<{ id: string }>('POST', '/templates', {
      name: 'Bench',
      channel: 'email',
      category: 'marketing',
      locale: 'en',
      ...source,
    });
    say('warming up …');
    await press(server, rig.key, template.id, warmUp, 'warm');
    await untilSent(rig, warmUp);
    const cpuBefore = server.cpuSeconds();
    const postgresBefore = postgresSeconds(rig);
    say(`${requests.toLocaleString('en')} calls over ${connections} connections …`);
    const started = performance.now();
    const result = await press(server, rig.key, template.id, requests, 'run');
    const seconds = (performance.now() - started) / 1000;
    const lost = requests + warmUp - (await untilSent(rig, requests + warmUp));
    const cpuSeconds = server.cpuSeconds() - cpuBefore;
    const sentSeconds = (performance.now() - started) / 1000;
    const postgresCpuSeconds = postgresSeconds(rig) - postgresBefore;
    const caught = await sink.stats();
    const peakRssMb = server.peakRssMb();
    await server.stop();
    return {
      requests,
      seconds: round(seconds),
      perSecond: Math.round(requests / seconds),
      p50Ms: result.latency.p50,
      p99Ms: result.latency.p99,
      maxMs: result.latency.max,
      errors: result.errors + result.non2xx + result.mismatches,
      lost,
      duplicates: caught.messages - requests - warmUp,
      sentPerSecond: Math.round(requests / sentSeconds),
      peakRssMb: Math.round(peakRssMb),
      cpuSeconds: round(cpuSeconds),
      postgresCpuSeconds: round(postgresCpuSeconds),
    };
  } finally {
    await rig.close();
  }
}

/** So many calls, each answered; a person of its own for each, round and round. */
async function press(server: Server, key: string, templateId: string, amount: number, name: string): Promise<Result> {
  let n = 0;
  return autocannon({
    url: server.url,
    connections,
    amount,
    timeout: 60,
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    verifyBody: (body) => body?.includes('"outcome":"send"') ?? false,
    requests: [
      {
        path: '/api/v1/messages/send_with_consent',
        setupRequest: (request) => {
          const to = { email: person(n % people).email };
          const body = JSON.stringify({ channel: 'email', topic: 'news', to, templateId, variables: { n } });
          return { ...request, body, headers: { ...request.headers, 'idempotency-key': `${name}-${n++}` } };
        },
      },
    ],
  });
}

/** Waits until the ledger has nothing waiting any more; answers how many it says were accepted. */
async function untilSent(rig: Rig, expected: number): Promise<number> {
  const client = new pg.Client({ connectionString: rig.ownerUrl });
  await client.connect();
  try {
    await assertDurable(client);
    return await until(async () => {
      const { rows } = await client.query<{ waiting: number; all: number; accepted: number }>(
        `select count(*) filter (where state = 'planned')::int as waiting, count(*)::int as all,
           count(*) filter (where state = 'accepted')::int as accepted from message`,
      );
      if (rows[0] === undefined || rows[0].all > expected) throw new Error(`more than was answered: ${rows[0]?.all}`);
      return rows[0].waiting === 0 ? rows[0].accepted : undefined;
    }, 200);
  } finally {
    await client.end();
  }
}
