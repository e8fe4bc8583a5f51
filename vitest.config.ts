import { defineConfig } from 'vitest/config';

const hour = 3_600_000;

/** One PostgreSQL for the whole run; each test file clones the migrated template database from it. */
const globalSetup = ['server/platform/testing.global.ts'];

export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    // Parley is developed on laptops with two cores in mind: PostgreSQL needs its share of them.
    maxWorkers: 2,
    // Files that no test loads count too; what a server started as a process of its own runs does not.
    coverage: {
      provider: 'v8',
      include: ['server/**/*.ts'],
      exclude: ['server/**/*.test.ts', 'server/**/testing*.ts'],
      reporter: ['text', 'text-summary', 'json-summary', 'html'],
      reportOnFailure: true,
      thresholds: { lines: 85 },
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'code',
          include: [
            'server/**/*.test.ts',
            'contract/**/*.test.ts',
            'web/**/*.test.ts',
            'tools/**/*.test.ts',
            'bench/**/*.test.ts',
            'test/*.test.ts',
          ],
          globalSetup,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      // The slow ones come after the others, one file at a time: they start whole servers of their own.
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'crash',
          include: ['test/crash/**/*.test.ts'],
          testTimeout: hour,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'load',
          include: ['test/load/**/*.test.ts'],
          testTimeout: hour,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
