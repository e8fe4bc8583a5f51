import { ActionIcon, Button, Code, Drawer, Group, Menu, Skeleton, Stack, Text, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconArchive, IconArchiveOff, IconDotsVertical, IconHistory } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Template } from '../../../contract/templates.ts';
import { api } from '../../api.ts';
import { ask, refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { confirm, ProblemAlert, tell, TimeText } from '../../ui/index.ts';
import { wordsOf } from './content.rules.ts';

/** Versions, archive and restore. */
export function TemplateMenu(props: {
  template: Template;
  onStored: (template: Template) => void;
  onRestored: (source: Template['source']) => void;
}) {
  const { template } = props;
  const can = useCan();
  const [isOpen, versions] = useDisclosure();
  const archive = async (archived: boolean) => {
    const said =
      !archived ||
      (await confirm({
        title: `Archive “${template.name}”?`,
        body: 'It is offered nowhere any more. What was sent with it stays as it was, and it can be brought back.',
        confirmLabel: 'Archive it',
      }));
    if (!said) return;
    try {
      props.onStored(await api('PATCH /templates/:id', { params: { id: template.id }, body: { archived } }));
      await refresh('templates');
      tell.done(archived ? 'Archived.' : 'Back among the templates.');
    } catch (error) {
      tell.problem(error);
    }
  };
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label="More for this template">
            <IconDotsVertical size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconHistory size={16} aria-hidden />} onClick={versions.open}>
            Versions
          </Menu.Item>
          {can('templates:write') && template.status === 'ready' && (
            <Menu.Item leftSection={<IconArchive size={16} aria-hidden />} onClick={() => void archive(true)}>
              Archive…
            </Menu.Item>
          )}
          {can('templates:write') && template.status === 'archived' && (
            <Menu.Item leftSection={<IconArchiveOff size={16} aria-hidden />} onClick={() => void archive(false)}>
              Bring back
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Drawer opened={isOpen} onClose={versions.close} position="right" size="lg" title="Versions">
        <Versions
          template={template}
          onRestore={(source) => {
            props.onRestored(source);
            versions.close();
            tell.done('The old version is in the editor. Save to make it the newest one.');
          }}
        />
      </Drawer>
    </>
  );
}

function Versions({ template, onRestore }: { template: Template; onRestore: (source: Template['source']) => void }) {
  const query = useQuery(ask('GET /templates/:id/versions', { params: { id: template.id }, query: { limit: 100 } }));
  const [chosen, setChosen] = useState<number>();
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        Versions never change. A campaign keeps the one it was started with.
      </Text>
      <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton height={120} />}
      {query.data?.data.map((version) => (
        <div key={version.version}>
          <UnstyledButton
            aria-expanded={chosen === version.version}
            onClick={() => setChosen(chosen === version.version ? undefined : version.version)}
          >
            <Text fw={600}>
              Version {version.version}
              {version.version === template.version && ' (newest)'}
            </Text>
            <Text size="sm" c="dimmed">
              <TimeText at={version.createdAt} /> by {version.createdBy.name}
            </Text>
          </UnstyledButton>
          {chosen === version.version && (
            <VersionSource id={template.id} version={version.version} onRestore={onRestore} />
          )}
        </div>
      ))}
    </Stack>
  );
}

function VersionSource(props: { id: string; version: number; onRestore: (source: Template['source']) => void }) {
  const query = useQuery({
    ...ask('GET /templates/:id/versions/:version', { params: { id: props.id, version: props.version } }),
    staleTime: Infinity,
  });
  if (!query.data) return <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />;
  const { source } = query.data;
  return (
    <Stack gap="xs" mt="xs">
      <Text size="sm" fw={600}>
        {source.channel === 'email' ? (source.subject ?? 'No subject') : null}
      </Text>
      <Code block mah={320} tabIndex={0} aria-label={`Source of version ${props.version}`} style={{ overflow: 'auto' }}>
        {source.channel === 'email' ? (source.mjml ?? source.html ?? source.text ?? '') : wordsOf(source)}
      </Code>
      <Group justify="flex-end">
        <Button size="xs" variant="default" onClick={() => props.onRestore(source)}>
          Put it in the editor
        </Button>
      </Group>
    </Stack>
  );
}
