import {
  ActionIcon,
  Box,
  Button,
  Checkbox,
  Group,
  Popover,
  Skeleton,
  Stack,
  Table,
  Text,
  UnstyledButton,
} from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconArrowDown, IconArrowsSort, IconArrowUp, IconColumns3, IconSearchOff } from '@tabler/icons-react';
import type { UseQueryResult } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import classes from './data-table.module.css';
import { EmptyState } from './empty-state.tsx';
import { FilterBar, type Filter } from './filter-bar.tsx';
import { ProblemAlert } from './problem-alert.tsx';
import type { UrlStateHandle } from './url-state.ts';

export interface Column<Row> {
  readonly key: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  readonly align?: 'start' | 'end';
  readonly width?: number | string;
  /** The value of `?sort=` that orders by this column; with a leading `-` it is turned round. */
  readonly sort?: string;
  /** Shown only when chosen under "Columns". */
  readonly optional?: boolean;
}

export interface DataTableProps<Row> {
  /** Names the table for screen readers, and its stored choice of columns. */
  readonly name: string;
  readonly columns: readonly Column<Row>[];
  readonly query: UseQueryResult<{ data: Row[]; nextCursor?: string | null }>;
  readonly rowKey: (row: Row) => string;
  /** Shown when there is nothing at all; with filters on, the table says that nothing matches instead. */
  readonly empty: ReactNode;
  /** Kept in the address, shown above the table; `cursor` and `sort` are the table's own. */
  readonly filters?: readonly Filter[];
  readonly url: UrlStateHandle;
  readonly defaultSort?: string;
  /** Beside the choice of columns: an export link, say. */
  readonly tools?: ReactNode;
}

/** A page of a list from the server: sorting, paging, choice of columns, and its empty, loading and error states. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { query, url } = props;
  const [hidden, setHidden] = useLocalStorage<string[]>({
    key: `parley.columns.${props.name}`,
    defaultValue: props.columns.filter((column) => column.optional).map((column) => column.key),
    getInitialValueInEffect: false,
  });
  const shown = props.columns.filter((column, at) => at === 0 || !hidden.includes(column.key));
  const filters = props.filters ?? [];
  const filterKeys = filters.map((filter) => filter.key);
  const isFiltered = filterKeys.some((key) => url.values[key]);
  const clearFilters = () => url.set(Object.fromEntries(filterKeys.map((key) => [key, undefined])));
  const rows = query.data?.data;

  if (rows?.length === 0 && !url.values['cursor'] && !isFiltered && !query.data?.nextCursor) {
    return <Box className={classes['frame'] ?? ''}>{props.empty}</Box>;
  }
  if (!rows && query.error) return <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />;
  return (
    <Stack gap="sm">
      {query.error && <ProblemAlert problem={query.error} onRetry={() => void query.refetch()} />}
      <Group justify="space-between" align="flex-end" gap="sm">
        <div className={classes['filters'] ?? ''}>
          {filters.length > 0 && <FilterBar filters={filters} url={url} />}
        </div>
        <Group gap="xs">
          {props.tools}
          <ColumnChoice columns={props.columns} hidden={hidden} onChange={setHidden} />
        </Group>
      </Group>
      <Box className={classes['frame'] ?? ''}>
        {rows?.length === 0 ? (
          <NothingMatches
            onClear={clearFilters}
            onGoOn={query.data?.nextCursor ? () => url.set({ cursor: query.data.nextCursor ?? undefined }) : undefined}
          />
        ) : (
          <Rows {...props} rows={rows} shown={shown} />
        )}
      </Box>
      <Pager nextCursor={query.data?.nextCursor ?? null} shownRows={rows?.length} url={url} />
    </Stack>
  );
}

function Rows<Row>(props: DataTableProps<Row> & { rows: readonly Row[] | undefined; shown: readonly Column<Row>[] }) {
  const { query, shown } = props;
  return (
    <Table
      role="table"
      aria-label={props.name}
      aria-busy={query.isFetching}
      className={`${classes['table']} ${query.isPlaceholderData ? classes['fetching'] : ''}`}
      verticalSpacing="sm"
      horizontalSpacing="md"
      highlightOnHover
    >
      <Table.Thead role="rowgroup">
        <Table.Tr role="row">
          {shown.map((column) => (
            <HeaderCell key={column.key} column={column} url={props.url} defaultSort={props.defaultSort} />
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody role="rowgroup">
        {props.rows?.map((row) => (
          <Table.Tr role="row" key={props.rowKey(row)}>
            {shown.map((column) => (
              <Table.Td
                role="cell"
                key={column.key}
                data-label={column.header}
                className={column.align === 'end' ? (classes['end'] ?? '') : ''}
              >
                <div>{column.cell(row)}</div>
              </Table.Td>
            ))}
          </Table.Tr>
        )) ?? <LoadingRows columns={shown.length} />}
      </Table.Tbody>
    </Table>
  );
}

/** Of a long list a page looks through so many entries only: where it found none, the search can go on. */
function NothingMatches({ onClear, onGoOn }: { onClear: () => void; onGoOn: (() => void) | undefined }) {
  return (
    <EmptyState
      icon={IconSearchOff}
      title={onGoOn ? 'None so far' : 'Nothing matches'}
      action={
        <>
          {onGoOn && <Button onClick={onGoOn}>Look further back</Button>}
          <Button variant="default" onClick={onClear}>
            Clear filters
          </Button>
        </>
      }
    >
      {onGoOn
        ? 'Among those that were looked through there are none with these filters. There are older ones.'
        : 'There are none with these filters.'}
    </EmptyState>
  );
}

function HeaderCell<Row>(props: { column: Column<Row>; url: UrlStateHandle; defaultSort?: string | undefined }) {
  const { column, url } = props;
  const sort = url.values['sort'] ?? props.defaultSort;
  const className = column.align === 'end' ? (classes['end'] ?? '') : '';
  const width = column.width === undefined ? {} : { w: column.width };
  if (!column.sort) {
    return (
      <Table.Th role="columnheader" scope="col" className={className} {...width}>
        {column.header}
      </Table.Th>
    );
  }
  const isUp = sort === column.sort;
  const isDown = sort === `-${column.sort}`;
  const SortIcon = isUp ? IconArrowUp : isDown ? IconArrowDown : IconArrowsSort;
  return (
    <Table.Th
      role="columnheader"
      scope="col"
      className={className}
      aria-sort={isUp ? 'ascending' : isDown ? 'descending' : 'none'}
      {...width}
    >
      <UnstyledButton
        className={classes['sort'] ?? ''}
        onClick={() => url.set({ sort: isDown ? column.sort : `-${column.sort}` })}
      >
        <Group gap={4} wrap="nowrap" fz="sm">
          {column.header}
          <SortIcon size={14} aria-hidden />
        </Group>
      </UnstyledButton>
    </Table.Th>
  );
}

function LoadingRows({ columns }: { columns: number }) {
  return Array.from({ length: 6 }, (_, row) => (
    <Table.Tr role="row" key={row}>
      {Array.from({ length: columns }, (_cell, column) => (
        <Table.Td role="cell" key={column}>
          <Skeleton height={14} width={column === 0 ? '70%' : '45%'} />
        </Table.Td>
      ))}
    </Table.Tr>
  ));
}

function ColumnChoice<Row>(props: {
  columns: readonly Column<Row>[];
  hidden: readonly string[];
  onChange: (hidden: string[]) => void;
}) {
  const shown = props.columns.map((column) => column.key).filter((key) => !props.hidden.includes(key));
  const choose = (keys: string[]) =>
    props.onChange(props.columns.slice(1).flatMap((column) => (keys.includes(column.key) ? [] : [column.key])));
  return (
    <Popover position="bottom-end" trapFocus returnFocus>
      <Popover.Target>
        <ActionIcon variant="default" size="lg" aria-label="Choose columns" title="Choose columns">
          <IconColumns3 size={18} aria-hidden />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown aria-label="Columns">
        <Checkbox.Group label="Columns" value={shown} onChange={choose}>
          <Stack gap="xs" mt="xs">
            {props.columns.slice(1).map((column) => (
              <Checkbox key={column.key} value={column.key} label={column.header} />
            ))}
          </Stack>
        </Checkbox.Group>
      </Popover.Dropdown>
    </Popover>
  );
}

function Pager(props: { nextCursor: string | null; shownRows: number | undefined; url: UrlStateHandle }) {
  const cursor = props.url.values['cursor'];
  // The pages come one after the other; which came before this one only the person's own way here knows.
  const [before, setBefore] = useState<readonly (string | undefined)[]>([]);
  if (!cursor && !props.nextCursor) {
    return props.shownRows === undefined ? null : (
      <Text size="sm" c="dimmed">
        {props.shownRows === 1 ? '1 entry' : `${props.shownRows} entries`}
      </Text>
    );
  }
  const back = () => {
    props.url.set({ cursor: before.at(-1) });
    setBefore(before.slice(0, -1));
  };
  const forward = () => {
    // On the first page whatever was gone through before belongs to other filters.
    setBefore(cursor ? [...before, cursor] : [undefined]);
    props.url.set({ cursor: props.nextCursor ?? undefined });
  };
  return (
    <Group component="nav" aria-label="Pages" gap="sm" justify="flex-end">
      <Button variant="default" size="sm" disabled={!cursor} onClick={back}>
        {before.length > 0 || !cursor ? 'Previous' : 'First page'}
      </Button>
      <Button variant="default" size="sm" disabled={!props.nextCursor} onClick={forward}>
        Next
      </Button>
    </Group>
  );
}
