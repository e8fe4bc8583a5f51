import { describe, expect, test } from 'vitest';
import { useCampaigns } from './testing.ts';

const lab = useCampaigns();

describe('a start', () => {
  test('pins the version: what changes later does not reach this campaign', async () => {
    await lab.bench.ledger.people(1);
    const templateId = await lab.bench.template();
    const made = await lab.draft({ templateId });
    const started = await lab.call('POST', `/campaigns/${made.id}/start`);
    expect(started).toMatchObject({
      status: 202,
      body: { status: 'running', templateVersion: 1, startedAt: expect.any(String) },
    });
    await lab.db.write((tx) =>
      lab.bench.templates.change(
        tx,
        templateId,
        { source: { html: '<p>Other</p>' } },
        { kind: 'system', id: null, name: 'x' },
        () => undefined,
      ),
    );
    const { rows } = await lab.db.owner.query('select template_version, sender from plan where workspace_id = $1', [
      lab.db.workspaceId,
    ]);
    expect(rows).toEqual([{ template_version: 1, sender: {} }]);
    expect((await lab.call('GET', `/campaigns/${made.id}`)).body.templateVersion).toBe(1);
  });

  test('hands the campaign’s own sender to the ledger', async () => {
    const made = await lab.draft({ from: { email: 'ada@example.com', name: 'Ada' }, replyTo: 'help@example.com' });
    await lab.call('POST', `/campaigns/${made.id}/start`);
    const { rows } = await lab.db.owner.query(
      'select sender, source, priority, category from plan where workspace_id = $1',
      [lab.db.workspaceId],
    );
    expect(rows).toEqual([
      {
        sender: { from: { address: 'ada@example.com', name: 'Ada' }, replyTo: { address: 'help@example.com' } },
        source: 'campaign',
        priority: 4,
        category: 'marketing',
      },
    ]);
  });

  test('pins the next channel for whom it does not reach, whose template has to be for that channel', async () => {
    const step = { channel: 'email', templateId: await lab.bench.template(), afterMinutes: 30, until: 'read' };
    const made = await lab.draft({ fallback: [step] });
    expect(made.fallback).toEqual([step]);
    const wrong = await lab.call('PATCH', `/campaigns/${made.id}`, { fallback: [{ ...step, channel: 'sms' }] });
    expect(wrong.body).toMatchObject({ errors: [{ pointer: '/fallback/0/templateId' }] });
    await lab.call('POST', `/campaigns/${made.id}/start`);
    const { rows } = await lab.db.owner.query('select fallback from plan where workspace_id = $1', [
      lab.db.workspaceId,
    ]);
    expect(rows).toEqual([{ fallback: [{ ...step, templateVersion: 1 }] }]);
  });

  test('twice is refused, and so is changing what was started, but for its name', async () => {
    const made = await lab.draft();
    await lab.call('POST', `/campaigns/${made.id}/start`);
    expect((await lab.call('POST', `/campaigns/${made.id}/start`)).body).toMatchObject({
      status: 409,
      code: 'campaign/already-started',
    });
    const refused = await lab.call('PATCH', `/campaigns/${made.id}`, { audience: { topic: lab.bench.topicKey } });
    expect(refused.body).toMatchObject({ code: 'campaign/already-started', errors: [{ pointer: '/audience' }] });
    expect((await lab.call('PATCH', `/campaigns/${made.id}`, { name: 'Renamed' })).body).toMatchObject({
      name: 'Renamed',
      status: 'running',
    });
    expect((await lab.call('DELETE', `/campaigns/${made.id}`)).status).toBe(409);
  });

  test('is refused with the field named, and nothing has begun', async () => {
    const source = {
      channel: 'email' as const,
      subject: 'Hi {{ variables.code }}',
      preheader: null,
      mjml: null,
      html: '<p>{{ contact.city }}</p>',
      text: null,
    };
    const templateId = await lab.bench.template({ source });
    const made = await lab.draft({ templateId });
    lab.bench.account.limits = undefined;
    const refused = await lab.call('POST', `/campaigns/${made.id}/start`);
    expect(refused.body).toMatchObject({
      status: 422,
      code: 'campaign/not-ready',
      errors: [
        { pointer: '/templateId', message: 'reads variables.code, which only a call of the API can give' },
        { pointer: '/channels/0', message: 'has no account: choose one for email under Settings' },
      ],
    });
    expect((await lab.call('GET', `/campaigns/${made.id}`)).body.status).toBe('draft');
    expect((await lab.db.owner.query('select 1 from plan where workspace_id = $1', [lab.db.workspaceId])).rows).toEqual(
      [],
    );
    expect(lab.bench.jobs).toEqual([]);
    const { ready, items } = (await lab.call('GET', `/campaigns/${made.id}/readiness`)).body;
    expect(ready).toBe(false);
    expect(items[0]).toMatchObject({ key: 'campaign', state: 'problem' });
  });

  test('with an archived template or topic is refused', async () => {
    const templateId = await lab.bench.template();
    const made = await lab.draft({ templateId });
    await lab.db.write((tx) =>
      lab.bench.templates.change(
        tx,
        templateId,
        { archived: true },
        { kind: 'system', id: null, name: 'x' },
        () => undefined,
      ),
    );
    await lab.db.write((tx) =>
      tx.query('update topic set archived_at = now() where id = $1', [lab.bench.ledger.topicId]),
    );
    expect((await lab.call('POST', `/campaigns/${made.id}/start`)).body.errors).toEqual([
      { pointer: '/templateId', message: 'is archived' },
      { pointer: '/topic', message: 'is archived' },
    ]);
  });

  test('warns of values that contacts lack', async () => {
    const [someone] = await lab.bench.ledger.people(3);
    await lab.db.write((tx) =>
      tx.query(`update contact set attributes = '{"city": "Berlin"}', locale = 'de' where id = $1`, [
        someone?.contactId,
      ]),
    );
    const html =
      '{{ contact.city }} {{ contact.locale }} {{ contact.email }} {{ contact.name | default: "x" }} {{ contact["no\'quote"] }}';
    const made = await lab.draft({
      templateId: await lab.bench.template({
        source: { channel: 'email', subject: 'x', preheader: null, mjml: null, html, text: null },
      }),
    });
    const { items } = (await lab.call('GET', `/campaigns/${made.id}/readiness`)).body;
    expect(items).toContainEqual(
      expect.objectContaining({
        key: 'template-variables',
        state: 'warning',
        detail: expect.stringContaining('contact.city is missing for 2 of 3'),
      }),
    );
    expect(items[1].detail).toContain("contact.no'quote is missing for everybody");
  });
});
