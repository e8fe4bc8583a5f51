import type { DemoFile } from './people.ts';
import type { Caught, Import, Mail, Stats, Waterfall } from './answers.ts';

interface Results {
  readonly file: DemoFile;
  readonly withdrawnBefore: number;
  readonly imported: Import;
  readonly waterfall: Waterfall;
  readonly stats: Stats;
  readonly caught: readonly Caught[];
  readonly seconds: number;
  readonly sample: Mail | undefined;
  readonly expected: { readonly opened: number; readonly clicked: number; readonly unsubscribed: number };
  /** What a second campaign would reach, after some have left. */
  readonly again: Waterfall;
  readonly chainsWhole: boolean;
}

interface Check {
  readonly what: string;
  readonly ok: boolean;
}

const number = (value: number) => value.toLocaleString('en').padStart(8);

/** What must be true, each in words. */
function checksOf(results: Results): Check[] {
  const { file, imported, stats, caught, waterfall, expected, again, withdrawnBefore } = results;
  const recipients = new Set(caught.map((one) => one.to));
  const consented = file.good - withdrawnBefore;
  const parts =
    stats.waiting +
    stats.held +
    stats.sending +
    stats.suppressed +
    stats.accepted +
    stats.failed +
    stats.unknown +
    stats.cancelled +
    stats.expired;
  return [
    {
      what: 'every row was read and judged',
      ok:
        imported.state === 'done' &&
        imported.created + imported.updated + imported.unchanged + imported.rejected === imported.rowsRead,
    },
    { what: 'rows that cannot be read were refused', ok: imported.rejected === file.malformed },
    {
      what: 'the import revived nobody who had left',
      ok: (stats.reasons['suppressed']?.['withdrawn'] ?? 0) === withdrawnBefore,
    },
    {
      what: 'as many were sent as were announced',
      ok: waterfall.willSend === consented && stats.accepted === consented,
    },
    { what: 'the counts add up', ok: parts === stats.planned },
    { what: 'nobody got it twice', ok: recipients.size === caught.length },
    { what: 'nobody was lost', ok: caught.length === stats.accepted },
    {
      what: 'opens, clicks and leavings came back',
      ok:
        stats.opened === expected.opened &&
        stats.clicked === expected.clicked &&
        stats.unsubscribed === expected.unsubscribed,
    },
    { what: 'the next campaign leaves out who left', ok: again.willSend === consented - expected.unsubscribed },
    { what: 'the consent ledger and the audit log are whole', ok: results.chainsWhole },
  ];
}

/** Prints the report; true when everything adds up. */
export function report(say: (line: string) => void, results: Results): boolean {
  const { imported, waterfall, stats, caught, seconds, sample } = results;
  const duplicates = caught.length - new Set(caught.map((one) => one.to)).size;
  say('\nImport');
  say(
    `${number(imported.rowsRead)}  rows read: ${imported.created} created, ${imported.updated} updated, ${imported.unchanged} unchanged, ${imported.rejected} refused`,
  );
  say('\nAudience');
  for (const step of waterfall.steps) say(`${number(step.count)}  ${step.name}`);
  say('\nCampaign');
  for (const name of [
    'planned',
    'accepted',
    'suppressed',
    'failed',
    'unknown',
    'opened',
    'clicked',
    'unsubscribed',
  ] as const)
    say(`${number(stats[name])}  ${name}`);
  for (const [state, reasons] of Object.entries(stats.reasons))
    for (const [reason, count] of Object.entries(reasons)) say(`${number(count)}  ${state}: ${reason}`);
  say(`${number(Math.round(stats.accepted / seconds))}  messages/s, from start to end, the sandbox's inbox included`);
  say(`${number(duplicates)}  duplicates`);
  say(`${number(stats.accepted - caught.length)}  lost`);
  if (sample !== undefined) say(`\nOne of them\n${sampleText(caught[0], sample)}`);
  say('');
  const checks = checksOf(results);
  for (const { what, ok } of checks) say(`  ${ok ? 'yes' : 'NO '}  ${what}`);
  const addsUp = checks.every((check) => check.ok);
  say(addsUp ? '\nEverything adds up.' : '\nSomething does not add up.');
  return addsUp;
}

function sampleText(one: Caught | undefined, mail: Mail): string {
  const lines = mail.text
    .trim()
    .split('\n')
    .map((line) => `  | ${line}`);
  return [`  | To: ${one?.to ?? ''}`, `  | Subject: ${one?.subject ?? ''}`, '  |', ...lines].join('\n');
}
