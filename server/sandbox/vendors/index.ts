import type { Vendor } from '../vendor.ts';
import { apns } from './apns.ts';
import { fcm } from './fcm.ts';
import { createMetaVendor } from './meta.ts';
import { createTwilioWhatsAppVendor } from './twilio-whatsapp.ts';
import { webpush } from './webpush.ts';

/** Every vendor the sandbox plays over HTTP; one line each. */
export const vendors: readonly Vendor[] = [fcm, apns, webpush, createMetaVendor(), createTwilioWhatsAppVendor()];
