import { z } from 'zod';
import { endpoint, line } from './endpoint.ts';

const tag = 'Sandbox';

/** The vendor's own code for it; each vendor has one of its own when it is left out. */
const code = line(60).optional();

export const sandboxFate = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('catch') }),
  /** Taken, and reported undelivered later. */
  z.strictObject({ kind: z.literal('bounce'), code }),
  z.strictObject({ kind: z.literal('block'), code }),
  z.strictObject({ kind: z.literal('complain'), code }),
  /** Refused at once. */
  z.strictObject({ kind: z.literal('refuse'), code }),
  /** 429 (or the vendor's word for it), with Retry-After where it has one. */
  z.strictObject({ kind: z.literal('throttle'), afterSeconds: z.int().min(0).max(3600) }),
  /** A failure of the vendor's own. */
  z.strictObject({ kind: z.literal('burst'), status: z.int().min(500).max(599) }),
  /** Takes the whole request and never answers. */
  z.strictObject({ kind: z.literal('quiet') }),
  z.strictObject({ kind: z.literal('slow'), ms: z.int().min(1).max(120_000) }),
  /** Answers something that is not the vendor's. */
  z.strictObject({ kind: z.literal('malformed') }),
]);
export type SandboxFate = z.output<typeof sandboxFate>;

const percent = z.number().min(0).max(100);

export const sandboxRule = z.strictObject({
  /** The recipient: an address, a number, a token; `*` stands for anything. All when left out. */
  to: line(200).optional(),
  /** `smtp`, `sendgrid`, `twilio`, …; all when left out. */
  vendor: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/)
    .optional(),
  /** Of those that fit, how many in a hundred. */
  share: z.number().gt(0).max(100).default(100),
  fate: sandboxFate,
});
export type SandboxRule = z.output<typeof sandboxRule>;

export const sandboxScenario = z.strictObject({
  /** The first that fits decides; where none does, the address does. */
  rules: z.array(sandboxRule).max(100),
  callbacks: z.strictObject({
    /** Added to the vendor's own delay. */
    delayMs: z.int().min(0).max(3_600_000),
    /** Made twice. */
    duplicatePercent: percent,
    /** Held back by up to ten seconds, so that they come out of order. */
    shufflePercent: percent,
    /** Never made. */
    lostPercent: percent,
  }),
});
export type SandboxScenario = z.output<typeof sandboxScenario>;

export const getSandboxScenario = endpoint({
  method: 'GET',
  path: '/sandbox/scenario',
  permission: 'sandbox:read',
  summary: 'What the sandbox does with whom, and with its callbacks',
  tag,
  status: 200,
  response: sandboxScenario,
});

export const setSandboxScenario = endpoint({
  method: 'PUT',
  path: '/sandbox/scenario',
  permission: 'sandbox:write',
  summary: 'Decide what the sandbox does with whom: holds from the next message on',
  tag,
  body: sandboxScenario,
  status: 200,
  response: sandboxScenario,
});

export const sandboxScenarioEndpoints = [getSandboxScenario, setSandboxScenario] as const;
