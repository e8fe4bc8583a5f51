import { Group, Stack, Text } from '@mantine/core';
import { reasonText } from '../../reasons.ts';
import { NumberText } from '../../ui/index.ts';
import classes from './waterfall-picture.module.css';
import { fallsOf, rankedReasons, sumOf, type Waterfall } from './results.rules.ts';

/** From everybody in the audience down to those who will get it: a bar for each step, and in words who was lost on the way. */
export function WaterfallPicture({ waterfall }: { waterfall: Waterfall }) {
  const falls = fallsOf(waterfall);
  return (
    <Stack gap="lg">
      <ol className={classes['steps'] ?? ''}>
        {falls.map((fall, at) => (
          <li key={fall.name}>
            <Group justify="space-between" gap="xs" wrap="nowrap" align="baseline">
              <Text size="sm" fw={at === falls.length - 1 ? 650 : 400}>
                {fall.name}
              </Text>
              <Text size="sm" component="span" style={{ whiteSpace: 'nowrap' }}>
                {fall.lost > 0 && (
                  <Text component="span" size="sm" c="dimmed">
                    <NumberText value={fall.lost} /> fewer ·{' '}
                  </Text>
                )}
                <strong>
                  <NumberText value={fall.count} />
                </strong>
              </Text>
            </Group>
            <div className={classes['track'] ?? ''} aria-hidden>
              <div
                className={`${classes['bar']} ${at === falls.length - 1 ? classes['last'] : ''}`}
                style={{ width: `${fall.percent}%` }}
              />
            </div>
          </li>
        ))}
      </ol>
      <Reasons title="Will not get it" counts={waterfall.suppressed} />
      <Reasons title="Held back for now" counts={waterfall.held} />
    </Stack>
  );
}

function Reasons({ title, counts }: { title: string; counts: Readonly<Record<string, number>> }) {
  const ranked = rankedReasons(counts);
  if (ranked.length === 0) return null;
  return (
    <div>
      <Text fw={600} size="sm">
        {title}: <NumberText value={sumOf(counts)} />
      </Text>
      <ul className={classes['reasons'] ?? ''}>
        {ranked.map(({ code, count }) => {
          const reason = reasonText(code);
          return (
            <li key={code}>
              <Text size="sm">
                <strong>
                  <NumberText value={count} />
                </strong>{' '}
                {reason.title}.{' '}
                <Text component="span" size="sm" c="dimmed">
                  {reason.why} {reason.remedy}
                </Text>
              </Text>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
