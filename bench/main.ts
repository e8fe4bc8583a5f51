import { parseArgs } from 'node:util';
import { benchApi } from './api.ts';
import { benchCallbacks } from './callbacks.ts';
import { benchImport } from './import.ts';
import { benchSend } from './send.ts';
import { vias } from './vias.ts';
import type { Via } from './vias.ts';

const usage = `npm run bench -- send --recipients N [--via smtp|http|sendgrid] [--json]
npm run bench -- import --rows N [--json]
npm run bench -- api --requests N [--json]
npm run bench -- callbacks --events N [--json]

Measures through the API, on a durable database of its own, beside the floor of the same run.
The last line of output is one JSON object; with --json it is the only one.`;

interface Job {
  /** The option that says how large it is. */
  readonly size: 'recipients' | 'rows' | 'requests' | 'events';
  readonly run: (count: number, say: (line: string) => void, via: Via) => Promise<Record<string, number>>;
}

const jobs: Readonly<Record<string, Job>> = {
  send: { size: 'recipients', run: benchSend },
  import: { size: 'rows', run: benchImport },
  api: { size: 'requests', run: benchApi },
  callbacks: { size: 'events', run: benchCallbacks },
};

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      recipients: { type: 'string', default: '10000' },
      rows: { type: 'string', default: '100000' },
      requests: { type: 'string', default: '30000' },
      events: { type: 'string', default: '50000' },
      via: { type: 'string', default: 'smtp' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [what] = positionals;
  const job = jobs[what ?? ''];
  if (values.help || job === undefined) {
    process.stdout.write(`${usage}\n`);
    return values.help ? 0 : 2;
  }
  const count = Number(values[job.size]);
  if (!Number.isInteger(count) || count < 1 || count > 10_000_000) {
    process.stderr.write(`--${job.size} must be a whole number from 1 to 10,000,000.\n`);
    return 2;
  }
  const via = vias[values.via];
  if (via === undefined) {
    process.stderr.write(`--via: one of ${Object.keys(vias).join(', ')}.\n`);
    return 2;
  }
  const say = (line: string) => void (values.json || process.stderr.write(`${line}\n`));
  const result = await job.run(count, say, via);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
