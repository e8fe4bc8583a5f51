/** What the demo reads of the API's answers. */

export interface Import {
  readonly state: string;
  readonly rowsRead: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly failure: string | null;
}

export interface Stats {
  readonly status: string;
  readonly planned: number;
  readonly waiting: number;
  readonly held: number;
  readonly sending: number;
  readonly suppressed: number;
  readonly accepted: number;
  readonly failed: number;
  readonly unknown: number;
  readonly cancelled: number;
  readonly expired: number;
  readonly opened: number;
  readonly clicked: number;
  readonly unsubscribed: number;
  readonly reasons: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface Waterfall {
  readonly steps: readonly { readonly name: string; readonly count: number }[];
  readonly willSend: number;
}

export interface Caught {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
}

export interface Mail {
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
  readonly text: string;
}
