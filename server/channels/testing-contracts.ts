import { contract as mailgun } from './email/mailgun/testing.ts';
import { contract as sendgrid } from './email/sendgrid/testing.ts';
import { contract as ses } from './email/ses/testing.ts';
import { contract as smtp, sandboxContract as sandbox } from './email/smtp/testing.ts';
import { contract as inapp } from './inapp/testing-contract.ts';
import { contract as apns } from './push/apns/testing.ts';
import { contract as fcm } from './push/fcm/testing.ts';
import { contract as webpush } from './push/webpush/testing.ts';
import { contract as plivo } from './sms/plivo/testing.ts';
import { contract as sns } from './sms/sns/testing.ts';
import { contract as twilio } from './sms/twilio/testing.ts';
import { contract as meta } from './whatsapp/meta/testing.ts';
import { contract as twilioWhatsApp } from './whatsapp/twilio-whatsapp/testing.ts';
import type { ProviderContract } from './testing-contract.ts';

/** What each provider of `registry.ts` brings for `contract.test.ts`; one line each. */
export const contracts: readonly ProviderContract[] = [
  smtp,
  sandbox,
  sendgrid,
  ses,
  mailgun,
  twilio,
  sns,
  plivo,
  fcm,
  apns,
  webpush,
  inapp,
  meta,
  twilioWhatsApp,
];
