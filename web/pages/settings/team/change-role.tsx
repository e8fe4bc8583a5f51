import { Button, Group, Modal, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { User } from '../../../../contract/team.ts';
import { api } from '../../../api.ts';
import { ask, refresh } from '../../../query.ts';
import { RouteLoading } from '../../../shell/fallbacks.tsx';
import { ProblemAlert, tell } from '../../../ui/index.ts';
import { GrantPicker, type Grant } from './grant-picker.tsx';

export function ChangeRole({ user, onClose }: { user: User; onClose: () => void }) {
  const now = useQuery({ ...ask('GET /permissions/:userId', { params: { userId: user.id } }), staleTime: 0 });
  const [chosen, setChosen] = useState<Grant>();
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const stored: Grant | undefined =
    now.data && (now.data.role === 'custom' ? { permissions: now.data.permissions } : { role: now.data.role });
  const value = chosen ?? stored;
  const save = async () => {
    if (!value) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await api('PUT /permissions/:userId', { params: { userId: user.id }, body: value });
      await refresh('users', 'permissions', 'roles', 'me');
      tell.done(`${user.name} has a new role.`);
      onClose();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={`What ${user.name} may do`} size="lg">
      {now.isPending && <RouteLoading />}
      <Stack>
        <ProblemAlert problem={problem ?? now.error} />
        {value && <GrantPicker value={value} onChange={setChosen} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Keep as it is
          </Button>
          <Button loading={busy} disabled={!chosen} onClick={() => void save()}>
            Save
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
