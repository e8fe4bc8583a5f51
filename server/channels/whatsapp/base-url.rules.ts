import { z } from 'zod';

/** Another address than the vendor's own, such as the sandbox; whether it may be connected to is judged when it is. */
export const baseUrl = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .overwrite((url) => url.replace(/\/+$/, ''))
  .nullable()
  .default(null)
  .meta({ title: 'Base URL', description: "Leave empty for the vendor's own servers" });
