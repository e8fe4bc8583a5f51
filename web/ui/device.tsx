import { Anchor, Group, Image, Stack, Text } from '@mantine/core';
import { channels, type Channel } from './channels.ts';
import classes from './device.module.css';

/** What of a message a person gets to see. */
export interface Shown {
  readonly heading?: string | undefined;
  readonly text: string;
  readonly footer?: string | undefined;
  readonly pictures?: readonly string[] | undefined;
  readonly buttons?: readonly string[] | undefined;
  readonly url?: string | undefined;
}

/** What is no e-mail, as the recipient's device would show it: a bubble of a conversation, or a notification. */
export function Device({ channel, shown }: { channel: Channel; shown: Shown | undefined }) {
  if (shown === undefined) return <Text c="dimmed">Nothing of it can be shown.</Text>;
  const isBubble = channel === 'sms' || channel === 'whatsapp';
  const { label, icon: Icon } = channels[channel];
  return (
    <div className={classes['device'] ?? ''} data-channel={channel} role="img" aria-label={`${label}: ${shown.text}`}>
      <Stack gap={6} className={classes[isBubble ? 'bubble' : 'notification'] ?? ''}>
        {!isBubble && (
          <Group gap={6} c="dimmed">
            <Icon size={14} aria-hidden />
            <Text size="xs">{label}</Text>
          </Group>
        )}
        {shown.pictures?.map((url) => (
          <Picture key={url} url={url} />
        ))}
        {shown.heading !== undefined && (
          <Text fw={600} size="sm">
            {shown.heading}
          </Text>
        )}
        <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {shown.text}
        </Text>
        {shown.footer !== undefined && (
          <Text size="xs" c="dimmed">
            {shown.footer}
          </Text>
        )}
        {shown.buttons?.map((title) => (
          <Text key={title} size="sm" fw={500} ta="center" className={classes['button'] ?? ''}>
            {title}
          </Text>
        ))}
        {shown.url !== undefined && (
          <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            Leads to {shown.url}
          </Text>
        )}
      </Stack>
    </div>
  );
}

/** Named, not loaded: a look at the sandbox must tell no stranger's server that it was looked at. */
function Picture({ url }: { url: string }) {
  if (url.startsWith('data:image/')) return <Image src={url} alt="" radius="sm" />;
  return (
    <Anchor href={url} target="_blank" rel="noopener noreferrer" size="xs" style={{ overflowWrap: 'anywhere' }}>
      {url}
    </Anchor>
  );
}
