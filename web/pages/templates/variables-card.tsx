import { Card, Code, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { ask } from '../../query.ts';
import { variableWords } from './draft.rules.ts';

/** What the template fills in, and from where: a misspelt attribute shows here before a reader sees it. */
export function VariablesCard({ variables }: { variables: readonly string[] }) {
  const attributes = useQuery(ask('GET /attributes'));
  const labels = new Map(attributes.data?.data.map((attribute) => [attribute.key, attribute.label]));
  return (
    <Card withBorder>
      <Title order={2} size="h5" mb="xs">
        Values it fills in
      </Title>
      {variables.length === 0 && (
        <Text size="sm" c="dimmed">
          None: everybody gets the same words.
        </Text>
      )}
      <ul style={{ listStyle: 'none', margin: 0, padding: 0, display: 'grid', gap: 6 }}>
        {variables.map((name) => (
          <li key={name}>
            <Code>{name}</Code>{' '}
            <Text component="span" size="sm" c="dimmed">
              {attributes.data ? variableWords(name, labels) : ''}
            </Text>
          </li>
        ))}
      </ul>
    </Card>
  );
}
