import type { LightMyRequestResponse } from 'fastify';
import type { AudienceFixture } from './testing.ts';

/** An import as the API shows it. */
export interface Progress {
  readonly id: string;
  readonly state: string;
  readonly rowsRead: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly failure: string | null;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface FoundContact {
  readonly id: string;
  readonly attributes: Record<string, unknown>;
  readonly addresses: { readonly kind: string; readonly masked: string }[];
}

export const boundary = 'parley-test-boundary';
export const formHeaders = { authorization: 'test', 'content-type': `multipart/form-data; boundary=${boundary}` };

const part = (disposition: string, content: Buffer | string) =>
  Buffer.concat([
    Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);

/** A multipart body with a file and, when given, options before or after it. */
export function form(file: Buffer | string, options?: unknown, optionsFirst = false): Buffer {
  const filePart = part('name="file"; filename="people.csv"', file);
  const optionsPart = options === undefined ? Buffer.alloc(0) : part('name="options"', JSON.stringify(options));
  const parts = optionsFirst ? [optionsPart, filePart] : [filePart, optionsPart];
  return Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
}

export const counts = ({ state, created, updated, unchanged, rejected }: Progress) => {
  return { state, created, updated, unchanged, rejected };
};

/** What tests of imports do again and again, over HTTP. */
export function createDesk(fixture: () => AudienceFixture) {
  const authorization = 'test';
  const ask = (path: string) =>
    fixture().app.inject({ method: 'GET', url: `/api/v1${path}`, headers: { authorization } });
  const get = async <T>(path: string): Promise<T> => (await ask(path)).json<T>();
  const upload = (
    file: Buffer | string,
    options?: unknown,
    path = '/contacts/import',
  ): Promise<LightMyRequestResponse> =>
    fixture().app.inject({ method: 'POST', url: `/api/v1${path}`, headers: formHeaders, payload: form(file, options) });
  return {
    get,
    text: async (path: string) => (await ask(path)).body,
    upload,
    /** Uploads, runs and answers how it went. */
    run: async (file: Buffer | string, options?: unknown): Promise<Progress> => {
      const answer = await upload(file, options);
      if (answer.statusCode !== 202) throw new Error(`${answer.statusCode} ${answer.body}`);
      await fixture().work();
      return get(`/imports/${answer.json<{ id: string }>().id}`);
    },
    findOne: async (q: string): Promise<FoundContact> => {
      const { data } = await get<{ data: FoundContact[] }>(`/contacts?q=${encodeURIComponent(q)}`);
      const [one] = data;
      if (one === undefined) throw new Error(`nobody has ${q}`);
      return one;
    },
    reveal: async (id: string) => {
      const url = `/api/v1/contacts/${id}/reveal`;
      const payload = { reason: 'test' };
      const answer = await fixture().app.inject({ method: 'POST', url, headers: { authorization }, payload });
      return answer.json<{ addresses: { kind: string; value: string }[] }>().addresses;
    },
    countContacts: async () => {
      const rows = await fixture().test.read((tx) =>
        tx.query<{ n: number }>('select count(*) as n from contact where workspace_id = $1', [tx.workspaceId]),
      );
      return rows[0]?.n ?? 0;
    },
  };
}
