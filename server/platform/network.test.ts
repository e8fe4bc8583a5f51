import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { permittedAddresses, reachOf } from './network.rules.ts';
import { createHostResolver } from './network.ts';

describe('where an address leads', () => {
  it.each([
    ['8.8.8.8', 'open'],
    ['2a00:1450:4001:831::200e', 'open'],
    ['127.0.0.1', 'private'],
    ['127.255.3.4', 'private'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.32.0.1', 'open'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['169.254.10.20', 'private'],
    ['169.254.169.254', 'never'],
    ['100.100.100.200', 'never'],
    ['0.0.0.0', 'never'],
    ['224.0.0.1', 'never'],
    ['255.255.255.255', 'never'],
    ['::1', 'private'],
    ['0:0:0:0:0:0:0:1', 'private'],
    ['::', 'never'],
    ['fe80::1', 'private'],
    ['fe80::1%eth0', 'private'],
    ['fd12:3456::1', 'private'],
    ['fd00:ec2::254', 'never'],
    ['::ffff:127.0.0.1', 'private'],
    ['::ffff:7f00:1', 'private'],
    ['::ffff:169.254.169.254', 'never'],
    ['::ffff:8.8.8.8', 'open'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['64:ff9b::808:808', 'open'],
    ['2002:7f00:1::', 'private'],
    ['::127.0.0.1', 'private'],
    ['2001:db8::1', 'private'],
    ['ff02::1', 'never'],
    ['not an address', 'never'],
  ] as const)('%s is %s', (address, reach) => {
    expect(reachOf(address)).toBe(reach);
  });

  it('never lets a mapped address go further than the address inside it', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(reachOf(`::ffff:${address}`)).toBe(reachOf(address));
        expect(reachOf(`64:ff9b::${address}`)).toBe(reachOf(address));
      }),
    );
  });

  it('keeps only public addresses, unless private networks are allowed; never the credentials of the machine', () => {
    const all = ['10.0.0.1', '8.8.8.8', '169.254.169.254', '::1'];
    expect(permittedAddresses(all, false)).toEqual(['8.8.8.8']);
    expect(permittedAddresses(all, true)).toEqual(['10.0.0.1', '8.8.8.8', '::1']);
  });
});

describe('resolving a host', () => {
  const table: Record<string, string[]> = {
    'mail.example': ['10.0.0.1', '8.8.4.4'],
    'inside.example': ['192.168.0.9'],
    'empty.example': [],
  };
  const resolver = (allowPrivateNetworks: boolean) =>
    createHostResolver({ allowPrivateNetworks, clock: systemClock, lookup: async (host) => table[host] ?? [] });

  it('gives the addresses that may be connected to', async () => {
    expect(await resolver(false)('mail.example')).toEqual(['8.8.4.4']);
    expect(await resolver(true)('inside.example')).toEqual(['192.168.0.9']);
    expect(await resolver(true)('[::1]')).toEqual(['::1']);
  });

  it('refuses names and literals that lead only into private networks', async () => {
    await expect(resolver(false)('inside.example')).rejects.toMatchObject({ code: 'network/forbidden' });
    await expect(resolver(false)('127.0.0.1')).rejects.toMatchObject({ code: 'network/forbidden' });
    await expect(resolver(true)('169.254.169.254')).rejects.toMatchObject({ code: 'network/forbidden' });
  });

  it('says so when a name has no address', async () => {
    await expect(resolver(true)('empty.example')).rejects.toMatchObject({ code: 'network/not-resolved' });
  });

  it('finds the loopback by the system resolver, however it is written', async () => {
    const system = createHostResolver({ allowPrivateNetworks: false, clock: systemClock });
    await expect(system('localhost')).rejects.toMatchObject({ code: 'network/forbidden' });
    await expect(system('2130706433')).rejects.toMatchObject({ code: expect.stringMatching(/^network\//) });
  });
});
