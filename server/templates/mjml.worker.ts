import { parentPort } from 'node:worker_threads';
import mjml2html from 'mjml';

/** Turns MJML into HTML away from the main thread; see mjml.ts. */
async function run(mjml: string): Promise<void> {
  try {
    // No fonts: MJML would make the reader's mail program fetch them from Google, which tells it who reads.
    const { html, errors } = await mjml2html(mjml, { ignoreIncludes: true, keepComments: true, fonts: {} });
    const found = errors.map(({ line, message, tagName }) => ({ line, message, tagName }));
    parentPort?.postMessage({ html, errors: found });
  } catch (error) {
    parentPort?.postMessage({ failure: error instanceof Error ? error.message : 'MJML gave up' });
  }
}

parentPort?.on('message', (mjml: string) => void run(mjml));
parentPort?.postMessage('ready');
