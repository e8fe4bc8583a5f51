import { Button, Fieldset, Group, NumberInput, SimpleGrid, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import type { Lane } from '../../../contract/rate-limits.ts';
import { api } from '../../api.ts';
import { refresh } from '../../query.ts';
import { ProblemAlert, tell, useSubmit } from '../../ui/index.ts';
import { ceilingsIn, domainsIn, doubling, plainLimits, settingsOf, valuesOf } from './limits.rules.ts';
import type { LimitValues } from './limits.rules.ts';

const usual = { first: 50, goal: 20_000 } as const;

/** All limits of a lane, and its warm-up plan. */
export function LimitsForm({ lane, onDone }: { lane: Lane; onDone: () => void }) {
  const form = useForm<LimitValues>({
    initialValues: valuesOf(lane.settings),
    validate: {
      domains: (text) => (domainsIn(text) === undefined ? 'One domain a line, as in “gmail.com 600/minute”' : null),
      ceilings: (text, { startsOn }) => {
        const ceilings = ceilingsIn(text);
        if (ceilings === undefined) return 'Whole numbers, one for each day, at most 120';
        return startsOn !== '' && ceilings.length === 0 ? 'Say how many a day' : null;
      },
      startsOn: (day, { ceilings }) => (day === '' && ceilings.trim() !== '' ? 'Say when it starts' : null),
    },
  });
  const { submit, busy, problem } = useSubmit(form, async (values) => {
    await api('PUT /rate-limits/:lane', { params: { lane: lane.lane }, body: settingsOf(values) });
    await refresh('rate-limits', 'providers');
    tell.done(`The limits of ${lane.name} are saved.`);
    onDone();
  });
  return (
    <form onSubmit={submit} noValidate aria-label={`Limits of ${lane.name}`}>
      <Stack gap="md">
        <ProblemAlert problem={problem} />
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
          {plainLimits.map(({ key, label }) => (
            <NumberInput
              key={key}
              label={label}
              placeholder="no limit"
              min={1}
              max={1_000_000_000}
              allowDecimal={false}
              thousandSeparator=","
              {...form.getInputProps(`plain.${key}`)}
            />
          ))}
        </SimpleGrid>
        {lane.channel === 'email' && (
          <Textarea
            label="To one domain"
            description="One domain a line: gmail.com 600/minute"
            autosize
            minRows={2}
            {...form.getInputProps('domains')}
          />
        )}
        <Fieldset legend="Warm-up plan">
          <Stack gap="sm">
            <TextInput type="date" label="Starts on" {...form.getInputProps('startsOn')} />
            <Textarea
              label="Most messages a day, day by day"
              description="Separated by commas. After the last day the plan limits nothing any more."
              autosize
              {...form.getInputProps('ceilings')}
            />
            <Group>
              <Button
                size="xs"
                variant="default"
                onClick={() => form.setFieldValue('ceilings', doubling(usual.first, usual.goal).join(', '))}
              >
                Fill in: from 50, doubling to 20,000
              </Button>
              <Button
                size="xs"
                variant="default"
                onClick={() => {
                  form.setFieldValue('ceilings', '');
                  form.setFieldValue('startsOn', '');
                }}
              >
                No warm-up
              </Button>
            </Group>
          </Stack>
        </Fieldset>
        <Group>
          <Button type="submit" loading={busy}>
            Save limits
          </Button>
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
