/** How a new sender earns its name: a ceiling for each day, until the last one is over. */
export interface Warmup {
  /** A date (UTC), `2026-02-10`. */
  readonly startsOn: string;
  /** Messages a day, from the first day on. */
  readonly ceilings: readonly number[];
}

/** Which day of the plan it is, from 0; negative before it starts. */
export function dayOf({ startsOn }: Warmup, now: Temporal.Instant): number {
  const today = now.toZonedDateTimeISO('UTC').toPlainDate();
  return Temporal.PlainDate.from(startsOn).until(today, { largestUnit: 'days' }).days;
}

/** Today's ceiling: before the start the first one (nothing is warm yet), after the end none. */
export function ceilingOn(plan: Warmup, now: Temporal.Instant): number | undefined {
  return plan.ceilings[Math.max(0, dayOf(plan, now))];
}
