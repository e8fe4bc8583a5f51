import { mailboxOf } from '../../contract/mailbox.ts';
import type { Tx } from '../platform/db.ts';
import { AppError, invalidField, notFound } from '../platform/errors.ts';
import { refusalOf } from './campaign.rules.ts';
import type { Audience } from './campaign.rules.ts';
import type { CampaignsDeps } from './ports.ts';
import * as store from './store.ts';
import type { CampaignFallback, CampaignRow, CampaignSender } from './store.ts';

type MailboxGiven = Parameters<typeof mailboxOf>[0];

export interface DraftGiven {
  readonly name: string;
  readonly channels: readonly string[];
  readonly templateId: string;
  readonly topic: string;
  readonly audience: Audience;
  readonly from?: MailboxGiven | null | undefined;
  readonly replyTo?: string | null | undefined;
  readonly fallback?: readonly CampaignFallback[] | undefined;
}

export type DraftChange = { readonly [Field in keyof DraftGiven]?: DraftGiven[Field] | undefined };

type Deps = Pick<CampaignsDeps, 'clock' | 'templates' | 'topics'>;

export async function getCampaign(tx: Tx, id: string, lock = false): Promise<CampaignRow> {
  const row = await store.findCampaign(tx, id, lock);
  if (row === undefined) throw notFound('campaign');
  return row;
}

export function refuseUnless(verb: Parameters<typeof refusalOf>[0], row: CampaignRow): void {
  const code = refusalOf(verb, row.status);
  if (code !== undefined) throw new AppError(code, `The campaign is ${row.status}.`);
}

/** No header can be forged by it: the contract's mailbox takes neither line breaks nor anything but one address. */
function senderOf(from: MailboxGiven | null | undefined, replyTo: string | null | undefined): CampaignSender {
  const mailbox = from === null || from === undefined ? undefined : mailboxOf(from);
  if (mailbox === undefined && from !== null && from !== undefined)
    throw invalidField('/from', 'is not an e-mail address, nor written like "Ada <ada@example.com>"');
  return {
    ...(mailbox === undefined ? {} : { from: mailbox }),
    ...(replyTo === null || replyTo === undefined ? {} : { replyTo }),
  };
}

async function draftOf(tx: Tx, { templates, topics }: Deps, given: DraftGiven): Promise<store.Draft> {
  const channel = given.channels[0] ?? '';
  const template = await templates.find(tx, given.templateId);
  if (template === undefined) throw invalidField('/templateId', 'there is no such template');
  if (template.archived) throw invalidField('/templateId', 'is archived');
  if (template.channel !== channel)
    throw invalidField('/templateId', `is for ${template.channel}, the campaign for ${channel}`);
  const topic = await topics.require(tx, given.topic, { pointer: '/topic' });
  if ('topic' in given.audience)
    await topics.require(tx, given.audience.topic, { pointer: '/audience/topic', archived: true });
  return {
    name: given.name,
    channels: given.channels,
    templateId: given.templateId,
    topicId: topic.id,
    audience: given.audience,
    sender: senderOf(given.from, given.replyTo),
    fallback: await fallbackOf(tx, templates, given.fallback ?? []),
  };
}

/** Each template is there, and for its channel. */
async function fallbackOf(
  tx: Tx,
  templates: Deps['templates'],
  steps: readonly CampaignFallback[],
): Promise<readonly CampaignFallback[]> {
  for (const [at, step] of steps.entries()) {
    const template = await templates.find(tx, step.templateId);
    const pointer = `/fallback/${at}/templateId`;
    if (template === undefined) throw invalidField(pointer, 'there is no such template');
    if (template.archived) throw invalidField(pointer, 'is archived');
    if (template.channel !== step.channel)
      throw invalidField(pointer, `is for ${template.channel}, not for ${step.channel}`);
  }
  return steps;
}

export async function createDraft(
  tx: Tx,
  deps: Deps,
  id: string,
  given: DraftGiven,
  createdBy: string,
): Promise<CampaignRow> {
  await store.insertCampaign(tx, id, await draftOf(tx, deps, given), createdBy, deps.clock.now());
  return getCampaign(tx, id);
}

export interface Changed {
  readonly before: CampaignRow;
  readonly after: CampaignRow;
}

/** A draft takes any change; a started campaign a new name. `expect` sees the stored revision first. */
export async function changeCampaign(
  tx: Tx,
  deps: Deps,
  id: string,
  change: DraftChange,
  expect: (revision: number) => void,
): Promise<Changed> {
  const before = await getCampaign(tx, id, true);
  expect(before.revision);
  const changed = Object.entries(change).filter(([, value]) => value !== undefined);
  if (before.status !== 'draft') {
    const other = changed.find(([field]) => field !== 'name');
    if (other !== undefined)
      throw new AppError('campaign/already-started', 'Only the name of a started campaign can be changed.', {
        errors: [{ pointer: `/${other[0]}`, message: 'cannot be changed any more' }],
      });
  }
  const stored = storedDraft(before);
  const draft =
    before.status === 'draft'
      ? await draftOf(tx, deps, { ...stored.given, ...Object.fromEntries(changed) })
      : { ...stored.draft, name: change.name ?? before.name };
  await store.updateDraft(tx, id, draft, deps.clock.now());
  return { before, after: await getCampaign(tx, id) };
}

function storedDraft(row: CampaignRow): { given: DraftGiven; draft: store.Draft } {
  const { name, channels, templateId, topic, topicId, audience, sender, fallback } = row;
  const { from = null, replyTo = null } = sender;
  return {
    given: { name, channels, templateId, topic, audience, from, replyTo, fallback },
    draft: { name, channels, templateId, topicId, audience, sender, fallback },
  };
}

export async function deleteDraft(tx: Tx, id: string, expect: (revision: number) => void): Promise<CampaignRow> {
  const row = await getCampaign(tx, id, true);
  expect(row.revision);
  refuseUnless('delete', row);
  await store.deleteCampaign(tx, id);
  return row;
}
