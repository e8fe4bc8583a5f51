import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/** What lies between the workers and the provider, and what can happen to it. */
export interface Wire {
  readonly port: number;
  /** Resets every connection (RST); the provider keeps what it took, nobody hears of it. Answers how many. */
  cut(): number;
  /** No byte goes in either direction until `resume`; connections stay open and new ones are taken. */
  hang(): void;
  resume(): void;
  close(): Promise<void>;
}

interface Line {
  readonly near: Socket;
  readonly far: Socket;
}

/** `delayMs`: so long the provider's answers are under way. */
export async function openWire(toPort: number, delayMs: number): Promise<Wire> {
  const lines = new Set<Line>();
  let hangs = false;
  const held: (() => void)[] = [];
  const pass = (to: Socket, chunk: Buffer) => {
    const write = () => void (to.destroyed || to.write(chunk));
    if (hangs) held.push(write);
    else write();
  };
  const server = createServer((near) => {
    const far = connect(toPort, '127.0.0.1');
    const line = { near, far };
    lines.add(line);
    near.setNoDelay(true);
    far.setNoDelay(true);
    // Answers in their order: each waits at least as long as the one before it, since all wait equally long.
    near.on('data', (chunk: Buffer) => pass(far, chunk));
    far.on('data', (chunk: Buffer) => {
      setTimeout(() => pass(near, chunk), delayMs);
    });
    const end = () => {
      lines.delete(line);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', end).on('close', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut: () => {
      const cut = [...lines];
      for (const { near, far } of cut) {
        near.resetAndDestroy();
        far.resetAndDestroy();
      }
      return cut.length;
    },
    hang: () => void (hangs = true),
    resume: () => {
      hangs = false;
      for (const write of held.splice(0)) write();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const { near, far } of lines) {
          near.destroy();
          far.destroy();
        }
      }),
  };
}
