import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../platform/clock.ts';
import { awsBaseUrl, awsRegion, createAwsSigner } from './aws.ts';
import type { AwsRequest } from './aws.ts';
import { readContract } from './testing-spec.ts';

interface Suite {
  readonly credentials: { accessKeyId: string; secretAccessKey: string; region: string; service: string; date: string };
  readonly cases: Readonly<Record<string, { readonly req: string; readonly sreq: string; readonly authz: string }>>;
}

const suite = readContract<Suite>('signatures/aws_sigv4_suite.json');

/**
 * Left out: a header said twice or over several lines, which a record of headers cannot hold; a path with a bare space,
 * which no URL has; a session's token that is added after signing. We send none of these.
 */
const isSent = (name: string) => !/key-duplicate|value-multiline|get-space|sts-header-after/.test(name);

function parseRequest(raw: string): AwsRequest {
  const [head = '', body] = raw.trimEnd().split('\n\n');
  const [first = '', ...lines] = head.split('\n');
  const method = first.startsWith('POST') ? 'POST' : 'GET';
  const path = first.slice(method.length + 1, first.lastIndexOf(' HTTP/'));
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const { host = '', 'x-amz-date': _date, 'x-amz-security-token': _token, ...own } = headers;
  return {
    method,
    url: `https://${host}${path}`,
    headers: own,
    ...(body === undefined ? {} : { body }),
  };
}

describe.skipIf(suite === undefined)('the signatures of Amazon’s own suite', () => {
  const { credentials, cases } = suite as Suite;
  const clock = createVirtualClock('2015-08-30T12:36:00Z');
  const wanted = Object.entries(cases).filter(([name]) => isSent(name));

  it.each(wanted)('%s', async (_name, one) => {
    const sessionToken = /^X-Amz-Security-Token:(\S+)$/m.exec(one.sreq)?.[1];
    const signed = await createAwsSigner({ ...credentials, sessionToken }, credentials, clock)(parseRequest(one.req));
    // One case of the suite writes another case's signature into its signed request; its `authz` is right.
    expect(signed['authorization']).toBe(one.authz);
    expect(signed['x-amz-date']).toBe(credentials.date);
  });

  it('are made with a new key each day', async () => {
    const request = { method: 'GET', url: 'https://sns.eu-west-1.amazonaws.com/' } as const;
    const moving = createVirtualClock('2026-01-01T23:59:59Z');
    const sign = createAwsSigner(credentials, { service: 'sns', region: 'eu-west-1' }, moving);
    const before = (await sign(request))['authorization'];
    moving.advance(2000);
    const after = (await sign(request))['authorization'];
    expect(before).toContain('/20260101/eu-west-1/sns/aws4_request');
    expect(after).toContain('/20260102/eu-west-1/sns/aws4_request');
    const fresh = createAwsSigner(credentials, { service: 'sns', region: 'eu-west-1' }, moving);
    expect((await fresh(request))['authorization']).toBe(after);
  });
});

describe('where Amazon’s services are', () => {
  it.each(['us-east-1', 'eu-central-2', 'us-gov-west-1', 'cn-northwest-1', 'ap-southeast-4'])(
    '%s is a region',
    (name) => expect(name).toMatch(awsRegion),
  );
  it.each(['us-east', 'us-east-1.evil.example', 'US-EAST-1', '../..', ''])('%s is none', (name) =>
    expect(name).not.toMatch(awsRegion),
  );
  it('China has a domain of its own', () => {
    expect(awsBaseUrl('sns', 'eu-west-1')).toBe('https://sns.eu-west-1.amazonaws.com');
    expect(awsBaseUrl('sns', 'cn-north-1')).toBe('https://sns.cn-north-1.amazonaws.com.cn');
  });
});
