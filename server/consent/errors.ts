import { defineErrors } from '../platform/errors.ts';

defineErrors({
  'topic/key-taken': { status: 409, title: 'There is a topic with this key' },
  'topic/unknown': { status: 422, title: 'There is no such topic' },
  'topic/archived': { status: 409, title: 'The topic is archived' },
  'consent/address-unknown': { status: 404, title: 'Nobody has this address' },
  'consent/contact-erased': { status: 409, title: 'The contact was erased' },
  'consent/ledger-broken': { status: 500, title: 'The consent ledger does not verify' },
  'suppression/erased-stays': { status: 409, title: 'An erased address stays suppressed' },
});
