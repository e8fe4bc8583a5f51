import { Anchor, Group, Image, Stack, Text } from '@mantine/core';
import { channels, type Mail } from './channels.ts';
import classes from './sandbox-page.module.css';

/** What is no e-mail, as the recipient's device would show it: a bubble of a conversation, or a notification. */
export function Device({ mail }: { mail: Mail }) {
  const { shown } = mail;
  if (shown === undefined) return <Text c="dimmed">Nothing of it can be shown.</Text>;
  const isBubble = mail.channel === 'sms' || mail.channel === 'whatsapp';
  const { label, icon: Icon } = channels[mail.channel];
  return (
    <div
      className={classes['device'] ?? ''}
      data-channel={mail.channel}
      role="img"
      aria-label={`${label}: ${shown.text}`}
    >
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
