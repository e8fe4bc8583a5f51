/**
 * Calls to other people's HTTP servers. What a caller needs to know of a failure is whether the request may have been
 * acted on: that decides between trying again and leaving a message in doubt.
 */

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** From the first byte sent to the last received (default 30 s). */
  readonly timeoutMs?: number;
  /** Bytes of the answer that are read (default 1 MiB); a longer one counts as malformed. */
  readonly maxAnswerBytes?: number;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface HttpFailure {
  readonly kind: 'failed';
  /** False: nothing that could be acted on has left this machine. True: it may have been acted on. */
  readonly mayHaveArrived: boolean;
  /** `dns`, `refused-host`, `connect`, `tls`, `timeout`, `connection-lost`, `too-large`, `aborted`, `closed`. */
  readonly code: string;
  readonly reason: string;
}

export interface HttpClient {
  /** Never throws. Redirects are not followed. */
  call(call: HttpCall): Promise<HttpAnswer | HttpFailure>;
  /** Further connections to private networks are refused by the guard, except to these origins (the built-in sandbox). */
  trust(origin: string): void;
  close(): Promise<void>;
}
