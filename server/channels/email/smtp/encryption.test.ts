import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerOptions } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import { testCertificate } from '../../../platform/testing-certificate.ts';
import { email } from '../../testing.ts';
import { createLab, numbered } from './testing.ts';

const lab = createLab();
const { sender, scripted, mannered } = lab;
afterEach(() => lab.close());

describe('encryption and sign-in', () => {
  const certificate = testCertificate();

  async function realServer(options: SMTPServerOptions): Promise<{ port: number; mails: string[]; users: string[] }> {
    const mails: string[] = [];
    const users: string[] = [];
    const server = new SMTPServer({
      ...certificate,
      disableReverseLookup: true,
      logger: false,
      closeTimeout: 10,
      onAuth: (auth, _session, done) => {
        users.push(`${auth.method}:${auth.username}`);
        if (auth.password === 'right') done(null, { user: auth.username ?? '' });
        else done(Object.assign(new Error('5.7.8 no'), { responseCode: 535 }));
      },
      onData: (stream, _session, done) => {
        let text = '';
        stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
        stream.on('end', () => {
          mails.push(text);
          done(null, '2.0.0 queued as REAL1');
        });
      },
      ...options,
    });
    server.on('error', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    lab.closeLater({ close: () => new Promise((resolve) => server.close(() => resolve())) });
    return { port: (server.server.address() as AddressInfo).port, mails, users };
  }
  const trusted = { host: 'localhost', authorities: certificate.cert, auth: { user: 'acme', password: 'right' } };
  const resolveHost = () => Promise.resolve(['127.0.0.1']);

  it.each(['tls', 'starttls', 'opportunistic'] as const)(
    'sends over %s to a real server, signed in',
    async (security) => {
      const { port, mails, users } = await realServer({ secure: security === 'tls' });
      const over = sender(port, { ...trusted, security, maxConnections: 2 }, { resolveHost });
      const results = await Promise.all(numbered(20).map((message) => over.send(message)));
      expect(results.every((result) => result.kind === 'accepted' && result.ref === 'REAL1')).toBe(true);
      expect(mails).toHaveLength(20);
      expect(new Set(users)).toEqual(new Set(['PLAIN:acme']));
    },
  );

  it('signs in with LOGIN where PLAIN is not offered', async () => {
    const { port, users } = await realServer({ secure: true, authMethods: ['LOGIN'] });
    expect(await sender(port, { ...trusted, security: 'tls' }, { resolveHost }).send(email())).toMatchObject({
      kind: 'accepted',
    });
    expect(users).toEqual(['LOGIN:acme']);
  });

  it.each(['tls', 'starttls'] as const)(
    'does not talk to a server whose certificate nobody vouches for (%s)',
    async (security) => {
      const { port, mails, users } = await realServer({ secure: security === 'tls' });
      const { authorities: _, ...untrusted } = trusted;
      const result = await sender(port, { ...untrusted, security }, { resolveHost }).send(email());
      expect(result).toMatchObject({ kind: 'retry', category: 'provider-down', code: 'tls-certificate' });
      expect([mails, users]).toEqual([[], []]);
    },
  );

  it('does not accept a certificate for another name', async () => {
    const { port } = await realServer({ secure: true });
    const result = await sender(port, { ...trusted, host: 'other.example', security: 'tls' }, { resolveHost }).send(
      email(),
    );
    expect(result).toMatchObject({ kind: 'retry', code: 'tls-certificate' });
  });

  it('sends nothing when STARTTLS is required and not offered', async () => {
    const { server, heard } = await mannered({});
    const result = await sender(server.port, { security: 'starttls', auth: { user: 'acme', password: 'right' } }).send(
      email(),
    );
    expect(result).toMatchObject({ kind: 'retry', category: 'provider-down', code: 'tls-missing' });
    expect(heard.commands).toEqual(['EHLO client.example']);
  });

  it('never says a password over an open line unless that was chosen', async () => {
    const { server, heard } = await mannered({ hello: ['250-hi', '250 AUTH PLAIN LOGIN'] });
    const result = await sender(server.port, {
      security: 'opportunistic',
      auth: { user: 'acme', password: 'right' },
    }).send(email());
    expect(result).toMatchObject({ kind: 'refused', category: 'account', code: 'tls-missing' });
    expect(heard.commands.join()).not.toContain('AUTH');
  });

  it('does not believe what was said before the handshake', async () => {
    const server = await scripted(async (line) => {
      line.say('220 hi');
      await line.hear();
      line.say('250-hi', '250 STARTTLS');
      await line.hear();
      line.say('220 go', '250-injected', '250 AUTH PLAIN');
    });
    const result = await sender(server.port, { security: 'starttls' }).send(email());
    expect(result).toMatchObject({ kind: 'retry', category: 'provider-down' });
    expect('code' in result && ['tls', 'malformed'].includes(result.code)).toBe(true);
  });

  it('stops the account, not the message, when the sign-in is refused', async () => {
    const { port, mails } = await realServer({ secure: true });
    const over = sender(
      port,
      { ...trusted, auth: { user: 'acme', password: 'wrong' }, security: 'tls' },
      { resolveHost },
    );
    const results = await Promise.all(numbered(3).map((message) => over.send(message)));
    for (const result of results) expect(result).toMatchObject({ kind: 'refused', category: 'account', code: '5.7.8' });
    expect(mails).toEqual([]);
  });

  it('says so when a server offers no sign-in that is known', async () => {
    const { server } = await mannered({ hello: ['250-hi', '250 AUTH GSSAPI'] });
    const result = await sender(server.port, { auth: { user: 'acme', password: 'right' } }).send(email());
    expect(result).toMatchObject({ kind: 'refused', category: 'account', code: 'auth-missing' });
  });

  it('logs neither addresses nor secrets, whatever happens', () => {
    expect(lab.logged.length).toBeGreaterThan(0);
    expect(JSON.stringify(lab.logged)).not.toMatch(/@|right|wrong|acme/);
  });
});
