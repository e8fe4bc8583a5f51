import { createServer } from 'node:http';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { launchChromium } from './chromium.ts';

it('a real browser runs the scripts of a local page, with fonts to draw it', async () => {
  const server = createServer((_, response) => {
    response
      .setHeader('content-type', 'text/html')
      .end('<h1>…</h1><script>document.querySelector("h1").textContent = "ready " + (6 * 7)</script>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    expect(await page.textContent('h1')).toBe('ready 42');
    // Without a font nothing has a width.
    expect(
      await page.evaluate(() => {
        const range = document.createRange();
        range.selectNodeContents(document.body);
        return range.getBoundingClientRect().width;
      }),
    ).toBeGreaterThan(50);
  } finally {
    await browser.close();
    server.close();
  }
});
