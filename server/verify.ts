import { createConsent } from './consent/index.ts';
import { createActivity } from './activity/index.ts';
import { readConfig } from './config.ts';
import { openHouse } from './house.ts';
import { systemClock } from './platform/clock.ts';
import { createDb } from './platform/db.ts';
import { createLog } from './platform/log.ts';
import { createAudit } from './workspaces/index.ts';

/** Walks both chains of every workspace; exit code 1 when one is broken. */
export async function verifyAll(json: boolean): Promise<number> {
  const config = readConfig(process.env);
  const log = createLog(config.logLevel === 'info' ? 'warn' : config.logLevel);
  const house = await openHouse(config, systemClock, log);
  const db = createDb({ url: house.serverUrl, log });
  try {
    const { vault } = house;
    const audit = createAudit({ clock: systemClock, vault });
    const consent = createConsent({
      clock: systemClock,
      vault,
      events: createActivity({ db, clock: systemClock, log }),
    });
    const ids = await db.system((tx) => tx.query<{ id: string }>('select id from parley_workspace_ids()'));
    let ok = true;
    for (const { id } of ids) {
      const found = { workspace: id, audit: await audit.verify(db, id), consent: await consent.verify(db, id) };
      ok &&= found.audit.ok && found.consent.ok;
      process.stdout.write(
        json ? `${JSON.stringify(found)}\n` : `${id}: audit ${words(found.audit)}, consent ${words(found.consent)}\n`,
      );
    }
    return ok ? 0 : 1;
  } finally {
    await db.close();
    await house.close();
  }
}

function words(report: { ok: boolean; checked: number }): string {
  return report.ok ? `${report.checked} entries, whole` : `BROKEN: ${JSON.stringify(report)}`;
}
