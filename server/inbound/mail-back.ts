import { hash } from 'node:crypto';
import { classify, readLetter } from '../channels/index.ts';
import type { Callback, Told } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import type { LinkTarget } from '../platform/links.ts';
import type { Vault } from '../platform/sealing.ts';
import { insertCallbacks } from './callback.store.ts';
import { sealCallback } from './callbacks.ts';
import { toldBy } from './mail.rules.ts';

/** Under this name mail that came back waits among the callbacks to be read. */
export const mailProvider = 'mail';
const scheme = 'mail:';

export interface MailBackDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Pick<Vault, 'keys'>;
  wake(): void;
}

const accountText = `select m.account_id as "accountId" from message m where m.workspace_id = $1 and m.id = $2`;

async function accountOf(tx: Tx, messageId: string): Promise<string | undefined> {
  const [row] = await tx.hot<{ accountId: string | null }>(accountText, [tx.workspaceId, messageId]);
  // It may be back before the answer of its own hand-over was written; the account is not needed to read it.
  return row === undefined ? undefined : (row.accountId ?? messageId);
}

/** Keeps a mail that came back, sealed, for the reader; false when there is no such message. */
export function createMailBack({ db, clock, vault, wake }: MailBackDeps) {
  return ({ workspaceId, messageId }: LinkTarget, raw: Buffer): Promise<boolean> =>
    db.transaction(workspaceId, async (tx) => {
      const accountId = await accountOf(tx, messageId);
      if (accountId === undefined) return false;
      const id = newId(clock);
      const receivedAt = clock.now().toString();
      const callback: Callback = { method: 'POST', url: `${scheme}${messageId}`, headers: {}, body: raw, receivedAt };
      const sealed = sealCallback(await vault.keys(tx), id, callback);
      await insertCallbacks(tx, [{ id, accountId, provider: mailProvider, sealed }], clock.now());
      tx.afterCommit(wake);
      return true;
    });
}

/** What it says. The same mail delivered twice has the same key. */
export async function readMail({ url, body, receivedAt = '' }: Callback): Promise<Told> {
  const letter = await readLetter(body);
  const messageId = url.slice(scheme.length);
  const key = `${messageId}:${hash('sha256', letter.headers.get('message-id') ?? body, 'hex').slice(0, 32)}`;
  const { from, text, headers } = letter;
  return toldBy({ messageId, key, receivedAt, returned: classify(letter), from, to: headers.get('to') ?? '', text });
}
