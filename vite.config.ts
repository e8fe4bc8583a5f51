import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The dashboard: sources in web/, built into dist/web, which the server serves. */
export default defineConfig({
  root: join(import.meta.dirname, 'web'),
  plugins: [react()],
  build: {
    outDir: join(import.meta.dirname, 'dist', 'web'),
    emptyOutDir: true,
    // No inline script: the server's content security policy allows none.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
  },
  server: {
    host: '127.0.0.1',
    // `vite` beside `npm start` for work on the dashboard.
    proxy: Object.fromEntries(['/api', '/t', '/u', '/p', '/docs'].map((path) => [path, 'http://127.0.0.1:3000'])),
  },
});
