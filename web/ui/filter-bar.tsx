import { Button, CloseButton, Group, Select, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { Fragment, useEffect, useRef, useState, type ReactNode } from 'react';
import classes from './filter-bar.module.css';
import type { UrlStateHandle } from './url-state.ts';

export type Filter =
  | { readonly kind: 'text'; readonly key: string; readonly label: string; readonly placeholder?: string }
  | {
      readonly kind: 'choice';
      readonly key: string;
      readonly label: string;
      /** Shown while none is chosen; "Any" unless told. */
      readonly anyLabel?: string;
      readonly choices: readonly { readonly value: string; readonly label: string }[];
    }
  | { readonly kind: 'date'; readonly key: string; readonly label: string }
  /** One that the page draws itself: what it finds is not a short list. */
  | {
      readonly kind: 'own';
      readonly key: string;
      readonly input: (value: string | undefined, apply: (value: string | undefined) => void) => ReactNode;
    };

/** From here on a list is typed into rather than scrolled. */
const manyChoices = 10;

/** Filters kept in the address. Text is applied when the person stops typing. */
export function FilterBar({ filters, url }: { filters: readonly Filter[]; url: UrlStateHandle }) {
  const isFiltered = filters.some((filter) => url.values[filter.key]);
  return (
    <Group component="search" role="search" gap="sm" align="flex-end">
      {filters.map((filter) => (
        <FilterInput key={filter.key} filter={filter} url={url} />
      ))}
      {isFiltered && (
        <Button
          variant="subtle"
          onClick={() => url.set(Object.fromEntries(filters.map((filter) => [filter.key, undefined])))}
        >
          Clear filters
        </Button>
      )}
    </Group>
  );
}

function FilterInput({ filter, url }: { filter: Filter; url: UrlStateHandle }) {
  const value = url.values[filter.key] ?? '';
  if (filter.kind === 'own') {
    return <Fragment>{filter.input(value || undefined, (next) => url.set({ [filter.key]: next }))}</Fragment>;
  }
  if (filter.kind === 'text') {
    return <TextFilter filter={filter} value={value} onApply={(next) => url.set({ [filter.key]: next })} />;
  }
  if (filter.kind === 'date') {
    return (
      <TextInput
        type="date"
        label={filter.label}
        className={classes['filter'] ?? ''}
        value={value}
        onChange={(event) => url.set({ [filter.key]: event.currentTarget.value })}
      />
    );
  }
  return (
    <Select
      label={filter.label}
      className={classes['filter'] ?? ''}
      placeholder={filter.anyLabel ?? 'Any'}
      searchable={filter.choices.length > manyChoices}
      clearable
      clearButtonProps={{ 'aria-label': `Clear ${filter.label}` }}
      data={[...filter.choices]}
      value={value || null}
      onChange={(next) => url.set({ [filter.key]: next ?? undefined })}
    />
  );
}

function TextFilter(props: { filter: Filter & { kind: 'text' }; value: string; onApply: (value: string) => void }) {
  const { filter, value, onApply } = props;
  const [typed, setTyped] = useState(value);
  const applied = useRef(value);
  useEffect(() => {
    // The address changed from outside (back button, cleared): follow it.
    if (value !== applied.current) setTyped(value);
    applied.current = value;
  }, [value]);
  useEffect(() => {
    if (typed === applied.current) return undefined;
    const timer = setTimeout(() => {
      applied.current = typed;
      onApply(typed);
    }, 350);
    return () => clearTimeout(timer);
  }, [typed, onApply]);
  return (
    <TextInput
      label={filter.label}
      className={classes['search'] ?? ''}
      placeholder={filter.placeholder ?? ''}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={
        typed && <CloseButton size="sm" aria-label={`Clear ${filter.label}`} onClick={() => setTyped('')} />
      }
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
    />
  );
}
