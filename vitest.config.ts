import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['server/**/*.test.ts', 'contract/**/*.test.ts', 'tools/**/*.test.ts', 'test/*.test.ts'],
    globalSetup: ['server/platform/testing.global.ts'],
    pool: 'forks',
    maxWorkers: 2,
  },
});
