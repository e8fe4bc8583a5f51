/**
 * The sandbox owns a mail server that catches instead of sends, an HTTP server that plays the vendors of every channel in
 * their own protocols, what each workspace has them do (its scenario), and the inbox of what was caught. It stands where
 * a provider would: Parley signs in to it like to any other.
 *
 * It promises that an answer means committed, that what is caught is sealed and stays within its workspace, and that each
 * outcome can be provoked by address (see `behaviour.rules.ts`) or by scenario, and that a mail marked `confidential` is shown to the
 * one person it is for. It keeps the newest 200,000 of each workspace.
 *
 * It never passes a message on, listens on the loopback only, and calls no server but this one: a callback that would leave it is not made.
 */
export type { VendorAccountDraft } from './accounts.ts';
export { confidential } from './mail.rules.ts';
export { createSandbox } from './sandbox.ts';
export type { Sandbox, SandboxDeps, SandboxServer } from './sandbox.ts';
