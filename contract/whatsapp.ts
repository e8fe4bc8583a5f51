import { z } from 'zod';
import { endpoint, page } from './endpoint.ts';
import { listMessages, messageGiven, messageSummary, sendWithConsent } from './messages.ts';

const tag = 'WhatsApp';

const one = messageGiven.omit({ channel: true });

export const sendWhatsApp = endpoint({
  method: 'POST',
  path: '/whatsapp/send',
  permission: 'messages:send',
  summary: 'Send one WhatsApp message, if the person agreed; as /messages/send_with_consent does',
  description:
    'What is no template that Meta has approved is suppressed (`whatsapp-window-closed`) unless the person wrote within 24 hours.',
  tag,
  body: one,
  status: 202,
  response: sendWithConsent.response,
  idempotent: true,
});

export const bulkSendWhatsApp = endpoint({
  method: 'POST',
  path: '/whatsapp/bulk-send',
  permission: 'messages:send',
  summary: 'Send one template to up to 500 people, each judged alone; answers in their order',
  tag,
  body: one.omit({ to: true }).extend({
    recipients: z
      .array(
        z.strictObject({
          to: one.shape.to,
          variables: one.shape.variables.describe('Of this person; they go over those for all.'),
        }),
      )
      .min(1)
      .max(500),
  }),
  status: 202,
  response: sendWithConsent.response,
  idempotent: true,
});

export const whatsAppDelivery = endpoint({
  method: 'GET',
  path: '/whatsapp/delivery',
  permission: 'messages:read',
  summary: 'What became of WhatsApp messages, newest first; the same filters as /messages',
  tag,
  query: listMessages.query.omit({ channel: true }),
  status: 200,
  response: page(messageSummary),
});

export const whatsAppEndpoints = [sendWhatsApp, bulkSendWhatsApp, whatsAppDelivery] as const;
