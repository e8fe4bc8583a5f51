import { describe, expect, test } from 'vitest';
import { newId } from '../platform/ids.ts';
import { useCampaigns } from './testing.ts';

const lab = useCampaigns();

describe('the audience', () => {
  test('is shown before the start as it will be after it, reason by reason', async () => {
    await lab.bench.ledger.people(20);
    await lab.bench.ledger.people(4, 'withdrawn');
    await lab.bench.ledger.people(3, null);
    const [bounced, complained] = await lab.bench.ledger.people(2);
    await lab.db.write(async (tx) => {
      await tx.query("update address set state = 'bounced' where id = $1", [bounced?.addressId]);
      await tx.query(
        `insert into suppression (workspace_id, kind, hash, hash_version, reason, created_at)
         select workspace_id, kind, hash, hash_version, 'complaint', now() from address where id = $1`,
        [complained?.addressId],
      );
      await tx.query('insert into contact (workspace_id, id, created_at, updated_at) values ($1, $2, now(), now())', [
        tx.workspaceId,
        newId(lab.db.clock),
      ]);
      await tx.query(
        'insert into contact (workspace_id, id, created_at, updated_at, erased_at) values ($1, $2, now(), now(), now())',
        [tx.workspaceId, newId(lab.db.clock)],
      );
    });
    lab.bench.account.limits = { perSecond: 2 };
    const made = await lab.draft();
    const shown = (await lab.call('GET', `/campaigns/${made.id}/audience`)).body;
    expect(shown).toMatchObject({
      steps: [
        { name: 'In the audience', count: 30 },
        { name: 'Has an address', count: 29 },
        { name: 'Address works', count: 28 },
        { name: 'Not on the suppression list', count: 27 },
        { name: 'Agreed to the topic', count: 20 },
        { name: 'Will be sent', count: 20 },
      ],
      willSend: 20,
      estimatedSeconds: 10,
    });
    await lab.call('POST', `/campaigns/${made.id}/start`);
    await lab.bench.settle();
    const after = await lab.stats(made.id);
    expect(after).toMatchObject({ status: 'done', planned: 30, accepted: 20, suppressed: 10 });
    expect(after.reasons.suppressed).toEqual(shown.suppressed);
  });

  test('of a topic are those who ever answered it: who withdrew is counted and said why', async () => {
    await lab.bench.ledger.people(5);
    await lab.bench.ledger.people(1, 'withdrawn');
    await lab.bench.ledger.people(7, null);
    const made = await lab.draft({ audience: { topic: lab.bench.topicKey } });
    const shown = (await lab.call('GET', `/campaigns/${made.id}/audience`)).body;
    expect(shown.steps[0]).toEqual({ name: 'In the audience', count: 6 });
    expect(shown.willSend).toBe(5);
    await lab.call('POST', `/campaigns/${made.id}/start`);
    await lab.bench.settle();
    expect(await lab.stats(made.id)).toMatchObject({ planned: 6, accepted: 5, suppressed: 1 });
  });

  test('is written to at the address that agreed, else at the first', async () => {
    const [person] = await lab.bench.ledger.people(1);
    const keys = await lab.db.read((tx) => lab.db.vault.keys(tx));
    const firstAddress = newId(lab.db.clock);
    await lab.db.write((tx) =>
      tx.query(
        `insert into address (workspace_id, id, contact_id, kind, position, hash, hash_version, sealed, created_at)
         values ($1, $2, $3, 'email', -1, $4, 1, '\\x00', now())`,
        [tx.workspaceId, firstAddress, person?.contactId, keys.blindIndex('email', 'first@example.com').hash],
      ),
    );
    const made = await lab.draft();
    await lab.call('POST', `/campaigns/${made.id}/start`);
    await lab.bench.settle();
    expect(lab.bench.ledger.sent).toEqual([`${person?.addressId}@example.com`]);
  });

  test('does not grow after the start', async () => {
    await lab.bench.ledger.people(3);
    const made = await lab.draft();
    await lab.call('POST', `/campaigns/${made.id}/start`);
    await lab.bench.ledger.people(2);
    await lab.bench.settle();
    expect(await lab.stats(made.id)).toMatchObject({ status: 'done', planned: 3, accepted: 3 });
  });

  test('of nobody may be started: it is done at once, with nothing in it', async () => {
    const made = await lab.draft();
    const readiness = (await lab.call('GET', `/campaigns/${made.id}/readiness`)).body;
    expect(readiness.ready).toBe(true);
    expect(readiness.items[0]).toMatchObject({
      key: 'audience',
      state: 'warning',
      detail: 'Nobody would be written to.',
    });
    expect((await lab.call('POST', `/campaigns/${made.id}/start`)).status).toBe(202);
    await lab.bench.settle();
    expect(await lab.stats(made.id)).toMatchObject({ status: 'done', planned: 0, endedAt: expect.any(String) });
  });
});
