const maxWaitMs = 86_400_000;

/**
 * Pure: `X-RateLimit-Reset` as vendors write it: seconds since 1970 (SendGrid), milliseconds since 1970, or seconds from
 * now. A moment that has passed asks for no pause beyond a second.
 */
export function resetMs(value: string | undefined, now: Temporal.Instant): number | undefined {
  if (value === undefined || !/^\d{1,15}(?:\.\d{1,6})?$/.test(value.trim())) return undefined;
  const number = Number(value);
  if (number < 1e9) return Math.min(number * 1000, maxWaitMs);
  const at = number < 1e11 ? number * 1000 : number;
  return Math.min(Math.max(at - now.epochMilliseconds, 1000), maxWaitMs);
}
