import { floorImport } from './floor-import.ts';
import { assertDurable, openFloor } from './floor-schema.ts';
import { floorSend } from './floor-send.ts';
import { importPeople, round } from './import.ts';
import { postgresSeconds } from './processor.ts';
import { openRig, until } from './rig.ts';
import type { Rig, Server, Sink } from './rig.ts';
import { connectSink } from './vias.ts';
import type { Via } from './vias.ts';

interface Stats {
  readonly status: string;
  readonly planned: number;
  readonly accepted: number;
}

/** A campaign to everybody on the topic `news`; answers its id. Not started yet. */
export async function draftCampaign(server: Server, via: Via): Promise<string> {
  const template = await server.call<{ id: string }>('POST', '/templates', {
    name: 'Bench',
    channel: via.channel,
    category: 'marketing',
    locale: 'en',
    ...via.template,
  });
  const campaign = await server.call<{ id: string }>('POST', '/campaigns', {
    name: 'Bench',
    channels: [via.channel],
    templateId: template.id,
    topic: 'news',
    audience: { all: true },
  });
  return campaign.id;
}

/** Messages a second from the start of the campaign to its end, beside the floor of the same run. */
export async function benchSend(
  recipients: number,
  say: (line: string) => void,
  via: Via,
): Promise<Record<string, number>> {
  const rig = await openRig();
  try {
    const server = await rig.startServer();
    const sink = await via.startSink(rig);
    await server.call('POST', '/topics', { key: 'news', name: 'News' });
    say(`importing ${recipients.toLocaleString('en')} people …`);
    await importPeople(server, rig.key, recipients, via.channel);
    await connectSink(server, sink.port, via);
    const id = await draftCampaign(server, via);
    const cpuBefore = server.cpuSeconds();
    const postgresBefore = postgresSeconds(rig);
    say('sending …');
    const started = performance.now();
    await server.call('POST', `/campaigns/${id}/start`);
    const stats = await until(async () => {
      const now = await server.call<Stats>('GET', `/campaigns/${id}/stats`);
      return now.status === 'done' ? now : undefined;
    }, 100);
    const seconds = (performance.now() - started) / 1000;
    const cpuSeconds = server.cpuSeconds() - cpuBefore;
    const postgresCpuSeconds = postgresSeconds(rig) - postgresBefore;
    const peakRssMb = server.peakRssMb();
    const caught = await sink.stats();
    await server.stop();
    if (stats.accepted !== recipients) throw new Error(`not all were accepted: ${JSON.stringify(stats)}`);
    say(`  ${Math.round(recipients / seconds)} messages/s; now the floor …`);
    const floorSeconds = await floor(rig, sink, recipients, via);
    return {
      recipients,
      seconds: round(seconds),
      perSecond: Math.round(recipients / seconds),
      floorPerSecond: Math.round(recipients / floorSeconds),
      ratio: round(floorSeconds / seconds),
      duplicates: caught.duplicates,
      lost: recipients - caught.recipients,
      peakRssMb: Math.round(peakRssMb),
      cpuSeconds: round(cpuSeconds),
      postgresCpuSeconds: round(postgresCpuSeconds),
    };
  } finally {
    await rig.close();
  }
}

async function floor(rig: Rig, sink: Sink, recipients: number, via: Via): Promise<number> {
  const client = await openFloor(rig.ownerUrl);
  try {
    await assertDurable(client);
    const kind = via.channel === 'email' ? 'email' : 'phone';
    await floorImport(client, recipients, kind);
    await client.query('analyze floor.contact, floor.address, floor.consent');
    await sink.reset();
    const { seconds, sent } = await floorSend(client, kind, await via.floor(sink.port));
    const caught = await sink.stats();
    if (sent !== recipients || caught.recipients !== recipients)
      throw new Error(`the floor lost some: ${sent} sent, ${caught.recipients} caught`);
    return seconds;
  } finally {
    await client.end();
  }
}
