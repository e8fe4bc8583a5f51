import axe from 'axe-core';
import type { Page } from 'playwright-core';

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
}

/**
 * What axe finds serious or critical on the page as it is now, one line each. The page's own content security policy
 * stays on, so the script goes in through the debugger and not as a tag.
 */
export async function seriousFindings(page: Page): Promise<string[]> {
  // A fade that is still running has every contrast wrong.
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => undefined))));
  const session = await page.context().newCDPSession(page);
  try {
    await session.send('Runtime.evaluate', { expression: axe.source });
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      expression: `axe.run(document, { resultTypes: ['violations'] }).then((found) => JSON.stringify(found.violations))`,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(`axe did not run: ${exceptionDetails.text}`);
    const violations = JSON.parse(String(result.value)) as Violation[];
    return violations
      .filter((one) => one.impact === 'serious' || one.impact === 'critical')
      .map(
        (one) =>
          `${one.id} at ${one.nodes.map((node) => node.target.join(' ')).join(', ')}: ${one.nodes[0]?.failureSummary ?? ''}`,
      );
  } finally {
    await session.detach();
  }
}

/** How many pixels a page is wider than its window: 0, or people on phones have to push it about. */
export function sidewaysOverflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
