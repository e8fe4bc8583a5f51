import type { HttpAnswer, HttpFailure } from '../../../platform/http-client.ts';
import { openSession, SessionFailed } from './session.ts';
import type { Session, SessionDeps, SessionTimes } from './session.ts';

/**
 * The account's one long-lived line to APNs (Apple asks to keep it open, and takes many quick ones for an attack): opened
 * with the first message, and again when the last one has ended or is going away.
 */
export interface Connection {
  /** Waits for room on the line. Never throws. */
  call(headers: Readonly<Record<string, string>>, body: Buffer): Promise<HttpAnswer | HttpFailure>;
  close(): Promise<void>;
}

export function createConnection(origin: URL, deps: Omit<SessionDeps, 'onChange'>, times: SessionTimes): Connection {
  const waiting = new Set<() => void>();
  const ending = new Set<Promise<void>>();
  let session: Session | undefined;
  let opening: Promise<Session> | undefined;

  const onChange = () => {
    for (const wake of waiting) wake();
  };
  const letGo = (old: Session) => {
    const ended = old.close().finally(() => ending.delete(ended));
    ending.add(ended);
  };
  const current = async (): Promise<Session> => {
    if (session !== undefined && !session.isOver()) return session;
    opening ??= openSession(origin, { ...deps, onChange }, times).finally(() => (opening = undefined));
    const opened = await opening;
    if (opened !== session) {
      if (session !== undefined) letGo(session);
      session = opened;
    }
    return opened;
  };
  const withRoom = async (): Promise<Session> => {
    for (;;) {
      const found = await current();
      if (found.room() > 0) return found;
      if (!found.isOver())
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
    }
  };

  return {
    call: async (headers, body) => {
      try {
        return await (await withRoom()).request(headers, body);
      } catch (error) {
        const code = error instanceof SessionFailed ? error.code : 'connect';
        const reason = error instanceof Error ? error.message : String(error);
        return { kind: 'failed', mayHaveArrived: false, code, reason };
      }
    },
    close: async () => {
      if (opening !== undefined) await opening.catch(() => undefined);
      if (session !== undefined) letGo(session);
      await Promise.all(ending);
    },
  };
}
