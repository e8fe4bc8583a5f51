import { randomBytes } from 'node:crypto';
import { createActivity } from '../../activity/index.ts';
import { newId } from '../../platform/ids.ts';
import { silentLog } from '../../platform/log.ts';
import { createNewsDesk } from '../../platform/news.ts';
import type { NewsDesk } from '../../platform/news.ts';
import type { TestDb } from '../../platform/testing.ts';
import type { OutgoingInApp } from '../port.ts';
import { createInbox } from './inbox.ts';
import type { Inbox } from './inbox.ts';

/** Inboxes on a real database, and people who own them. */
export interface InAppLab {
  readonly inbox: Inbox;
  readonly news: NewsDesk;
  /** A contact that is there, in the first workspace unless named. */
  person(workspaceId?: string): Promise<string>;
  /** An account whose pages come from these origins. */
  account(origins: readonly string[], workspaceId?: string): Promise<string>;
  message(contactId: string, change?: Partial<OutgoingInApp>): OutgoingInApp;
  /** Kinds of the events about a contact, oldest first. */
  history(contactId: string, workspaceId?: string): Promise<string[]>;
}

export function createInAppLab(test: TestDb): InAppLab {
  const news = createNewsDesk();
  const events = createActivity({ db: test.db, clock: test.clock, log: silentLog });
  const { db, clock, vault } = test;
  return {
    news,
    inbox: createInbox({ db, clock, vault, news, events }),
    person: async (workspaceId = test.workspaceId) => {
      const id = newId(clock);
      await test.db.transaction(workspaceId, (tx) =>
        tx.query(`insert into contact (workspace_id, id, salt, created_at, updated_at) values ($1, $2, $3, $4, $4)`, [
          workspaceId,
          id,
          randomBytes(16),
          clock.now(),
        ]),
      );
      return id;
    },
    account: async (origins, workspaceId = test.workspaceId) => {
      const id = newId(clock);
      await test.db.transaction(workspaceId, (tx) =>
        tx.query(
          `insert into provider_account (workspace_id, id, channel, kind, name, settings, created_at, updated_at)
           values ($1, $2, 'inapp', 'inapp', 'Inbox', $3, $4, $4)`,
          [workspaceId, id, JSON.stringify({ allowedOrigins: origins }), clock.now()],
        ),
      );
      return id;
    },
    message: (contactId, change = {}) => ({
      channel: 'inapp',
      messageId: newId(clock),
      contactId,
      title: 'Hello',
      body: 'There is news',
      ...change,
    }),
    history: (contactId, workspaceId = test.workspaceId) =>
      test.db.read(workspaceId, async (tx) => {
        const rows = await tx.query<{ kind: string }>(
          `select kind from event where workspace_id = $1 and contact_id = $2 order by id`,
          [workspaceId, contactId],
        );
        return rows.map((row) => row.kind);
      }),
  };
}
