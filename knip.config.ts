import type { KnipConfig } from 'knip';

export default {
  entry: [
    'server/main.ts',
    'server/**/*.worker.ts',
    // The HTTP contract is for clients outside this repository too.
    'contract/*.ts',
    'bench/*.ts',
    'tools/*.{ts,mjs}',
    'test/**/*.ts',
  ],
  project: [
    'server/**/*.ts',
    'contract/**/*.ts',
    'web/**/*.{ts,tsx}',
    'bench/**/*.ts',
    'tools/**/*.{ts,mjs}',
    'test/**/*.ts',
    'db/*.ts',
  ],
  // Row types exist for every table, read or not.
  ignore: ['db/types.ts'],
  // `node` is the runtime itself, run by path.
  ignoreDependencies: ['node'],
  ignoreExportsUsedInFile: true,
} satisfies KnipConfig;
