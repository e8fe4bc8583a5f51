import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Builds the dashboard. No dev server: the server of Parley serves `dist/web`. Nothing inline, as its CSP demands. */
export default defineConfig({
  root: 'web',
  plugins: [react()],
  build: { outDir: '../dist/web', emptyOutDir: true, assetsInlineLimit: 0, target: 'es2023', reportCompressedSize: true },
});
