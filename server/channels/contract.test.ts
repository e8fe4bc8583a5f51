import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createVirtualClock, systemClock } from '../platform/clock.ts';
import type { VirtualClock } from '../platform/clock.ts';
import { allProviders } from './registry.ts';
import type { Provider, ProviderAccount, ProviderDeps, Sender } from './port.ts';
import { converse, email, providerDeps, startScripted } from './testing.ts';
import type { Heard, Line, ScriptedServer } from './testing.ts';

/**
 * The promises of `port.ts`, held against every provider. A provider that is registered without a vendor to play
 * against here fails the first test: there is no provider without a contract.
 */

/** Plays a vendor: what it answers is chosen by the recipient, so that one script serves every promise. */
interface Vendor {
  account(port: number): { settings: unknown; secrets: unknown };
  deps(port: number, deps: ProviderDeps): ProviderDeps;
  play(line: Line, heard: Heard): Promise<void>;
}

const smtpVendor = {
  play: (line: Line, heard: Heard) =>
    converse(
      line,
      {
        hello: ['250-vendor', '250-PIPELINING', '250-AUTH PLAIN LOGIN', '250 SIZE 1000000'],
        rcpt: (command: string) => {
          if (command.includes('gone@')) return ['550 5.1.1 <gone@example.com> no such user'];
          if (command.includes('busy@')) return ['451 4.7.0 Too many messages, try again in 30 seconds'];
          if (command.includes('later@')) return ['450 4.2.0 mailbox busy'];
          return ['250 ok'];
        },
        end: (_body: string, recipient: string) => {
          if (recipient.includes('spam@')) return ['554 5.7.1 refused as spam'];
          if (recipient.includes('quiet@')) return [];
          if (recipient.includes('nonsense@')) return ['<html>Bad gateway</html>'];
          return ['250 2.0.0 Ok: queued as VENDOR1'];
        },
      },
      heard,
    ),
};

const vendors: Record<string, Vendor> = {
  smtp: {
    ...smtpVendor,
    account: (port) => ({
      settings: { host: '127.0.0.1', port, security: 'none', username: 'acme', maxConnections: 2, dkim: null },
      secrets: { password: 'secret-of-acme' },
    }),
    deps: (_port, deps) => deps,
  },
  sandbox: {
    ...smtpVendor,
    account: () => ({ settings: {}, secrets: {} }),
    deps: (port, deps) => ({
      ...deps,
      sandbox: () => ({ host: '127.0.0.1', port, password: () => 'secret-of-acme', vendorUrl: () => '' }),
    }),
  },
};

it('every registered provider is held to the contract', () => {
  expect(
    allProviders()
      .map((provider) => provider.kind)
      .toSorted(),
  ).toEqual(Object.keys(vendors).toSorted());
});

describe.each(allProviders().map((provider) => [provider.kind, provider] as const))(
  '%s',
  (kind, provider: Provider) => {
    const vendor = vendors[kind] as Vendor;
    const told: unknown[] = [];
    let heard: Heard = { commands: [], bodies: [] };
    let server: ScriptedServer;
    let senders: Sender[] = [];

    beforeAll(async () => {
      server = await startScripted((line) => vendor.play(line, heard));
    });
    afterEach(async () => {
      for (const sender of senders) await sender.close();
      senders = [];
      heard = { commands: [], bodies: [] };
    });
    afterAll(() => server.close());

    const depsOf = (clock = systemClock, port = server.port) =>
      vendor.deps(
        port,
        providerDeps(clock, { log: { info: (...one) => told.push(one), warn: (...one) => told.push(one) } }),
      );
    const accountOf = (port = server.port): ProviderAccount => {
      const { settings, secrets } = vendor.account(port);
      return {
        workspaceId: '0198c1d2-0000-7000-8000-00000000000a',
        id: '0198c1d2-0000-7000-8000-00000000000b',
        revision: 1,
        settings: provider.settings.parse(settings),
        secrets: provider.secrets.parse(secrets),
      };
    };
    const open = (clock = systemClock, port = server.port) => {
      const sender = provider.create(accountOf(port), depsOf(clock, port));
      senders.push(sender);
      return sender;
    };

    it('accepts, and tells the reference of the provider', async () => {
      expect(await open().send(email())).toMatchObject({ kind: 'accepted', ref: 'VENDOR1' });
      expect(heard.bodies).toHaveLength(1);
    });

    it('tells an address that does not work from a message that is objected to', async () => {
      const sender = open();
      expect(await sender.send(email('gone@example.com'))).toMatchObject({
        kind: 'refused',
        category: 'address',
        code: '5.1.1',
        permanent: true,
      });
      expect(await sender.send(email('spam@example.com'))).toMatchObject({
        kind: 'refused',
        category: 'content',
        code: '5.7.1',
        permanent: true,
      });
    });

    it('tells later from too fast, and hands on how long the provider asks to wait', async () => {
      const sender = open();
      expect(await sender.send(email('later@example.com'))).toMatchObject({ kind: 'retry', category: 'transient' });
      expect(await sender.send(email('busy@example.com'))).toMatchObject({
        kind: 'retry',
        category: 'throttled',
        afterMs: 30_000,
      });
    });

    it('says unknown when the provider goes quiet after taking the message', async () => {
      const clock = createVirtualClock();
      const sent = open(clock).send(email('quiet@example.com'));
      while (heard.bodies.length === 0) await turn();
      expect(await settledBy(clock, sent)).toMatchObject({ kind: 'unknown', code: 'timeout' });
    });

    it('says unknown when the answer makes no sense', async () => {
      expect(await open().send(email('nonsense@example.com'))).toMatchObject({ kind: 'unknown', code: 'malformed' });
    });

    it('says later when there is nobody at the other end', async () => {
      const gone = await startScripted(async () => {});
      await gone.close();
      expect(await open(systemClock, gone.port).send(email())).toMatchObject({
        kind: 'retry',
        category: 'provider-down',
      });
    });

    it('refuses a message that could smuggle in a header or a command, without sending a byte of it', async () => {
      const sender = open();
      expect(await sender.send(email('a@example.com\r\nDATA'))).toMatchObject({ kind: 'refused', category: 'address' });
      expect(await sender.send(email('a@example.com', { subject: 'x\r\nBcc: y@example.com' }))).toMatchObject({
        kind: 'refused',
        category: 'content',
      });
      expect(heard.bodies).toEqual([]);
    });

    it('settles as many messages at once as it says it can carry, each exactly once', async () => {
      const sender = open();
      const results = await Promise.all(Array.from({ length: sender.capacity * 2 }, () => sender.send(email())));
      expect(results.every((result) => result.kind === 'accepted')).toBe(true);
      expect(heard.bodies).toHaveLength(sender.capacity * 2);
    });

    it('takes nothing after it was closed', async () => {
      const sender = open();
      await sender.close();
      expect(await sender.send(email())).toMatchObject({ kind: 'retry', code: 'closed' });
    });

    it('tests an account by connecting and signing in, and sends nothing', async () => {
      const tested = await provider.test(accountOf(), depsOf());
      expect(tested.ok).toBe(true);
      expect(tested.steps.map((step) => step.name)).toEqual(expect.arrayContaining(['connect', 'auth']));
      expect(heard.commands.some((command) => command.startsWith('MAIL'))).toBe(false);
      const gone = await startScripted(async () => {});
      await gone.close();
      const failed = await provider.test(accountOf(gone.port), depsOf(systemClock, gone.port));
      expect(failed.ok).toBe(false);
      expect(failed.steps.at(-1)).toMatchObject({ name: 'connect', ok: false });
    });

    it('takes no settings it does not know', () => {
      const { settings } = vendor.account(server.port);
      expect(provider.settings.safeParse({ ...(settings as object), surprise: 1 }).success).toBe(false);
    });

    it('tells neither addresses nor secrets to the log', () => {
      expect(JSON.stringify(told)).not.toMatch(/@example\.com|secret-of-acme/);
    });
  },
);

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function settledBy<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let done = false;
  const watched = promise.finally(() => (done = true));
  while (!done) {
    await turn();
    clock.advance(1000);
  }
  return watched;
}
