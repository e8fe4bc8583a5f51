import { Alert, Button, Card, Group, Progress, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { upload } from '../../api.ts';
import { ask, refresh } from '../../query.ts';
import { PageHeader, ProblemAlert, UnsavedGuard } from '../../ui/index.ts';
import { ColumnsCard } from './columns-card.tsx';
import { ConsentCard, consentOf, consentProblem, noConsent, type ConsentGiven } from './consent-card.tsx';
import { FileCard } from './file-card.tsx';
import { ImportProgressOf } from './import-progress.tsx';
import { mappingOf, mappingProblems, type MappedColumn, type Preview } from './mapping.rules.ts';
import { usePreview, type Overrides } from './preview.ts';

/** From a file to an import, on one page: each part appears when the one before it is settled, and nothing is written before the last. */
export function NewImportPage() {
  const [file, setFile] = useState<File>();
  const [overrides, setOverrides] = useState<Overrides>({});
  const attributes = useQuery(ask('GET /attributes'));
  const known = useMemo(() => attributes.data?.data ?? [], [attributes.data]);
  const reading = usePreview(file, overrides, known);
  const [defaultCountry, setDefaultCountry] = useState('');
  const [consent, setConsent] = useState<ConsentGiven>(noConsent);
  const [isLeaving, setLeaving] = useState(false);
  return (
    <>
      <PageHeader
        title="Import contacts"
        crumbs={[{ label: 'Imports', to: '/imports' }]}
        description="Nothing is written before you say so at the end, and the same file twice changes nothing."
      />
      <UnsavedGuard when={file !== undefined && !isLeaving} />
      <Stack gap="lg" maw={1080}>
        <FileCard
          file={file}
          preview={reading.preview}
          isReading={reading.isReading}
          overrides={overrides}
          onFile={(next) => {
            setFile(next);
            setOverrides({});
          }}
          onOverrides={setOverrides}
        />
        <ProblemAlert problem={reading.problem} />
        {file && reading.preview && (
          <>
            <Warnings preview={reading.preview} />
            <ColumnsCard
              columns={reading.columns}
              onColumns={reading.setColumns}
              known={known}
              defaultCountry={defaultCountry}
              onDefaultCountry={setDefaultCountry}
            />
            <ConsentCard value={consent} onChange={setConsent} />
            <RunCard
              file={file}
              columns={reading.columns}
              preview={reading.preview}
              defaultCountry={defaultCountry}
              consent={consent}
              onLeave={() => setLeaving(true)}
            />
          </>
        )}
      </Stack>
    </>
  );
}

function Warnings({ preview }: { preview: Preview }) {
  if (preview.warnings.length === 0) return null;
  return (
    <Alert
      color="yellow"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title="Look at this before you go on"
    >
      {preview.warnings.map((warning) => (
        <Text size="sm" key={warning}>
          {warning}
        </Text>
      ))}
    </Alert>
  );
}

interface Choice {
  readonly file: File;
  readonly columns: readonly MappedColumn[];
  readonly preview: Preview;
  readonly defaultCountry: string;
  readonly consent: ConsentGiven;
}

function formOf(choice: Choice, dryRun: boolean): FormData {
  const consent = consentOf(choice.consent);
  const options = {
    ...mappingOf(choice.columns),
    delimiter: choice.preview.delimiter,
    encoding: choice.preview.encoding,
    dryRun,
    ...(choice.defaultCountry ? { defaultCountry: choice.defaultCountry } : {}),
    ...(consent ? { consent } : {}),
  };
  const form = new FormData();
  // The options come first, so that the server knows them before the file streams in.
  form.set('options', JSON.stringify(options));
  form.set('file', choice.file, choice.file.name);
  return form;
}

function RunCard({ onLeave, ...choice }: Choice & { onLeave: () => void }) {
  const navigate = useNavigate();
  const [sent, setSent] = useState<{ share: number; isCheck: boolean }>();
  const [checkedId, setCheckedId] = useState<string>();
  const [problem, setProblem] = useState<unknown>();
  const blockers = [...mappingProblems(choice.columns).values()];
  const missingConsent = consentProblem(choice.consent);
  const isBlocked = blockers.length > 0 || missingConsent !== undefined || sent !== undefined;

  const run = async (isCheck: boolean) => {
    setProblem(undefined);
    setSent({ share: 0, isCheck });
    try {
      const { id } = await upload('POST /contacts/import', formOf(choice, isCheck), {
        onProgress: (share) => setSent({ share, isCheck }),
      });
      await refresh('imports');
      if (isCheck) {
        setCheckedId(id);
      } else {
        onLeave();
        await navigate({ to: '/imports/$id', params: { id }, ignoreBlocker: true });
      }
    } catch (error) {
      setProblem(error);
    } finally {
      setSent(undefined);
    }
  };
  return (
    <Card withBorder>
      <Stack>
        <Title order={2} size="h4">
          4. Import
        </Title>
        <Text size="sm">{summaryOf(choice)}</Text>
        {[...blockers, ...(missingConsent ? [missingConsent] : [])].map((blocker) => (
          <Text size="sm" key={blocker} c="var(--mantine-color-error)">
            {blocker}
          </Text>
        ))}
        <ProblemAlert problem={problem} />
        {sent && (
          <>
            <Text size="sm" role="status">
              Uploading: {Math.floor(sent.share * 100)} %
            </Text>
            <Progress value={sent.share * 100} aria-label="Uploaded" />
          </>
        )}
        <Group>
          <Button disabled={isBlocked} loading={sent?.isCheck === false} onClick={() => void run(false)}>
            Start the import
          </Button>
          <Button
            variant="default"
            disabled={isBlocked}
            loading={sent?.isCheck === true}
            onClick={() => void run(true)}
          >
            Check first, write nothing
          </Button>
        </Group>
        {checkedId && <ImportProgressOf id={checkedId} />}
      </Stack>
    </Card>
  );
}

/** What pressing the button will do, said before it is pressed. */
function summaryOf(choice: Choice): string {
  const used = choice.columns.filter((column) => column.field !== 'ignore').length;
  const columns = `${used} of ${choice.columns.length} columns of ${choice.file.name} are read`;
  const consent = consentOf(choice.consent)
    ? 'Consent is recorded for each address that has not unsubscribed.'
    : 'No consent is recorded: nobody new can be written to because of this import.';
  return `${columns}. Contacts that exist are completed, new ones are added. ${consent}`;
}
