import { spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../bench/rig.ts';
import { parts, prepareCampaign, statsOf } from './campaign.ts';
import type { Stats } from './campaign.ts';
import { createHouse, isAlive, postmaster } from './house.ts';
import type { House, Instance } from './house.ts';

/** One instance on one data folder: how it starts beside another, after a kill, and how it ends. */
let house: House;
beforeEach(() => {
  house = createHouse();
});
afterEach(() => house.close(), 120_000);

interface Settings {
  readonly name: string;
}
const nameOf = async (server: Instance) => (await server.call<Settings>('GET', '/settings/workspace')).name;
const notClean = 'did not stop cleanly';

/** The end of a process that could not start. */
async function refusal(instance: Instance): Promise<string> {
  await expect(instance.ready).rejects.toThrow('the server ended (1)');
  return instance.said();
}

/** Begins a campaign and returns once some of it has gone out. */
async function midCampaign(recipients: number, some: number): Promise<{ server: Instance; campaignId: string }> {
  const sink = await house.sink(30);
  const server = await house.start();
  const campaignId = await prepareCampaign(server, sink.port, recipients, 0);
  await server.call('POST', `/campaigns/${campaignId}/start`);
  await until(async () => ((await sink.stats()).messages >= some ? true : undefined), 10, 120_000);
  return { server, campaignId };
}

function ended(server: Instance, campaignId: string): Promise<Stats> {
  return until(async () => {
    const stats = await statsOf(server, campaignId);
    expect(parts(stats)).toBe(stats.planned);
    return stats.status === 'done' ? stats : undefined;
  }, 200);
}

describe('one instance on one data folder', () => {
  test('a second one is refused and told which process is in its way; the first goes on', async () => {
    const first = await house.start();
    const said = await refusal(house.open());
    expect(said).toContain(`process ${first.process.pid}`);
    expect(said).toContain(house.dataDir);
    expect(said).not.toContain('    at ');
    expect(await nameOf(first)).not.toBe('');
    expect(await first.end('SIGTERM')).toBe(0);
  });

  test('of two that start at once where one was killed, one runs', async () => {
    await (await house.start()).end('SIGKILL');
    const both = [house.open(), house.open()];
    const outcomes = await Promise.allSettled(both.map((one) => one.ready));
    expect(outcomes.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
    const runs = both[outcomes.findIndex((one) => one.status === 'fulfilled')];
    if (runs === undefined) throw new Error('none runs');
    expect(await nameOf(runs)).not.toBe('');
    expect(await runs.end('SIGTERM')).toBe(0);
  });

  test('what was written survives an orderly end and a kill; only the kill is noticed', async () => {
    const first = await house.start();
    await first.call('PATCH', '/settings/workspace', { name: 'Kept' });
    const database = postmaster(house.dataDir);
    expect(await first.end('SIGTERM')).toBe(0);
    expect(postmaster(house.dataDir)).toBeUndefined();
    await until(() => Promise.resolve(isAlive(database?.pid ?? 0) ? undefined : true), 20, 60_000);
    const second = await house.start();
    expect(await nameOf(second)).toBe('Kept');
    expect(second.said()).not.toContain(notClean);
    await second.call('PATCH', '/settings/workspace', { name: 'Kept again' });
    await second.end('SIGKILL');
    const third = await house.start();
    expect(await nameOf(third)).toBe('Kept again');
    expect(third.said()).toContain(notClean);
    expect(await third.end('SIGTERM')).toBe(0);
  });

  test('a pid file whose number now belongs to another program does not keep the database from starting', async () => {
    const first = await house.start();
    const file = join(house.dataDir, 'postgres', 'postmaster.pid');
    const left = readFileSync(file, 'utf8');
    const { uid, gid } = statSync(join(house.dataDir, 'postgres'));
    expect(await first.end('SIGTERM')).toBe(0);
    const other = spawn('sleep', ['600'], { stdio: 'ignore', ...(process.getuid?.() === 0 ? { uid, gid } : {}) });
    try {
      writeFileSync(file, left.replace(/^\d+/, String(other.pid)));
      const second = await house.start();
      expect(await nameOf(second)).not.toBe('');
      expect(await second.end('SIGTERM')).toBe(0);
    } finally {
      other.kill();
    }
  });
});

describe('an end in the middle of a campaign', () => {
  test('SIGTERM: what is on the wire is waited for, nothing is in doubt, and the next start goes on at once', async () => {
    const { server, campaignId } = await midCampaign(3_000, 500);
    // It would end with 1 when something had kept it longer than 10 seconds.
    expect(await server.end('SIGTERM')).toBe(0);
    expect(existsSync(join(house.dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
    const next = await house.start();
    expect(next.said()).not.toContain(notClean);
    const leased = await house.look(`select id from batch where cardinality(in_flight) > 0 and worker not like $1`, [
      `%:${next.process.pid}`,
    ]);
    expect(leased).toEqual([]);
    expect(await ended(next, campaignId)).toMatchObject({ planned: 3_000, accepted: 3_000, unknown: 0 });
    const recorded = house.recorded();
    expect(new Set(recorded).size).toBe(3_000);
    expect(recorded).toHaveLength(3_000);
    expect(await next.end('SIGTERM')).toBe(0);
  });

  test('SIGTERM while a provider is silent: it ends all the same, and so does the database', async () => {
    const sink = await house.sink(600_000);
    const server = await house.start();
    const campaignId = await prepareCampaign(server, sink.port, 100, 0);
    await server.call('POST', `/campaigns/${campaignId}/start`);
    await until(async () => ((await sink.stats()).unanswered >= 16 ? true : undefined), 10, 120_000);
    expect(await server.end('SIGTERM')).toBe(0);
    expect(postmaster(house.dataDir)).toBeUndefined();
    // The sink has them, whatever became of its answer: this is what `unknown` is for.
    const next = await house.start();
    expect(await statsOf(next, campaignId)).toMatchObject({ planned: 100, accepted: 0 });
    await next.end('SIGKILL');
  });

  test('the database is killed as well: it recovers, and the ledger still agrees with the wire', async () => {
    const { server, campaignId } = await midCampaign(1_500, 700);
    const database = postmaster(house.dataDir);
    if (database === undefined) throw new Error('no database');
    process.kill(database.pid, 'SIGKILL');
    await server.end('SIGKILL');
    const next = await house.start();
    const stats = await ended(next, campaignId);
    expect(stats.accepted + stats.unknown).toBe(1_500);
    expect(stats.unknown).toBeLessThanOrEqual(64);
    const recorded = house.recorded();
    expect(new Set(recorded).size).toBe(recorded.length);
    expect(recorded.length).toBeGreaterThanOrEqual(stats.accepted);
    expect(await next.end('SIGTERM')).toBe(0);
  });
});

describe('a database that goes away under a running server', () => {
  const control = () => join(house.dataDir, 'postgres', 'global', 'pg_control');
  const killDatabase = async (): Promise<number> => {
    const { pid } = postmaster(house.dataDir) ?? {};
    if (pid === undefined) throw new Error('no database');
    process.kill(pid, 'SIGKILL');
    await until(() => Promise.resolve(isAlive(pid) ? undefined : true), 20);
    return pid;
  };
  const readiness = async (url: string) => (await fetch(`${url}/readyz`)).status;

  test('it is started again; until then the server stays up and answers with a problem', async () => {
    const server = await house.start();
    const url = await server.ready;
    renameSync(control(), `${control()}.away`);
    const killed = await killDatabase();
    await until(async () => ((await readiness(url)) === 503 ? true : undefined), 100);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    await expect(server.call('GET', '/settings/workspace')).rejects.toThrow(/ 50\d /);
    renameSync(`${control()}.away`, control());
    await until(async () => ((await readiness(url)) === 200 ? true : undefined), 100, 60_000);
    expect(await nameOf(server)).not.toBe('');
    expect(postmaster(house.dataDir)?.pid).not.toBe(killed);
    await refusal(house.open());
    expect(await server.end('SIGTERM')).toBe(0);
    expect(server.said()).not.toContain('    at ');
    expect(postmaster(house.dataDir)).toBeUndefined();
  });

  test('one that does not come back ends the server with an error that says so', async () => {
    const server = await house.start();
    await server.ready;
    renameSync(control(), `${control()}.away`);
    await killDatabase();
    await until(() => Promise.resolve(server.process.exitCode ?? undefined), 100, 120_000);
    expect(server.process.exitCode).toBe(1);
    expect(server.said()).toContain('went away and does not come back');
  });
});
