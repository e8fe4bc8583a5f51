import { useCallback, useEffect, useRef, useState } from 'react';

/** A draft kept in the browser, and when it was kept. */
export interface KeptDraft<Value> {
  readonly value: Value;
  readonly at: string;
  /** The revision of what is being edited when the draft was begun, so that a draft of an older state can say so. */
  readonly base: string;
}

const prefix = 'parley.draft.';
const keepAfterMs = 500;

/**
 * Keeps unfinished work in localStorage, so that a closed tab, a crash or an expired session loses nothing.
 * `found` is what an earlier visit left behind, read once; the caller offers it and either takes it up or discards it.
 */
export function useDraft<Value>(key: string) {
  const [found, setFound] = useState<KeptDraft<Value> | undefined>(() => readDraft<Value>(key));
  const [keptAt, setKeptAt] = useState<Date>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const keep = useCallback(
    (value: Value, base: string) => {
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        const at = new Date();
        if (writeDraft(key, { value, at: at.toISOString(), base })) setKeptAt(at);
      }, keepAfterMs);
    },
    [key],
  );

  const discard = useCallback(() => {
    clearTimeout(timer.current);
    removeDraft(key);
    setFound(undefined);
    setKeptAt(undefined);
  }, [key]);

  /** Puts the question away without losing the draft. */
  const settle = useCallback(() => setFound(undefined), []);

  useEffect(() => () => clearTimeout(timer.current), []);
  return { found, keptAt, keep, discard, settle };
}

function readDraft<Value>(key: string): KeptDraft<Value> | undefined {
  try {
    const kept = localStorage.getItem(prefix + key);
    return kept ? (JSON.parse(kept) as KeptDraft<Value>) : undefined;
  } catch {
    // Storage may be switched off or hold something else; a draft is a convenience, never a condition.
    return undefined;
  }
}

function writeDraft<Value>(key: string, draft: KeptDraft<Value>): boolean {
  try {
    localStorage.setItem(prefix + key, JSON.stringify(draft));
    return true;
  } catch {
    // Full or switched off: the page then does not claim to have kept it.
    return false;
  }
}

function removeDraft(key: string): void {
  try {
    localStorage.removeItem(prefix + key);
  } catch {
    // Switched off: there is nothing to remove.
  }
}
