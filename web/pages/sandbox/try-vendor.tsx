import { Button, Menu, Text } from '@mantine/core';
import { IconChevronDown, IconPlugConnected } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../../api.ts';
import { ask, refresh } from '../../query.ts';
import { useCan } from '../../shell/me.ts';
import { tell } from '../../ui/index.ts';
import { channels } from '../../ui/channels.ts';

/** An account of any vendor that the sandbox plays, in one click: the real adapter, against a vendor that catches. */
export function TryVendor() {
  const can = useCan();
  const [isBusy, setBusy] = useState(false);
  const vendors = useQuery({ ...ask('GET /sandbox/vendors'), staleTime: Infinity });
  if (!can('providers:write') || vendors.data === undefined || vendors.data.data.length === 0) return null;
  const add = async (kind: string) => {
    setBusy(true);
    try {
      const { name } = await api('POST /sandbox/accounts', { body: { kind } });
      await refresh('providers', 'routes');
      tell.done(`The account “${name}” is ready to send. What it is handed arrives here.`);
    } catch (error) {
      tell.problem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button
          variant="default"
          loading={isBusy}
          leftSection={<IconPlugConnected size={16} aria-hidden />}
          rightSection={<IconChevronDown size={14} aria-hidden />}
        >
          Try a vendor
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Adds an account that sends into the sandbox</Menu.Label>
        {vendors.data.data.map(({ kind, title, channel }) => (
          <Menu.Item
            key={kind}
            onClick={() => void add(kind)}
            rightSection={
              <Text size="xs" c="dimmed">
                {channels[channel].label}
              </Text>
            }
          >
            {title}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
