import { useEffect, useState } from 'react';
import type { Attribute } from '../../../contract/attributes.ts';
import { upload } from '../../api.ts';
import { mappedFrom, type MappedColumn, type Preview } from './mapping.rules.ts';

/** What the person knows better than the detection. */
export interface Overrides {
  readonly delimiter?: Preview['delimiter'];
  readonly encoding?: Preview['encoding'];
}

/** The server looks at no more than this; sending more of a gigabyte would only take time. */
const sampleBytes = 1024 * 1024;

/** Reads the beginning of a file: how it is written, which columns it has, and what they probably mean. */
export function usePreview(file: File | undefined, overrides: Overrides, known: readonly Attribute[]) {
  const [preview, setPreview] = useState<Preview>();
  const [columns, setColumns] = useState<readonly MappedColumn[]>([]);
  const [isReading, setReading] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  useEffect(() => {
    if (!file) return undefined;
    const stop = new AbortController();
    setReading(true);
    setProblem(undefined);
    const form = new FormData();
    form.set('options', JSON.stringify(overrides));
    form.set('file', file.slice(0, sampleBytes), file.name);
    upload('POST /contacts/import/preview', form, { signal: stop.signal })
      .then((answer) => {
        setPreview(answer);
        setColumns(mappedFrom(answer, new Set(known.map((attribute) => attribute.key))));
      })
      .catch((error: unknown) => {
        if (stop.signal.aborted) return;
        setPreview(undefined);
        setProblem(error);
      })
      .finally(() => {
        if (!stop.signal.aborted) setReading(false);
      });
    return () => stop.abort();
    // A change of the attributes known elsewhere must not throw away the mapping made here.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [file, overrides]);
  return { preview: file ? preview : undefined, columns, setColumns, isReading, problem };
}
