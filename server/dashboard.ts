import fastifyStatic from '@fastify/static';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';

export const dashboardFolder = join(import.meta.dirname, '../dist/web');

/** Scripts only from here; images from anywhere over https, since e-mail previews show the sender's own; frames are previews (srcdoc). */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob: https: http:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves the built dashboard: files by name (hashed ones for ever), every other page that a browser asks for is the app. */
export async function serveDashboard(app: FastifyInstance, folder = dashboardFolder): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) return;
  await app.register(fastifyStatic, {
    root: folder,
    prefix: '/',
    index: false,
    wildcard: false,
    setHeaders: (reply, path) => {
      void reply.header(
        'cache-control',
        path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      );
    },
  });
  app.get('/*', { exposeHeadRoute: true }, async (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '/';
    const isPage =
      !path.startsWith('/api/') &&
      !/\.[a-z0-9]+$/i.test(path) &&
      (request.headers.accept ?? '*/*').includes('text/html');
    if (!isPage && path !== '/') return reply.callNotFound();
    return reply
      .header('content-security-policy', contentSecurityPolicy)
      .header('cache-control', 'no-cache')
      .sendFile('index.html');
  });
}
