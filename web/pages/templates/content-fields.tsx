import { NumberInput, Select, Stack, Switch, Textarea, TextInput } from '@mantine/core';
import type { ContentSource } from '../../../contract/template-content.ts';
import { errorIn, type FieldsProps } from './fields.ts';
import { WhatsAppFields } from './whatsapp-fields.tsx';

type Sms = Extract<ContentSource, { channel: 'sms' }>;
type Notice = Extract<ContentSource, { channel: 'push' | 'inapp' }>;

/** The fields of one channel. */
export function ContentFields(props: FieldsProps<ContentSource>) {
  const { source } = props;
  return (
    <Stack gap="sm">
      {source.channel === 'sms' && <SmsFields {...props} source={source} />}
      {source.channel === 'whatsapp' && <WhatsAppFields {...props} source={source} />}
      {(source.channel === 'push' || source.channel === 'inapp') && <NoticeFields {...props} source={source} />}
      <Switch
        label="Count clicks on links"
        description="Links lead through Parley. Without it they stay as you write them, which is shorter."
        disabled={!props.isEditable}
        checked={source.trackLinks}
        onChange={(event) => props.onChange({ ...source, trackLinks: event.currentTarget.checked })}
      />
    </Stack>
  );
}

/** One a line; empty lines are none. */
export function linesIn(text: string): string[] {
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
}

function SmsFields({ source, onChange, isEditable, problems }: FieldsProps<Sms>) {
  return (
    <>
      <Textarea
        label="Text"
        description="Liquid fills in values, such as {{ contact.first_name }}. {{ unsubscribe_url }} leads to the way out."
        required
        autosize
        minRows={4}
        maxRows={14}
        maxLength={1600}
        readOnly={!isEditable}
        value={source.text}
        error={errorIn(problems, 'text')}
        onChange={(event) => onChange({ ...source, text: event.currentTarget.value })}
      />
      <Textarea
        label="Pictures (MMS)"
        description="Public web addresses, one a line; only where vendor and country take them"
        autosize
        minRows={1}
        readOnly={!isEditable}
        defaultValue={source.mediaUrls.join('\n')}
        error={errorIn(problems, 'mediaUrls/0')}
        onChange={(event) => onChange({ ...source, mediaUrls: linesIn(event.currentTarget.value) })}
      />
    </>
  );
}

const orNull = (text: string) => (text.trim() === '' ? null : text);

function NoticeFields({ source, onChange, isEditable, problems }: FieldsProps<Notice>) {
  const set = (patch: object) => onChange({ ...source, ...patch });
  return (
    <>
      <TextInput
        label="Title"
        required
        maxLength={200}
        readOnly={!isEditable}
        value={source.title}
        error={errorIn(problems, 'title')}
        onChange={(event) => set({ title: event.currentTarget.value })}
      />
      <Textarea
        label="Text"
        autosize
        minRows={3}
        maxRows={10}
        readOnly={!isEditable}
        value={source.body}
        error={errorIn(problems, 'body')}
        onChange={(event) => set({ body: event.currentTarget.value })}
      />
      <TextInput
        label="Where a tap leads"
        placeholder="https://example.com/offers"
        readOnly={!isEditable}
        value={source.url ?? ''}
        error={errorIn(problems, 'url')}
        onChange={(event) => set({ url: orNull(event.currentTarget.value) })}
      />
      <TextInput
        label="Picture"
        placeholder="https://example.com/picture.png"
        readOnly={!isEditable}
        value={source.imageUrl ?? ''}
        error={errorIn(problems, 'imageUrl')}
        onChange={(event) => set({ imageUrl: orNull(event.currentTarget.value) })}
      />
      <Textarea
        label="Data for the app"
        description="One a line: key = value"
        autosize
        minRows={1}
        readOnly={!isEditable}
        defaultValue={Object.entries(source.data)
          .map(([key, value]) => `${key} = ${value}`)
          .join('\n')}
        onChange={(event) => set({ data: dataIn(event.currentTarget.value) })}
      />
      {source.channel === 'push' ? (
        <PushDelivery source={source} set={set} isEditable={isEditable} />
      ) : (
        <NumberInput
          label="Shown for (days)"
          placeholder="Until it is read or removed"
          min={1}
          max={365}
          readOnly={!isEditable}
          value={source.expiresAfterSeconds === null ? '' : source.expiresAfterSeconds / 86_400}
          onChange={(days) => set({ expiresAfterSeconds: typeof days === 'number' ? Math.round(days * 86_400) : null })}
        />
      )}
    </>
  );
}

function dataIn(text: string): Record<string, string> {
  return Object.fromEntries(
    linesIn(text).flatMap((line) => {
      const at = line.indexOf('=');
      return at < 1 ? [] : [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as const];
    }),
  );
}

function PushDelivery(props: {
  source: Extract<ContentSource, { channel: 'push' }>;
  set: (patch: object) => void;
  isEditable: boolean;
}) {
  const { source, set, isEditable } = props;
  return (
    <>
      <Select
        label="Urgency"
        allowDeselect={false}
        readOnly={!isEditable}
        data={[
          { value: 'normal', label: 'Normal: may wait until the device wakes up' },
          { value: 'high', label: 'High: wakes the device up' },
        ]}
        value={source.urgency}
        onChange={(urgency) => set({ urgency: urgency ?? 'normal' })}
      />
      <NumberInput
        label="Kept for devices that are off (hours)"
        placeholder="As long as the push service keeps it"
        min={0}
        max={672}
        readOnly={!isEditable}
        value={source.ttlSeconds === null ? '' : source.ttlSeconds / 3_600}
        onChange={(hours) => set({ ttlSeconds: typeof hours === 'number' ? Math.round(hours * 3_600) : null })}
      />
      <TextInput
        label="Replaces earlier ones with the key"
        maxLength={64}
        readOnly={!isEditable}
        value={source.collapseKey ?? ''}
        onChange={(event) => set({ collapseKey: orNull(event.currentTarget.value) })}
      />
    </>
  );
}
