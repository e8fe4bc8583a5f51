import type { Vendor } from '../vendor.ts';
import { apns } from './apns.ts';
import { fcm } from './fcm.ts';
import { createMetaVendor } from './meta.ts';
import { createTwilioWhatsAppVendor } from './twilio-whatsapp.ts';
import { createMailgunVendor } from './mailgun.ts';
import { createSendGridVendor } from './sendgrid.ts';
import { createSesVendor } from './ses.ts';
import { plivo } from './plivo.ts';
import { createSnsVendor } from './sns.ts';
import { createTwilioVendor } from './twilio.ts';
import { webpush } from './webpush.ts';

/** Every vendor the sandbox plays over HTTP; one line each. */
export const vendors: readonly Vendor[] = [
  createSendGridVendor(),
  createSesVendor(),
  createMailgunVendor(),
  createTwilioVendor(),
  createSnsVendor(),
  plivo,
  fcm,
  apns,
  webpush,
  createMetaVendor(),
  createTwilioWhatsAppVendor(),
];
