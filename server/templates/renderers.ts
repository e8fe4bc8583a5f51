import { isContent } from './compiled.ts';
import type { AnyCompiled } from './compiled.ts';
import { createContentRenderer } from './content-render.rules.ts';
import type { ContentRenderer } from './content-render.rules.ts';
import { createRenderer } from './render.rules.ts';
import type { Renderer } from './render.rules.ts';

/** Of any channel; `channel` tells which. */
export type AnyRenderer = Renderer | ContentRenderer;

export function rendererOf(compiled: AnyCompiled, now: () => Temporal.Instant): AnyRenderer {
  return isContent(compiled) ? createContentRenderer(compiled, now) : createRenderer(compiled, now);
}

export interface RendererCache {
  get(key: string): AnyRenderer | undefined;
  put(key: string, compiled: AnyCompiled): AnyRenderer;
}

/** Parsed templates cost about ten times their source in memory; this bounds them at some 100 MB. */
const mostChars = 8_000_000;

function sizeOf(compiled: AnyCompiled): number {
  if (!isContent(compiled)) return (compiled.html?.length ?? 0) + compiled.text.length + 1_000;
  return compiled.parts.reduce((sum, part) => sum + part.liquid.length, 1_000);
}

/** Versions never change, so what was parsed once stays true; the one not used for the longest time goes first. */
export function createRendererCache(now: () => Temporal.Instant, limitChars = mostChars): RendererCache {
  const kept = new Map<string, { renderer: AnyRenderer; chars: number }>();
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
      const renderer = rendererOf(compiled, now);
      const size = sizeOf(compiled);
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
