import type { CompiledTemplate } from './compiled.ts';
import { createRenderer } from './render.rules.ts';
import type { Renderer } from './render.rules.ts';

export interface RendererCache {
  get(key: string): Renderer | undefined;
  put(key: string, compiled: CompiledTemplate): Renderer;
}

/** Parsed templates cost about ten times their source in memory; this bounds them at some 100 MB. */
const mostChars = 8_000_000;

/** Versions never change, so what was parsed once stays true; the one not used for the longest time goes first. */
export function createRendererCache(now: () => Temporal.Instant, limitChars = mostChars): RendererCache {
  const kept = new Map<string, { renderer: Renderer; chars: number }>();
  let chars = 0;
  return {
    get: (key) => {
      const found = kept.get(key);
      if (found === undefined) return undefined;
      kept.delete(key);
      kept.set(key, found);
      return found.renderer;
    },
    put: (key, compiled) => {
      const renderer = createRenderer(compiled, now);
      const size = (compiled.html?.length ?? 0) + compiled.text.length + 1_000;
      const before = kept.get(key);
      if (before !== undefined) chars -= before.chars;
      kept.delete(key);
      kept.set(key, { renderer, chars: size });
      chars += size;
      for (const [oldest, one] of kept) {
        if (chars <= limitChars || oldest === key) break;
        kept.delete(oldest);
        chars -= one.chars;
      }
      return renderer;
    },
  };
}
