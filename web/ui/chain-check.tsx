import { Alert, Button, Group, Modal } from '@mantine/core';
import { IconShieldCheck, IconShieldX } from '@tabler/icons-react';
import { useState } from 'react';
import { api, type Answer } from '../api.ts';
import { useFormats } from './formats.ts';
import { ProblemAlert } from './problem-alert.tsx';

type Report = Answer<'GET /audit/verify'>;

/** Walks a chained ledger on demand and says whether every entry still holds, or which is the first that does not. */
export function ChainCheck({ of }: { of: 'GET /audit/verify' | 'GET /compliance/verify' }) {
  const [busy, setBusy] = useState(false);
  const [report, setReport] = useState<Report>();
  const [problem, setProblem] = useState<unknown>();
  const check = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      setReport(await api(of));
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const close = () => {
    setReport(undefined);
    setProblem(undefined);
  };
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconShieldCheck size={18} aria-hidden />}
        loading={busy}
        onClick={() => void check()}
      >
        Verify the chain
      </Button>
      <Modal opened={report !== undefined || problem !== undefined} onClose={close} title="Verification">
        <ProblemAlert problem={problem} />
        {report && <Verdict report={report} />}
        <Group justify="flex-end" mt="md">
          <Button onClick={close} data-autofocus>
            Done
          </Button>
        </Group>
      </Modal>
    </>
  );
}

function Verdict({ report }: { report: Report }) {
  const formats = useFormats();
  if (report.broken) {
    const { seq, at, reason } = report.broken;
    return (
      <Alert
        role="status"
        color="red"
        icon={<IconShieldX aria-hidden />}
        title={`Entry ${formats.number(seq)} does not hold`}
      >
        {reason}
        {at && ` It is dated ${formats.exact(at)}.`} Everything before it is intact. Keep the database as it is and tell
        whoever runs this installation.
      </Alert>
    );
  }
  return (
    <Alert role="status" color="teal" icon={<IconShieldCheck aria-hidden />} title="Every entry holds">
      {formats.number(report.checked)} entries were checked; none was changed or removed
      {report.head ? `, up to the last one of ${formats.exact(report.head.at)}.` : '.'}
    </Alert>
  );
}
