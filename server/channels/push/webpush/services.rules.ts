/**
 * The push services of the browsers that people use. An endpoint comes from a browser, that is from anybody: what some host
 * answers must not be able to stop the account or slow it down, so only these, and those that the account names, are called.
 */
const wellKnown = [
  'fcm.googleapis.com',
  'updates.push.services.mozilla.com',
  '*.push.services.mozilla.com',
  '*.push.apple.com',
  '*.notify.windows.com',
] as const;

/** Pure. `further` are host names, or `*.` and a domain. */
export function isPushService(host: string, further: readonly string[] = []): boolean {
  return [...wellKnown, ...further].some((one) =>
    one.startsWith('*.') ? host.endsWith(one.slice(1)) && host.length > one.length - 1 : host === one,
  );
}
