import type { Campaign } from '../../../contract/campaigns.ts';
import type { Given } from '../../api.ts';

type CreateBody = Given<'POST /campaigns'>['body'];
type ChangeBody = Given<'PATCH /campaigns/:id'>['body'];

/** The form of a campaign: a flat picture of it, empty strings for what is not set. */
export interface CampaignFormValues extends Record<string, unknown> {
  name: string;
  channel: Campaign['channels'][number];
  templateId: string;
  topic: string;
  audience: 'all' | 'topic';
  audienceTopic: string;
  ownSender: boolean;
  fromName: string;
  fromEmail: string;
  replyTo: string;
}

export const emptyForm: CampaignFormValues = {
  name: '',
  channel: 'email',
  templateId: '',
  topic: '',
  audience: 'topic',
  audienceTopic: '',
  ownSender: false,
  fromName: '',
  fromEmail: '',
  replyTo: '',
};

export function formFrom(campaign: Campaign): CampaignFormValues {
  const isAll = 'all' in campaign.audience;
  return {
    name: campaign.name,
    channel: campaign.channels[0] ?? 'email',
    templateId: campaign.templateId,
    topic: campaign.topic,
    audience: isAll ? 'all' : 'topic',
    audienceTopic:
      'topic' in campaign.audience && campaign.audience.topic !== campaign.topic ? campaign.audience.topic : '',
    ownSender: campaign.from !== null || campaign.replyTo !== null,
    fromName: campaign.from?.name ?? '',
    fromEmail: campaign.from?.email ?? '',
    replyTo: campaign.replyTo ?? '',
  };
}

function audienceOf(values: CampaignFormValues): CreateBody['audience'] {
  return values.audience === 'all' ? { all: true } : { topic: values.audienceTopic || values.topic };
}

/** Only mail is from an address; other channels' senders are settings of the account. */
function hasOwnSender({ channel, ownSender }: CampaignFormValues): boolean {
  return channel === 'email' && ownSender;
}

function fromOf(values: CampaignFormValues): { email: string; name?: string } | undefined {
  const email = values.fromEmail.trim();
  if (!hasOwnSender(values) || email === '') return undefined;
  const name = values.fromName.trim();
  return name === '' ? { email } : { email, name };
}

export function createBody(values: CampaignFormValues): CreateBody {
  const from = fromOf(values);
  const replyTo = hasOwnSender(values) ? values.replyTo.trim() : '';
  return {
    name: values.name.trim(),
    channels: [values.channel],
    templateId: values.templateId,
    topic: values.topic,
    audience: audienceOf(values),
    ...(from ? { from } : {}),
    ...(replyTo ? { replyTo } : {}),
  };
}

/** Only what changed; null takes the sender back to the account's. */
export function changesOf(before: CampaignFormValues, after: CampaignFormValues): ChangeBody {
  const was = createBody(before);
  const is = createBody(after);
  const differs = (key: keyof CreateBody) => JSON.stringify(was[key]) !== JSON.stringify(is[key]);
  return {
    ...(differs('name') ? { name: is.name } : {}),
    ...(differs('channels') ? { channels: is.channels } : {}),
    ...(differs('templateId') ? { templateId: is.templateId } : {}),
    ...(differs('topic') ? { topic: is.topic } : {}),
    ...(differs('audience') ? { audience: is.audience } : {}),
    ...(differs('from') ? { from: is.from ?? null } : {}),
    ...(differs('replyTo') ? { replyTo: is.replyTo ?? null } : {}),
  };
}

/** What has to be filled in before it can be saved, by field. */
export function formProblems(values: CampaignFormValues): Partial<Record<keyof CampaignFormValues, string>> {
  return {
    ...(values.name.trim() === '' ? { name: 'Give it a name your team will recognise' } : {}),
    ...(values.templateId === '' ? { templateId: 'Choose what to send' } : {}),
    ...(values.topic === '' ? { topic: 'Choose what it is about' } : {}),
    ...(hasOwnSender(values) && values.fromEmail.trim() === '' && values.replyTo.trim() === ''
      ? { fromEmail: 'Fill in an address, or use the account’s sender' }
      : {}),
  };
}
