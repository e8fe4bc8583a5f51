import { ActionIcon, Code, CopyButton, Group, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useFormats } from './formats.ts';

/** A time in the user's zone, the exact one on hover and focus. `—` when there is none. */
export function TimeText({ at, relative = false }: { at: string | null | undefined; relative?: boolean }) {
  const formats = useFormats();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!relative) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, [relative]);
  if (!at) return <span aria-label="never">—</span>;
  return (
    <Tooltip label={formats.exact(at)} events={{ hover: true, focus: true, touch: true }}>
      <time dateTime={at} style={{ whiteSpace: 'nowrap' }}>
        {relative ? formats.relative(at, Math.max(now, new Date(at).getTime())) : formats.short(at)}
      </time>
    </Tooltip>
  );
}

/** A number as the user writes it, in digits of equal width. */
export function NumberText({ value }: { value: number | null | undefined }) {
  const formats = useFormats();
  if (value === null || value === undefined) return <span aria-label="not known">—</span>;
  return <span style={{ fontVariantNumeric: 'tabular-nums' }}>{formats.number(value)}</span>;
}

/** Something to copy: an id, a key, a link. */
export function CopyText({ value, label }: { value: string; label: string }) {
  return (
    <Group gap="xs" wrap="nowrap">
      <Code style={{ overflowWrap: 'anywhere', userSelect: 'all' }}>{value}</Code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? 'Copied' : `Copy ${label}`}>
            <ActionIcon variant="subtle" onClick={copy} aria-label={copied ? 'Copied' : `Copy ${label}`}>
              {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}
