/**
 * The HTTP API as zod schemas: all that server, dashboard and clients share.
 * Owns: every route with its permission, limits and shapes. Promises: strict objects, bounded strings and arrays, one
 * permission named per route. Never: logic, I/O, or knowledge of how an answer comes about.
 */
import { addressCheckEndpoints } from './address-check.ts';
import { apiKeyEndpoints } from './api-keys.ts';
import { attributeEndpoints } from './attributes.ts';
import { auditEndpoints } from './audit.ts';
import { authEndpoints } from './auth.ts';
import { callbackEndpoints } from './callbacks.ts';
import { campaignEndpoints } from './campaigns.ts';
import { consentEndpoints } from './consent.ts';
import { contactEndpoints } from './contacts.ts';
import { deadLetterEndpoints } from './dead-letters.ts';
import type { Endpoint } from './endpoint.ts';
import { importEndpoints } from './imports.ts';
import { inAppEndpoints } from './inapp.ts';
import { messageEndpoints } from './messages.ts';
import { overviewEndpoints } from './overview.ts';
import { pageEndpoints } from './pages.ts';
import { providerEndpoints } from './providers.ts';
import { queueEndpoints } from './queues.ts';
import { rateLimitEndpoints } from './rate-limits.ts';
import { sandboxAccountEndpoints } from './sandbox-accounts.ts';
import { sandboxScenarioEndpoints } from './sandbox-scenario.ts';
import { sandboxEndpoints } from './sandbox.ts';
import { streamEndpoints } from './stream.ts';
import { systemEndpoints } from './system.ts';
import { teamEndpoints } from './team.ts';
import { templateEndpoints } from './templates.ts';
import { topicEndpoints } from './topics.ts';
import { whatsAppEndpoints } from './whatsapp.ts';
import { workspaceEndpoints } from './workspace.ts';

export const endpoints: readonly Endpoint[] = [
  ...authEndpoints,
  ...teamEndpoints,
  ...apiKeyEndpoints,
  ...auditEndpoints,
  ...workspaceEndpoints,
  ...overviewEndpoints,
  ...contactEndpoints,
  ...addressCheckEndpoints,
  ...attributeEndpoints,
  ...importEndpoints,
  ...topicEndpoints,
  ...consentEndpoints,
  ...templateEndpoints,
  ...campaignEndpoints,
  ...messageEndpoints,
  ...deadLetterEndpoints,
  ...queueEndpoints,
  ...whatsAppEndpoints,
  ...inAppEndpoints,
  ...providerEndpoints,
  ...rateLimitEndpoints,
  ...sandboxEndpoints,
  ...sandboxScenarioEndpoints,
  ...sandboxAccountEndpoints,
  ...streamEndpoints,
  ...systemEndpoints,
  ...callbackEndpoints,
  ...pageEndpoints,
];
