import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Numbers for Prometheus. Labels are bounded: route patterns, never paths; outcomes, never addresses. */
export interface Metrics {
  request(route: string, method: string, status: number, seconds: number): void;
  messages(channel: string, outcome: string, count: number): void;
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  text(): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'parley_' });
  const requests = new Histogram({
    name: 'parley_http_request_seconds',
    help: 'Duration of HTTP requests',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2, 10],
    registers: [registry],
  });
  const outcomes = new Counter({
    name: 'parley_messages_total',
    help: 'Messages by outcome',
    labelNames: ['channel', 'outcome'],
    registers: [registry],
  });
  return {
    request: (route, method, status, seconds) => requests.observe({ route, method, status: String(status) }, seconds),
    messages: (channel, outcome, count) => outcomes.inc({ channel, outcome }, count),
    gauge: (name, help, read) => {
      registry.registerMetric(
        new Gauge({
          name: `parley_${name}`,
          help,
          registers: [],
          async collect() {
            this.set(await read());
          },
        }),
      );
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
