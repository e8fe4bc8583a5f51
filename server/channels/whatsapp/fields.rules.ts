import { z } from 'zod';

/** Fields that accounts of both vendors have. */

/** Another address than the vendor's own, such as the sandbox; whether it may be connected to is judged when it is. */
export const baseUrl = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .overwrite((url) => url.replace(/\/+$/, ''))
  .nullable()
  .default(null)
  .meta({ title: 'Base URL', description: "Leave empty for the vendor's own servers" });

/** 32 at some 200 ms each are more than the 80 messages a second of an ordinary number; one of 1,000 wants all 128. */
export const requestsAtOnce = z
  .int()
  .min(1)
  .max(128)
  .default(32)
  .meta({ title: 'Requests at once', description: 'How many messages are on their way to the vendor at a time' });
