import { z } from 'zod';

/** What the settings of all e-mail vendors over HTTP have in common. */

export const baseUrlSetting = z
  .string()
  .trim()
  .max(500)
  .refine((text) => isBaseUrl(text), 'must be a web address without a query')
  .nullable()
  .default(null)
  .meta({
    title: 'Base URL',
    description: 'Empty: the vendor’s own. Another server that speaks the same, such as the built-in sandbox.',
  });

function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  return isWeb && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
}

/** Pure: without a slash at its end, so that paths are put behind it as the vendor writes them. */
export function bareBase(url: string): string {
  return url.replace(/\/+$/, '');
}
