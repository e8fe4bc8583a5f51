/**
 * operations: what keeps the house running and shows how it is: health, metrics, the API's own description, live news,
 * the overview.
 *
 * Owns no table. Promises: nothing here changes anything; numbers a caller may not read are not shown to him.
 * Never: decides about messages or people.
 */
export { overviewRoutes } from './overview.ts';
export { queueRoutes } from './queues.ts';
export { streamRoutes } from './stream.ts';
export { systemRoutes } from './system.ts';
export type { Check } from './system.ts';
