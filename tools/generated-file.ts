import { readFile, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';

/** Writes a generated file, or with `--check` on the command line only says, by the exit code, whether it is stale. */
export async function writeOrCheck(path: string, text: string, command: string): Promise<void> {
  if (!process.argv.includes('--check')) {
    await writeFile(path, text);
    return;
  }
  const found = await readFile(path, 'utf8').catch(() => '');
  if (found === text) return;
  console.error(`${relative(process.cwd(), path)} is stale: run \`${command}\` and commit the result.`);
  process.exitCode = 1;
}
