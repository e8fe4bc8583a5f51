import type { InboxDesk, ProviderDeps } from '../port.ts';
import type { Play, PlayedVendor, ProviderContract } from '../testing-contract.ts';

const ownHouse = 'the inbox is in our own database: there is no vendor to do this';
const noCallbacks = 'nobody calls back: what a person does with a message comes through /inapp';

async function start(): Promise<PlayedVendor> {
  const heard: string[] = [];
  let play: Play = 'accept';
  const inbox: InboxDesk = {
    keep: (_workspace, _account, messages) => {
      if (play === 'down') return Promise.reject(new Error('the database is away'));
      heard.push(...messages.map((one) => one.title));
      const isRefused = play === 'refuse-address' || play === 'refuse-account';
      return Promise.resolve(messages.map(() => (isRefused ? 'no-contact' : 'kept')));
    },
    isThere: () => (play === 'down' ? Promise.reject(new Error('the database is away')) : Promise.resolve(true)),
  };
  return {
    heard,
    account: () => ({
      workspaceId: '0198c1d2-0000-7000-8000-00000000000a',
      id: '0198c1d2-0000-7000-8000-00000000000b',
      revision: 1,
      settings: { allowedOrigins: ['https://app.example.com'] },
      secrets: {},
    }),
    deps: (deps: ProviderDeps) => ({ ...deps, inbox }),
    plays: (next) => {
      play = next;
    },
    close: () => Promise.resolve(),
  };
}

/** The database is a real one in inapp.test.ts; here it does what it is told. */
export const contract: ProviderContract = {
  kind: 'inapp',
  start,
  message: (messageId) => ({
    channel: 'inapp',
    messageId,
    contactId: '0198c1d2-0000-7000-8000-00000000000c',
    title: 'Hello',
    body: 'There is news',
  }),
  without: {
    'refuse-account': ownHouse,
    'refuse-content': 'what an inbox cannot show is found before it is asked (inapp.test.ts)',
    throttle: ownHouse,
    'retry-after': ownHouse,
    unreachable: ownHouse,
    quiet: 'a message is stored under its own id, so that trying again is never in doubt',
    'hang-up': 'a message is stored under its own id, so that trying again is never in doubt',
    malformed: ownHouse,
    'bad-signature': noCallbacks,
    'stale-callback': noCallbacks,
    'replayed-callback': noCallbacks,
    'out-of-order-callbacks': noCallbacks,
  },
};
