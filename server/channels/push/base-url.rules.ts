import { z } from 'zod';

/**
 * Another address than the vendor's own, for a test bed such as the sandbox. Without a slash at its end; whether it may be
 * connected to is judged when it is.
 */
export const baseUrl = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .overwrite((url) => url.replace(/\/+$/, ''))
  .nullable()
  .meta({ title: 'Base URL', description: "Leave empty for the vendor's own servers" });
