/** What a batch's messages need to be known beside what every message needs; most templates need nothing. */
export interface Needs {
  /** The contact's first phone: what is sent speaks of it. */
  readonly phone?: boolean;
  /** The contact's first e-mail address, on another channel. */
  readonly email?: boolean;
  /** When the person last wrote to us: WhatsApp's window of 24 hours. */
  readonly lastInbound?: boolean;
}

/** The facts by which a channel itself may object: a landline gets no SMS, a closed window no free text. */
export interface Reach {
  /** Of a phone: `mobile`, `fixed-line`, …; of a push address its platform. */
  readonly lineType: string | null;
  /** Of a phone: ISO 3166 alpha-2. */
  readonly addressCountry: string | null;
  readonly lastInboundAt: Temporal.Instant | null;
}

/** Pure: the reason why a channel takes no such message for this address now; undefined when it does. */
export type Objects = (reach: Reach, now: Temporal.Instant) => string | undefined;

/** SQL: the contact's first address of a kind; `contact` is the column that names the contact. */
export function firstOf(alias: string, kind: 'phone' | 'email', contact: string): string {
  return `left join lateral (select x.sealed from address x where x.contact_id = ${contact} and x.workspace_id = $1 and x.kind = '${kind}'
       order by x.position limit 1) ${alias} on true`;
}

/** SQL: when whoever address `a` belongs to last wrote; the keyed hash of the address is that of the sender. */
export const lastInboundOfA = `left join lateral (select x.written_at from inbound_message x where x.workspace_id = $1 and x.sender_hash = a.hash
       and x.channel = 'whatsapp' order by x.id desc limit 1) w on true`;
