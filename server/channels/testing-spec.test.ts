import { describe, expect, it } from 'vitest';
import { contractFile, validatorFor } from './testing-spec.ts';

const mail = 'specs/sendgrid/tsg_mail_v3.json';

describe.skipIf(contractFile(mail) === undefined)('a vendor specification as judge', () => {
  const good = {
    personalizations: [{ to: [{ email: 'ada@example.com' }] }],
    from: { email: 'news@example.com' },
    subject: 'Hello',
    content: [{ type: 'text/plain', value: 'Hello' }],
  };

  it('finds nothing wrong with what is right, and names what is wrong', () => {
    const judge = validatorFor(mail, 'post', '/v3/mail/send');
    expect(judge?.(good)).toEqual([]);
    expect(judge?.({ ...good, send_at: 'tomorrow' }).join()).toContain('/send_at must be integer');
    expect(judge?.({ ...good, from: undefined }).join()).toContain('from');
  });

  it('lets unknown fields pass unless it is closed', () => {
    const odd = { ...good, surprise: 1 };
    expect(validatorFor(mail, 'post', '/v3/mail/send')?.(odd)).toEqual([]);
    expect(validatorFor(mail, 'post', '/v3/mail/send', { closed: true })?.(odd).join()).toContain('surprise');
    expect(validatorFor(mail, 'post', '/v3/mail/send', { closed: true })?.(good)).toEqual([]);
  });

  it('judges answers too, through references, and reads YAML', () => {
    const refusal = validatorFor(mail, 'post', '/v3/mail/send', { status: 400 });
    expect(refusal?.({ errors: [{ message: 'bad', field: 'from', help: {} }] })).toEqual([]);
    expect(refusal?.({ errors: 'bad' })).not.toEqual([]);
    const messages = validatorFor('specs/mailgun/mailgun_openapi.yaml', 'post', '/v3/{domain_name}/messages');
    expect(messages?.({})).not.toEqual([]);
  });

  it('says so when the specification has no such request', () => {
    expect(() => validatorFor(mail, 'post', '/v3/nowhere')).toThrow('no schema');
  });
});

it('is absent where the contracts are', () => {
  expect(validatorFor('specs/none.json', 'post', '/')).toBeUndefined();
});
