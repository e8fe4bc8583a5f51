import { describe, expect, it } from 'vitest';
import { fieldsOf, settingsOf, valuesOfFields } from './fields.rules.ts';

const nullableText = (title: string) => ({ title, anyOf: [{ type: 'string' }, { type: 'null' }] });
const schema = {
  type: 'object',
  properties: {
    accountSid: { type: 'string', title: 'Account SID' },
    baseUrl: { ...nullableText('Base URL'), default: null },
    maxConnections: { type: 'integer', title: 'Requests at a time', default: 10, minimum: 1, maximum: 100 },
    tracked: { type: 'boolean', title: 'Tracking', default: false },
    region: { enum: ['us', 'eu'], type: 'string', title: 'Region', default: 'us' },
    hosts: { title: 'Hosts', anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'null' }] },
    senders: {
      type: 'array',
      title: 'Senders',
      default: [],
      items: {
        type: 'object',
        properties: { country: nullableText('Country'), from: { type: 'string', title: 'Sender' } },
        required: ['country', 'from'],
      },
    },
  },
  required: ['accountSid', 'hosts'],
};
const secrets = { type: 'object', properties: { authToken: { type: 'string', title: 'Auth token', maxLength: 200 } } };
const fields = [...fieldsOf(schema, false), ...fieldsOf(secrets, true)];

describe('a form made from a schema', () => {
  it('asks for each field in its own way', () => {
    expect(fields.map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
      'accountSid: text',
      'baseUrl: text',
      'maxConnections: number',
      'tracked: switch',
      'region: choice',
      'hosts: lines',
      'senders: rows',
      'authToken: secret',
    ]);
    expect(fields.find((one) => one.name === 'senders')?.columns.map((one) => one.title)).toEqual([
      'Country',
      'Sender',
    ]);
  });

  it('begins with the defaults, and gives the API what was typed', () => {
    const values = {
      ...valuesOfFields(fields, undefined),
      accountSid: 'AC1',
      hosts: 'a.example\n\n b.example ',
      senders: [{ country: '', from: '+4915112345678' }],
    };
    expect(values).toMatchObject({ maxConnections: 10, tracked: false, region: 'us', authToken: '' });
    expect(settingsOf(fields, values)).toEqual({
      accountSid: 'AC1',
      baseUrl: null,
      maxConnections: 10,
      tracked: false,
      region: 'us',
      hosts: ['a.example', 'b.example'],
      senders: [{ country: null, from: '+4915112345678' }],
    });
  });

  it('shows what is stored and gives the same back; a secret that was not typed again stays', () => {
    const stored = {
      accountSid: 'AC2',
      baseUrl: 'https://x.example',
      maxConnections: 3,
      tracked: true,
      region: 'eu',
      hosts: null,
      senders: [{ country: 'US', from: '12345' }],
    };
    const values = valuesOfFields(fields, stored);
    expect(settingsOf(fields, values)).toEqual(stored);
    expect(settingsOf(fields, { ...values, authToken: 'new' })).toEqual({ ...stored, authToken: 'new' });
  });
});
