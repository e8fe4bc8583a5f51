import { Badge, Card, Group, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconCode } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { ask } from '../../query.ts';
import { LinkButton, PageHeader, ProblemAlert, useUrlState } from '../../ui/index.ts';
import { channels } from '../../ui/channels.ts';
import { ContentEditor } from './content-editor.tsx';
import { blankContent } from './content.rules.ts';
import { blankDraft, categoryName, draftFromStarter, type Starter } from './draft.rules.ts';
import { StarterPicture } from './starter-picture.tsx';
import { TemplateEditor } from './template-editor.tsx';

const contentChannels = ['sms', 'whatsapp', 'push', 'inapp'] as const;

export function NewTemplatePage() {
  const { starter: chosen, channel } = useUrlState().values;
  const starters = useQuery({ ...ask('GET /templates/starters'), staleTime: Infinity });
  const other = contentChannels.find((one) => one === channel);
  if (other !== undefined)
    return <ContentEditor key={other} initial={blankContent(other)} draftKey={`template.new.${other}`} />;
  if (chosen === 'blank') return <TemplateEditor key="blank" initial={blankDraft} draftKey="template.new.blank" />;
  const starter = starters.data?.data.find((candidate) => candidate.key === chosen);
  if (starter) {
    return (
      <TemplateEditor key={starter.key} initial={draftFromStarter(starter)} draftKey={`template.new.${starter.key}`} />
    );
  }
  return (
    <>
      <PageHeader
        title="New template"
        crumbs={[{ label: 'Templates', to: '/templates' }]}
        description="Choose a design to start an e-mail from, or another channel. Everything in it can be changed."
      />
      <Group gap="xs" mb="md" role="group" aria-label="Other channels">
        {contentChannels.map((one) => {
          const { label, icon: Icon } = channels[one];
          return (
            <LinkButton
              key={one}
              to="/templates/new"
              search={{ channel: one } as never}
              variant="default"
              leftSection={<Icon size={16} aria-hidden />}
            >
              {label}
            </LinkButton>
          );
        })}
      </Group>
      <ProblemAlert problem={starters.error} onRetry={() => void starters.refetch()} />
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 3, xl: 4 }}>
        {starters.isPending && [0, 1, 2, 3].map((at) => <Skeleton key={at} height={330} />)}
        {starters.data?.data.map((candidate) => (
          <StarterCard key={candidate.key} starter={candidate} />
        ))}
        {starters.data && <BlankCard />}
      </SimpleGrid>
    </>
  );
}

function StarterCard({ starter }: { starter: Starter }) {
  return (
    <Card withBorder padding="md">
      <Card.Section>
        <StarterPicture starter={starter} />
      </Card.Section>
      <Stack gap="xs" mt="md" justify="space-between" style={{ flex: 1 }}>
        <div>
          <Group justify="space-between" gap="xs">
            <Title order={2} size="h5">
              {starter.name}
            </Title>
            <Badge variant="light" tt="none" radius="sm">
              {categoryName(starter.category)}
            </Badge>
          </Group>
          <Text size="sm" c="dimmed">
            {starter.description}
          </Text>
        </div>
        <LinkButton
          to="/templates/new"
          search={{ starter: starter.key } as never}
          aria-label={`Use this design: ${starter.name}`}
        >
          Use this design
        </LinkButton>
      </Stack>
    </Card>
  );
}

function BlankCard() {
  return (
    <Card withBorder padding="md">
      <Card.Section>
        <Group h={200} justify="center" bg="var(--mantine-color-default-hover)">
          <IconCode size={48} stroke={1.3} aria-hidden />
        </Group>
      </Card.Section>
      <Stack gap="xs" mt="md" justify="space-between" style={{ flex: 1 }}>
        <div>
          <Title order={2} size="h5">
            Empty
          </Title>
          <Text size="sm" c="dimmed">
            Write or paste your own MJML or HTML.
          </Text>
        </div>
        <LinkButton to="/templates/new" search={{ starter: 'blank' } as never} variant="default">
          Start empty
        </LinkButton>
      </Stack>
    </Card>
  );
}
