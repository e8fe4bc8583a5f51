import { hash } from 'node:crypto';
import type { AccountNews } from '../../port.ts';
import { qualityOf, tierLimit } from '../limits.rules.ts';
import { e164Of } from '../number.rules.ts';
import { maybe, objectsAt, textAt, timeAt } from '../json.rules.ts';
import type { Fields } from '../json.rules.ts';

/** Webhook fields other than `messages`: what concerns templates, quality, limits and standing of the account. */

export interface Entry {
  /** The WhatsApp Business Account. */
  readonly account: string | undefined;
  /** Of the entry, else when it came. */
  readonly at: string;
  /** A time of arrival is another each time, and so no part of the key. */
  readonly hasTime: boolean;
}

/** Pure. Meta gives these no ids: the same words at the same time are the same news. */
export function readNews(field: string, value: Fields, entry: Entry): readonly AccountNews[] {
  const digest = hash(
    'sha256',
    JSON.stringify([field, entry.account ?? '', entry.hasTime ? entry.at : '', value]),
    'hex',
  ).slice(0, 32);
  if (field === 'user_preferences') return preferences(value, digest, entry.at);
  const { kind, data } = newsOf(field, value);
  const account = maybe('businessAccountId', entry.account);
  return [{ key: `${field}:${digest}`, kind, at: entry.at, data: { ...account, ...data } }];
}

function preferences(value: Fields, digest: string, at: string): readonly AccountNews[] {
  return objectsAt(value, 'user_preferences').flatMap((one, index) => {
    const from = e164Of(textAt(one, 'wa_id'));
    const wish = textAt(one, 'value');
    if (from === undefined || wish === undefined) return [];
    const data = {
      wish,
      ...maybe('category', textAt(one, 'category')),
      ...maybe('detail', textAt(one, 'detail')),
    };
    return [
      {
        key: `user_preferences:${digest}:${index}`,
        kind: 'marketing-preference',
        at: timeAt(one, 'timestamp') ?? at,
        about: from,
        data,
      },
    ];
  });
}

interface Kinded {
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

function newsOf(field: string, value: Fields): Kinded {
  switch (field) {
    case 'message_template_status_update':
      return {
        kind: 'template-status',
        data: { ...templateOf(value), ...maybe('status', textAt(value, 'event')), ...reasonOf(value) },
      };
    case 'message_template_quality_update': {
      const quality = qualityOf(textAt(value, 'new_quality_score'));
      return {
        kind: 'template-quality',
        data: { ...templateOf(value), quality, previous: qualityOf(textAt(value, 'previous_quality_score')) },
      };
    }
    case 'template_category_update': {
      const category = textAt(value, 'new_category')?.toLowerCase();
      return {
        kind: 'template-category',
        data: {
          ...templateOf(value),
          ...maybe('category', category),
          ...maybe('previous', textAt(value, 'previous_category')?.toLowerCase()),
        },
      };
    }
    case 'message_template_components_update':
      return { kind: 'template-content', data: templateOf(value) };
    case 'phone_number_quality_update':
      return numberNews(value);
    case 'business_capability_update':
      return { kind: 'tier', data: limitData(value) };
    case 'account_update':
      return accountNews(value);
    default:
      return { kind: field.replaceAll('_', '-').slice(0, 60), data: shallow(value) };
  }
}

function templateOf(value: Fields): Readonly<Record<string, unknown>> {
  return {
    ...maybe('templateId', textAt(value, 'message_template_id')),
    ...maybe('name', textAt(value, 'message_template_name')),
    ...maybe('language', textAt(value, 'message_template_language')),
  };
}

function reasonOf(value: Fields): Readonly<Record<string, unknown>> {
  const reason = textAt(value, 'reason');
  const category = textAt(value, 'message_template_category')?.toLowerCase();
  return { ...maybe('reason', reason === 'NONE' ? undefined : reason), ...maybe('category', category) };
}

/** Flagged: its quality is low and the limit may be cut. The rest moves the limit or the throughput. */
function numberNews(value: Fields): Kinded {
  const event = textAt(value, 'event') ?? '';
  const data = { ...maybe('number', e164Of(textAt(value, 'display_phone_number'))), event, ...limitData(value) };
  if (event === 'FLAGGED' || event === 'UNFLAGGED') return { kind: 'quality', data };
  return { kind: event.startsWith('THROUGHPUT') ? 'throughput' : 'tier', data };
}

function limitData(value: Fields): Readonly<Record<string, unknown>> {
  const said =
    textAt(value, 'max_daily_conversations_per_business') ??
    textAt(value, 'max_daily_conversation_per_phone') ??
    textAt(value, 'current_limit');
  const limit = tierLimit(said);
  // JSON has no infinity: no limit is null.
  return limit === undefined ? {} : { limit: Number.isFinite(limit) ? limit : null };
}

const restrictions = /RESTRICT|VIOLATION|DISABLED|DELETED|BANNED|OFFBOARDED/;

function accountNews(value: Fields): Kinded {
  const event = textAt(value, 'event') ?? '';
  const restricted = objectsAt(value, 'restriction_info').map((one) => ({
    ...maybe('type', textAt(one, 'restriction_type')),
    ...maybe('until', timeAt(one, 'expiration')),
  }));
  const data = { event, ...(restricted.length === 0 ? {} : { restrictions: restricted }) };
  return { kind: restrictions.test(event) ? 'account-restricted' : 'account', data };
}

/** Texts, numbers and yes or no of a field that we have no name for. */
function shallow(value: Fields): Readonly<Record<string, unknown>> {
  const plain = Object.entries(value).filter(([, one]) => ['string', 'number', 'boolean'].includes(typeof one));
  return Object.fromEntries(
    plain.slice(0, 20).map(([key, one]) => [key, typeof one === 'string' ? one.slice(0, 500) : one]),
  );
}
