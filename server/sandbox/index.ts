/**
 * The sandbox owns a mail server that catches instead of sends, and the inbox of what it caught. It stands where a
 * provider would: Parley signs in to it over SMTP like to any other.
 *
 * It promises that a 250 means committed, that what is caught is sealed and stays within its workspace, and that each
 * outcome can be provoked by address (see `behaviour.rules.ts`), and that a mail marked `confidential` is shown to the
 * one person it is for. It keeps the newest 200,000 of each workspace.
 *
 * It never passes a message on, listens on the loopback only, and calls no server but this one.
 */
export { createCollector } from './collector.ts';
export type { Collector, CollectorDeps } from './collector.ts';
export { confidential } from './mail.rules.ts';
export { sandboxRoutes } from './routes.ts';
export type { SandboxRoutesDeps } from './routes.ts';
export { startSandboxServer } from './server.ts';
export type { SandboxServer, SandboxServerDeps } from './server.ts';
