import { docsPage, livez, metrics, openApiDocument, readyz, systemHealth } from '../../contract/system.ts';
import { endpoints } from '../../contract/index.ts';
import { AppError, defineErrors } from '../platform/errors.ts';
import { route, streamRoute } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';
import { openApi } from '../platform/http-openapi.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Clock } from '../platform/clock.ts';
import { referencePage } from './reference-page.rules.ts';

/** One part of the installation, asked how it is. */
export interface Check {
  readonly name: string;
  /** Words for a person; throws when the part does not work. */
  run(): Promise<string>;
}

export interface SystemDeps {
  readonly version: string;
  readonly startedAt: Temporal.Instant;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly checks: readonly Check[];
  /** Migrated, and the worker runs where it should. */
  readonly isReady: () => Promise<boolean>;
}

defineErrors({ 'not-ready': { status: 503, title: 'Not ready to serve' } });

const checkTimeoutMs = 3_000;

async function ask(check: Check, clock: Clock): Promise<{ name: string; ok: boolean; detail: string }> {
  const timeout = new AbortController();
  const late = clock.sleep(checkTimeoutMs, timeout.signal).then(() => {
    throw new Error('no answer in time');
  });
  try {
    return { name: check.name, ok: true, detail: await Promise.race([check.run(), late]) };
  } catch (error) {
    return { name: check.name, ok: false, detail: error instanceof Error ? error.message : 'failed' };
  } finally {
    late.catch(() => undefined); // it ends, one way or the other, after the race was won
    timeout.abort();
  }
}

export function systemRoutes(deps: SystemDeps): Route[] {
  return [
    route(systemHealth, async () => {
      const parts = await Promise.all(deps.checks.map((check) => ask(check, deps.clock)));
      const uptimeSeconds = Math.floor(deps.clock.now().since(deps.startedAt).total('seconds'));
      return { ok: parts.every((part) => part.ok), version: deps.version, uptimeSeconds, parts };
    }),
    streamRoute(livez, () => Promise.resolve({ ok: true as const })),
    streamRoute(readyz, async () => {
      if (await deps.isReady()) return { ok: true as const };
      throw new AppError('not-ready', 'It is starting or stopping, or the database does not answer.', {
        headers: { 'retry-after': '1' },
      });
    }),
    streamRoute(metrics, async (call) => {
      await call.reply.type(deps.metrics.contentType).send(await deps.metrics.text());
    }),
    streamRoute(openApiDocument, async (call) => {
      await call.reply.type('application/json').send(JSON.stringify(openApi(endpoints, call.origin)));
    }),
    streamRoute(docsPage, async (call) => {
      await call.reply
        .type('text/html; charset=utf-8')
        .header(
          'content-security-policy',
          "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        )
        .send(referencePage(openApi(endpoints, call.origin)));
    }),
  ];
}
