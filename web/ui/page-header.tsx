import { Anchor, Breadcrumbs, Group, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useEffect, type ReactNode } from 'react';

export interface Crumb {
  readonly label: string;
  readonly to: string;
}

/** The heading of a page (also of the browser's tab), what it is for, and its main action at the end of the line. */
export function PageHeader(props: {
  title: string;
  /** Beside the title: a badge. */
  badge?: ReactNode;
  description?: ReactNode;
  crumbs?: readonly Crumb[];
  actions?: ReactNode;
}) {
  useEffect(() => {
    document.title = `${props.title} · Parley`;
  }, [props.title]);
  return (
    <Stack gap={4} mb="lg">
      {props.crumbs && (
        <Breadcrumbs component="nav" aria-label="You are here">
          {props.crumbs.map((crumb) => (
            <Anchor key={crumb.label} size="sm" renderRoot={(root: object) => <Link to={crumb.to} {...root} />}>
              {crumb.label}
            </Anchor>
          ))}
        </Breadcrumbs>
      )}
      <Group justify="space-between" align="flex-start" gap="sm">
        <Group gap="sm" style={{ minWidth: 0 }}>
          <Title order={1} size="h2" style={{ overflowWrap: 'anywhere' }}>
            {props.title}
          </Title>
          {props.badge}
        </Group>
        {props.actions && <Group gap="sm">{props.actions}</Group>}
      </Group>
      {props.description && (
        <Text c="dimmed" maw={720}>
          {props.description}
        </Text>
      )}
    </Stack>
  );
}
