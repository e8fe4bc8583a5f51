import type { Delivery, LetterWork } from './delivery/index.ts';
import type { Tx } from './platform/db.ts';
import type { Jobs } from './platform/jobs.ts';

const letterQueue = 'delivery.letters';
const doubtQueue = 'delivery.doubts';

/** What was asked of more dead letters than one request can do, if this transaction commits. */
export function goOnWith(jobs: Pick<Jobs, 'enqueue'>, tx: Tx, work: LetterWork): Promise<void> {
  return jobs.enqueue(tx, letterQueue, work);
}

/** What delivery does in the background beside sending: asks about doubts, and goes on with what was asked of many letters. */
export function workOnTrouble(
  jobs: Pick<Jobs, 'define' | 'every' | 'enqueue'>,
  delivery: Pick<Delivery, 'workLetters' | 'resolveDoubts'>,
): void {
  jobs.define<LetterWork>(letterQueue, async (work, signal) => {
    let rest: LetterWork | undefined = work;
    while (rest !== undefined && !signal.aborted) rest = await delivery.workLetters(rest);
    // Stopped in the middle: whoever comes next goes on from there.
    if (rest !== undefined) await jobs.enqueue(undefined, letterQueue, rest);
  });
  jobs.define(doubtQueue, (_data, signal) => delivery.resolveDoubts(signal));
  jobs.every(doubtQueue, '* * * * *');
}
