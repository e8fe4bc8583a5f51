/** Days are the person's own: from midnight where their browser is, to the end of the last one. */
export function dayStart(day: string): string {
  return new Date(`${day}T00:00:00`).toISOString();
}

export function dayEnd(day: string): string {
  return new Date(`${day}T23:59:59.999`).toISOString();
}
