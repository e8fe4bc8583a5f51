import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { AppError, notFound } from '../platform/errors.ts';
import * as store from './store.ts';
import type { Topic } from './store.ts';

export interface TopicChange {
  readonly name?: string | undefined;
  readonly description?: string | null | undefined;
  readonly archived?: boolean | undefined;
}

export interface Topics {
  create(tx: Tx, given: { id: string; key: string; name: string; description?: string | undefined }): Promise<Topic>;
  /** `check` sees the topic before the change and may refuse. */
  update(
    tx: Tx,
    id: string,
    change: TopicChange,
    check: (before: Topic) => void,
  ): Promise<{ before: Topic; after: Topic }>;
  get(tx: Tx, id: string): Promise<Topic>;
  find(tx: Tx, id: string): Promise<Topic | undefined>;
  findByKey(tx: Tx, key: string): Promise<Topic | undefined>;
  /** The topic of a request body; refuses an unknown one, naming the field, and an archived one unless told otherwise. */
  require(tx: Tx, key: string, options: { pointer: string; archived?: boolean }): Promise<Topic>;
  /** The topics of many bodies, in one look-up; answers what `require` would say of each. */
  requireAmong(tx: Tx, keys: readonly string[]): Promise<(key: string, pointer: string) => Topic>;
  list(tx: Tx, options: { archived: boolean; afterKey: string; limit: number }): Promise<Topic[]>;
}

export function createTopics(clock: Clock): Topics {
  const get = async (tx: Tx, id: string, lock = false) => {
    const topic = await store.findTopic(tx, id, lock);
    if (topic === undefined) throw notFound('topic');
    return topic;
  };
  return {
    create: async (tx, { id, key, name, description }) => {
      const text = description === undefined || description === '' ? null : description;
      const topic = await store.insertTopic(tx, { id, key, name, description: text, createdAt: clock.now() });
      if (topic === undefined)
        throw new AppError('topic/key-taken', `There is a topic with the key "${key}" already.`, {
          errors: [{ pointer: '/key', message: 'is taken by another topic' }],
        });
      return topic;
    },
    update: async (tx, id, change, check) => {
      const before = await get(tx, id, true);
      check(before);
      const now = clock.now();
      const archivedAt =
        change.archived === undefined ? before.archivedAt : change.archived ? (before.archivedAt ?? now) : null;
      const after = await store.updateTopic(tx, {
        id,
        name: change.name ?? before.name,
        description: change.description === undefined ? before.description : change.description || null,
        archivedAt,
        updatedAt: now,
      });
      return { before, after: after ?? before };
    },
    get,
    find: store.findTopic,
    findByKey: store.findTopicByKey,
    require: async (tx, key, { pointer, archived = false }) => {
      return usable(await store.findTopicByKey(tx, key), key, pointer, archived);
    },
    requireAmong: async (tx, keys) => {
      const topics = new Map((await store.findTopicsByKey(tx, [...new Set(keys)])).map((one) => [one.key, one]));
      return (key, pointer) => usable(topics.get(key), key, pointer, false);
    },
    list: (tx, { archived, afterKey, limit }) => store.listTopics(tx, archived, afterKey, limit),
  };
}

function usable(topic: Topic | undefined, key: string, pointer: string, archived: boolean): Topic {
  if (topic === undefined)
    throw new AppError('topic/unknown', `There is no topic "${key}".`, {
      errors: [{ pointer, message: 'is not the key of a topic' }],
    });
  if (topic.archivedAt !== null && !archived)
    throw new AppError('topic/archived', `The topic "${key}" is archived; restore it first.`, {
      errors: [{ pointer, message: 'is archived' }],
    });
  return topic;
}
