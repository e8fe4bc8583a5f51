import { afterAll, beforeAll } from 'vitest';
import { createAudienceFixture } from './testing.ts';
import type { AudienceFixture } from './testing.ts';

/** A contact as the API shows it, as far as tests look. */
export interface Contact {
  readonly id: string;
  readonly externalId: string | null;
  readonly attributes: Record<string, unknown>;
  readonly addresses: {
    readonly id: string;
    readonly kind: string;
    readonly masked: string;
    readonly position: number;
  }[];
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly country: string | null;
  readonly revision: number;
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** The audience for all tests of a file, asked over HTTP with every permission unless told otherwise. */
export function useContacts() {
  const lab = {
    fixture: undefined as unknown as AudienceFixture,
    call: (method: Method, path: string, payload?: object, headers: Record<string, string> = {}) =>
      lab.fixture.app.inject({
        method,
        url: `/api/v1${path}`,
        headers: { authorization: 'test', ...headers },
        ...(payload === undefined ? {} : { payload }),
      }),
    create: async (body: object) => (await lab.call('POST', '/contacts', body)).json<Contact>(),
  };
  beforeAll(async () => {
    lab.fixture = await createAudienceFixture();
  });
  afterAll(() => lab.fixture.close());
  return lab;
}
