import { describe, expect, test } from 'vitest';
import { useCampaigns } from './testing.ts';

const lab = useCampaigns();

describe('a draft', () => {
  test('is made, read, changed and deleted, each written to the audit', async () => {
    const made = await lab.draft({ from: 'Ada of Acme <ada@example.com>', replyTo: 'help@example.com' });
    expect(made).toMatchObject({
      templateName: 'Hello',
      templateVersion: null,
      topic: lab.bench.topicKey,
      from: { email: 'ada@example.com', name: 'Ada of Acme' },
      replyTo: 'help@example.com',
      totals: null,
      createdBy: 'Test key',
      revision: 1,
    });
    const changed = await lab.call(
      'PATCH',
      `/campaigns/${made.id}`,
      { from: null, audience: { topic: lab.bench.topicKey } },
      { 'if-match': '"r1"' },
    );
    expect(changed.body).toMatchObject({
      from: null,
      replyTo: 'help@example.com',
      audience: { topic: lab.bench.topicKey },
      revision: 2,
    });
    expect((await lab.call('PATCH', `/campaigns/${made.id}`, { name: 'x' }, { 'if-match': '"r1"' })).status).toBe(412);
    expect((await lab.call('GET', `/campaigns/${made.id}`)).body).toEqual(changed.body);
    expect((await lab.call('DELETE', `/campaigns/${made.id}`)).status).toBe(204);
    expect((await lab.call('GET', `/campaigns/${made.id}`)).status).toBe(404);
    expect(lab.audited.map((one) => one.action)).toEqual(['campaign.created', 'campaign.changed', 'campaign.deleted']);
  });

  test.each([
    [{ topic: 'nothing' }, '/topic'],
    [{ audience: { topic: 'nothing' } }, '/audience/topic'],
    [{ templateId: '01900000-0000-7000-8000-000000000000' }, '/templateId'],
    [{ from: 'not a mailbox' }, '/from'],
    [{ from: 'Ada\r\nBcc: x@example.com <ada@example.com>' }, '/from'],
    [{ from: { email: 'ada@example.com', name: 'Ada\nBcc: x' } }, '/from'],
    [{ replyTo: 'a@example.com\r\nBcc: x@example.com' }, '/replyTo'],
    [{ replyTo: 'a@example.com, b@example.com' }, '/replyTo'],
  ])('with %j is refused, naming the field', async (wrong, pointer) => {
    const templateId = await lab.bench.template();
    const refused = await lab.call('POST', '/campaigns', {
      name: 'x',
      channels: ['email'],
      templateId,
      topic: lab.bench.topicKey,
      audience: { all: true },
      ...wrong,
    });
    expect(refused.status).toBe(422);
    expect(refused.body.errors.some((one: { pointer: string }) => one.pointer.startsWith(pointer))).toBe(true);
  });

  test('of another workspace does not exist', async () => {
    const made = await lab.draft();
    const stranger = { 'x-workspace': await lab.db.newWorkspace('Other') };
    for (const url of ['', '/audience', '/stats', '/readiness'])
      expect((await lab.call('GET', `/campaigns/${made.id}${url}`, undefined, stranger)).status).toBe(404);
    for (const verb of ['start', 'pause', 'resume', 'cancel'])
      expect((await lab.call('POST', `/campaigns/${made.id}/${verb}`, undefined, stranger)).status).toBe(404);
    expect((await lab.call('GET', '/campaigns', undefined, stranger)).body.data).toEqual([]);
  });

  test('lists newest first, page by page, with numbers of those that were started', async () => {
    await lab.bench.ledger.people(3);
    const first = await lab.draft({ name: 'First' });
    const second = await lab.draft({ name: 'Second' });
    await lab.call('POST', `/campaigns/${first.id}/start`);
    await lab.bench.settle();
    const page = (await lab.call('GET', '/campaigns?limit=1')).body;
    expect(page.data).toMatchObject([{ id: second.id, totals: null }]);
    const next = (await lab.call('GET', `/campaigns?limit=1&cursor=${page.nextCursor}`)).body;
    expect(next).toMatchObject({
      data: [{ id: first.id, status: 'done', totals: { planned: 3, accepted: 3 } }],
      nextCursor: null,
    });
    expect((await lab.call('GET', '/campaigns?status=done')).body.data).toHaveLength(1);
    expect((await lab.call('GET', '/campaigns?q=seco')).body.data).toHaveLength(1);
  });
});
