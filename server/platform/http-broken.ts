import type { Socket } from 'node:net';
import { errorKind } from './errors.ts';

/** What Node's parser could not read as HTTP: there is no request to answer through, so the answer is written by hand. */
const byParserCode: Readonly<Record<string, [code: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'The headers are larger than 16 kB.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'The request did not arrive whole in time.'],
};

export function answerBroken(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const [code, detail] = byParserCode[error.code ?? ''] ?? ['malformed-request', 'This is not HTTP.'];
  const { status, title } = errorKind(code);
  const body = JSON.stringify({ type: `urn:parley:problem:${code}`, title, status, detail, code });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
