/** A program that uses Parley as any other would: over its public API. */
export interface Client {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  patch<T>(path: string, body: unknown): Promise<T>;
}

export function createClient(url: string, key: string): Client {
  const send = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const isForm = body instanceof FormData;
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 400)}`);
    // The caller names the shape the route answers with.
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
  return {
    get: (path) => send('GET', path),
    post: (path, body) => send('POST', path, body),
    patch: (path, body) => send('PATCH', path, body),
  };
}

/** Asks again until `read` gives something; gives up after two minutes. */
export async function until<T>(read: () => Promise<T | undefined>, everyMs = 200): Promise<T> {
  for (const end = performance.now() + 120_000; ;) {
    const value = await read();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error('It took more than two minutes.');
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Works through a list, several at a time. */
export async function each<T>(list: readonly T[], atOnce: number, work: (one: T) => Promise<unknown>): Promise<void> {
  const rest = list.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const one of rest) await work(one);
    }),
  );
}
