import { BlockList, isIP } from 'node:net';

/** `open`: on the public internet; `private`: reachable only from here; `never`: no host that anybody means. */
export type Reach = 'open' | 'private' | 'never';

function ranges(family: 'ipv4' | 'ipv6', list: readonly string[]): BlockList {
  const block = new BlockList();
  for (const range of list) {
    const [address = '', bits = ''] = range.split('/');
    block.addSubnet(address, Number(bits), family);
  }
  return block;
}

// IANA special-purpose registries (RFC 6890): loopback, private, shared (CGNAT), documentation, benchmarking, reserved.
const privateV4 = ranges('ipv4', [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
]);
// Unspecified, multicast, reserved, and where clouds keep the credentials of the machine.
const neverV4 = ranges('ipv4', ['0.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4', '169.254.169.254/32', '100.100.100.200/32']);
const openV6 = ranges('ipv6', ['2000::/3']);
const specialV6 = ranges('ipv6', ['2001::/23', '2001:db8::/32', '3fff::/20']);
const neverV6 = ranges('ipv6', ['::/128', 'ff00::/8', 'fd00:ec2::254/128']);
const mapped = ranges('ipv6', ['::ffff:0:0/96', '64:ff9b::/96', '::/96']);
const sixToFour = ranges('ipv6', ['2002::/16']);

/** Where an IP address leads; anything that is not one leads nowhere. */
export function reachOf(address: string): Reach {
  const family = isIP(address);
  if (family === 4) return reachOfV4(address);
  if (family === 0) return 'never';
  const bare = address.split('%')[0] ?? '';
  if (neverV6.check(bare, 'ipv6')) return 'never';
  if (bare === '::1' || /^(?:0{1,4}:){7}0{0,3}1$/.test(bare)) return 'private';
  const inner = innerV4(bare);
  if (inner !== undefined) return reachOfV4(inner);
  if (!openV6.check(bare, 'ipv6') || specialV6.check(bare, 'ipv6')) return 'private';
  return 'open';
}

function reachOfV4(address: string): Reach {
  if (neverV4.check(address, 'ipv4')) return 'never';
  return privateV4.check(address, 'ipv4') ? 'private' : 'open';
}

/** The IPv4 address inside a mapped, NAT64 or 6to4 one. */
function innerV4(address: string): string | undefined {
  const inLast = mapped.check(address, 'ipv6');
  if (!inLast && !sixToFour.check(address, 'ipv6')) return undefined;
  const words = expandV6(address);
  const [high = 0, low = 0] = inLast ? words.slice(6) : words.slice(1, 3);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

function expandV6(address: string): number[] {
  // The URL parser writes the canonical form, an IPv4 tail included.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right].map((word) => Number.parseInt(word, 16));
}

/** Which of these addresses may be connected to. */
export function permittedAddresses(addresses: readonly string[], allowPrivateNetworks: boolean): string[] {
  return addresses.filter((address) => {
    const reach = reachOf(address);
    return reach === 'open' || (reach === 'private' && allowPrivateNetworks);
  });
}
