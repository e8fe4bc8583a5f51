import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { MailFrame } from '../../ui/mail-frame.tsx';
import { draftFromStarter, previewBody, samplePerson, type Starter } from './draft.rules.ts';
import { askPreview } from './preview.ts';

const scale = 0.5;
const shownHeight = 200;

/** A design as it looks, small: the same frame as the preview, scaled down, and out of reach of the keyboard. */
export function StarterPicture({ starter }: { starter: Starter }) {
  const query = useQuery({ ...askPreview(previewBody(draftFromStarter(starter), samplePerson)), staleTime: Infinity });
  if (!query.data?.html) return <Skeleton height={shownHeight} radius={0} animate={query.isPending} />;
  return (
    <div aria-hidden inert style={{ height: shownHeight, overflow: 'hidden', pointerEvents: 'none' }}>
      <div style={{ transform: `scale(${scale})`, transformOrigin: '0 0', width: `${100 / scale}%` }}>
        <MailFrame html={query.data.html} title={starter.name} height={shownHeight / scale} />
      </div>
    </div>
  );
}
