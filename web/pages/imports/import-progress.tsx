import { Alert, Button, Card, Group, Progress, Stack, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ContactImport } from '../../../contract/imports.ts';
import { api, urlOf } from '../../api.ts';
import { ask, refresh } from '../../query.ts';
import { useStream } from '../../stream.ts';
import { confirm, NumberText, ProblemAlert, tell } from '../../ui/index.ts';
import { ImportNumbers } from './import-numbers.tsx';
import { percentRead } from './mapping.rules.ts';
import { RefusedRows } from './refused-rows.tsx';

/** How one import is going: moved by news from the server, and by asking again should the news not come through. */
export function useImport(id: string) {
  const query = useQuery({
    ...ask('GET /imports/:id', { params: { id } }),
    refetchInterval: (known) => (known.state.data?.state === 'running' ? 1500 : false),
  });
  useStream(['import'], (news) => {
    if (!news.id || news.id === id) void query.refetch();
  });
  return query;
}

/** Progress while it runs, the outcome when it is over. */
export function ImportProgress({ data }: { data: ContactImport }) {
  const percent = percentRead(data.state, data.bytesDone, data.bytesTotal);
  return (
    <Card withBorder>
      <Stack>
        {data.state === 'running' && <Running data={data} percent={percent} />}
        {data.state !== 'running' && <Outcome data={data} />}
        <ImportNumbers data={data} />
        {data.rejected > 0 && <Refused data={data} />}
        {data.rejected > 0 && data.state !== 'running' && <RefusedRows data={data} />}
      </Stack>
    </Card>
  );
}

function Running({ data, percent }: { data: ContactImport; percent: number }) {
  const [busy, setBusy] = useState(false);
  const cancel = async () => {
    const said = await confirm({
      title: data.dryRun ? 'Stop checking?' : 'Stop this import?',
      body: data.dryRun
        ? 'Nothing was written, and nothing will be.'
        : 'What is already in stays in; the rest of the file is not read. Importing the same file again later does no harm.',
      confirmLabel: data.dryRun ? 'Stop checking' : 'Stop the import',
      danger: true,
    });
    if (!said) return;
    setBusy(true);
    try {
      await api('POST /imports/:id/cancel', { params: { id: data.id } });
      await refresh('imports');
    } catch (error) {
      tell.problem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Group justify="space-between">
        <Text fw={600} role="status">
          {data.dryRun ? 'Checking' : 'Importing'}: <NumberText value={data.rowsRead} /> rows so far, {percent} % of the
          file
        </Text>
        <Button variant="default" size="xs" loading={busy} onClick={() => void cancel()}>
          Stop…
        </Button>
      </Group>
      <Progress.Root size="lg">
        <Progress.Section value={percent} animated aria-label="Read of the file" />
      </Progress.Root>
      <Text size="sm" c="dimmed">
        It goes on if you leave this page or close the browser.
      </Text>
    </>
  );
}

function Outcome({ data }: { data: ContactImport }) {
  if (data.state === 'failed') {
    return (
      <Alert color="red" variant="light" title="The import failed" role="alert">
        {data.failure ?? 'No reason was recorded.'} What was in before stays in; correct the file and import it again.
      </Alert>
    );
  }
  if (data.state === 'cancelled') {
    return (
      <Alert color="gray" variant="light" title="Stopped">
        {data.dryRun
          ? 'Nothing was written.'
          : 'The rows below are in; the rest of the file was not read. Import the same file again to go on.'}
      </Alert>
    );
  }
  return data.dryRun ? (
    <Alert color="blue" variant="light" title="Checked, nothing written" role="status">
      This is what the import would do.
    </Alert>
  ) : (
    <Alert color="teal" variant="light" title="Imported" role="status">
      Every row of the file is accounted for below.
    </Alert>
  );
}

function Refused({ data }: { data: ContactImport }) {
  return (
    <Group justify="space-between">
      <ProblemHint rejected={data.rejected} dryRun={data.dryRun} />
      <Button
        component="a"
        variant="default"
        href={urlOf('GET /imports/:id/errors', { params: { id: data.id } })}
        download={`refused-${data.fileName}`}
        leftSection={<IconDownload size={16} aria-hidden />}
      >
        Download the refused rows
      </Button>
    </Group>
  );
}

function ProblemHint({ rejected, dryRun }: { rejected: number; dryRun: boolean }) {
  const was = dryRun ? 'would be' : rejected === 1 ? 'was' : 'were';
  return (
    <Text size="sm">
      <NumberText value={rejected} /> {rejected === 1 ? 'row' : 'rows'} {was} refused. The file names the line, the
      field and the reason of each; correct them and import just those.
    </Text>
  );
}

/** The progress of an import known by its id only. */
export function ImportProgressOf({ id }: { id: string }) {
  const query = useImport(id);
  if (query.data) return <ImportProgress data={query.data} />;
  return <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />;
}
