import { describe, expect, it } from 'vitest';
import { findProblems } from './rules.ts';
import { readSource } from './source.ts';

const slices = ['campaigns', 'delivery', 'channels', 'audience', 'platform'];

/** What the checks say of a tree, given as path and text. */
function problemsOf(tree: Record<string, string>): string[] {
  const files = Object.entries(tree).map(([path, text]) =>
    readSource(path, text, (target) => (target in tree ? target : undefined)),
  );
  return findProblems({ files, slices, tables: new Set(['contact', 'message']) });
}

describe('the order of the slices', () => {
  it('lets a slice enter the slices below it by their front doors, and platform anywhere', () => {
    expect(
      problemsOf({
        'server/audience/index.ts': 'export const a = 1;',
        'server/platform/db.ts': 'export const db = 1;',
        'contract/contacts.ts': 'export const c = 1;',
        'server/delivery/index.ts': `import { a } from '../audience/index.ts'; import { db } from '../platform/db.ts'; import { c } from '../../contract/contacts.ts'; export const x = [a, db, c];`,
      }),
    ).toEqual([]);
  });

  it('refuses an import of a slice above, a mere type too', () => {
    const tree = { 'server/campaigns/index.ts': 'export interface C { id: string }' };
    const upward = (statement: string) => problemsOf({ ...tree, 'server/delivery/plan.ts': `${statement}\n` });
    const complaint = expect.stringContaining(
      'server/delivery/plan.ts:1  imports server/campaigns/index.ts: campaigns lies above delivery',
    );
    expect(upward(`import type { C } from '../campaigns/index.ts'; export type D = C;`)).toEqual([complaint]);
    expect(upward(`export * from '../campaigns/index.ts';`)).toEqual([complaint]);
    expect(upward(`export const load = () => import('../campaigns/index.ts');`)).toEqual([complaint]);
    expect(upward(`export type D = import('../campaigns/index.ts').C;`)).toEqual([complaint]);
  });

  it('refuses a way into another slice past its front door', () => {
    expect(
      problemsOf({
        'server/audience/store.ts': 'export const s = 1;',
        'server/delivery/plan.ts': `import { s } from '../audience/store.ts'; export const p = s;`,
      }),
    ).toEqual([expect.stringContaining('front door, server/audience/index.ts')]);
  });

  it('refuses a folder that the order does not name', () => {
    expect(problemsOf({ 'server/helpers/a.ts': 'export const a = 1;' })).toEqual([
      expect.stringContaining('server/helpers is not a slice'),
    ]);
  });

  it('keeps slices from the files that wire them, except in their tests', () => {
    const tree = { 'server/compose.ts': 'export const compose = 1;' };
    const text = `import { compose } from '../compose.ts'; export const c = compose;`;
    expect(problemsOf({ ...tree, 'server/delivery/plan.ts': text })).toEqual([
      expect.stringContaining('wired by compose.ts'),
    ]);
    expect(problemsOf({ ...tree, 'server/delivery/plan.test.ts': text })).toEqual([]);
  });

  it('lets tests use what a lower slice offers to tests, and nothing else of it', () => {
    const tree = {
      'server/audience/testing.ts': 'export const t = 1;',
      'server/audience/store.ts': 'export const s = 1;',
    };
    const using = (path: string, file: string) =>
      problemsOf({ ...tree, [path]: `import * as all from '../audience/${file}'; export const a = all;` });
    expect(using('server/delivery/plan.test.ts', 'testing.ts')).toEqual([]);
    expect(using('server/delivery/testing.ts', 'testing.ts')).toEqual([]);
    expect(using('server/delivery/plan.ts', 'testing.ts')).toEqual([expect.stringContaining('front door')]);
    expect(using('server/delivery/plan.test.ts', 'store.ts')).toEqual([expect.stringContaining('front door')]);
  });

  it('lets the dashboard see the contract only, and the contract nothing', () => {
    const tree = { 'server/platform/ids.ts': 'export const id = 1;', 'contract/a.ts': 'export const a = 1;' };
    expect(problemsOf({ ...tree, 'web/ok.ts': `import { a } from '../contract/a.ts'; export const b = a;` })).toEqual(
      [],
    );
    expect(
      problemsOf({ ...tree, 'web/bad.ts': `import { id } from '../server/platform/ids.ts'; export const b = id;` }),
    ).toEqual([expect.stringContaining('web/ sees contract/ only')]);
    expect(
      problemsOf({
        ...tree,
        'contract/bad.ts': `import { id } from '../server/platform/ids.ts'; export const b = id;`,
      }),
    ).toEqual([expect.stringContaining('contract/ stands on its own')]);
    expect(problemsOf({ 'contract/bad.ts': `import fs from 'node:fs'; export const b = fs;` })).toEqual([
      expect.stringContaining('runs in browsers too'),
    ]);
  });
});

describe('providers', () => {
  const provider = {
    'server/channels/port.ts': 'export interface Port { name: string }',
    'server/channels/email/smtp/send.ts': `import type { Port } from '../../port.ts'; export const smtp: Port = { name: 'smtp' };`,
  };

  it('are imported by the registry alone', () => {
    const text = `import { smtp } from './email/smtp/send.ts'; export const all = [smtp];`;
    expect(problemsOf({ ...provider, 'server/channels/registry.ts': text })).toEqual([]);
    expect(problemsOf({ ...provider, 'server/channels/accounts.ts': text })).toEqual([
      expect.stringContaining('only channels/registry.ts imports a provider'),
    ]);
  });

  it('know the port, platform and what their channel shares, not the slice around them', () => {
    expect(
      problemsOf({
        ...provider,
        'server/channels/store.ts': 'export const store = 1;',
        'server/channels/email/mime.ts': 'export const mime = 1;',
        'server/channels/email/ses/send.ts': `import { mime } from '../mime.ts'; import { store } from '../../store.ts'; export const s = [mime, store];`,
      }),
    ).toEqual([expect.stringMatching(/ses\/send.ts:1 {2}imports server\/channels\/store.ts: a provider imports/)]);
  });

  it('share across channels what is named for it, which knows no more of the slice than they do', () => {
    const shared = {
      ...provider,
      'server/channels/store.ts': 'export const store = 1;',
      'server/channels/account.rules.ts': 'export const account = 1;',
      'server/channels/outcome.rules.ts': 'export const outcome = 1;',
      'server/channels/twilio.ts': `import { outcome } from './outcome.rules.ts'; export const twilio = outcome;`,
      'server/channels/twilio.rules.ts': 'export const sign = 1;',
      'server/channels/whatsapp/twilio/send.ts': `import { twilio } from '../../twilio.ts'; import { sign } from '../../twilio.rules.ts'; import { outcome } from '../../outcome.rules.ts'; export const s = [twilio, sign, outcome];`,
    };
    expect(problemsOf(shared)).toEqual([]);
    expect(
      problemsOf({
        ...shared,
        'server/channels/aws.ts': `import { store } from './store.ts'; export const aws = store;`,
        'server/channels/sms/sns/send.ts': `import { account } from '../../account.rules.ts'; export const s = account;`,
      }),
    ).toEqual([
      expect.stringMatching(/channels\/aws.ts:1 {2}imports server\/channels\/store.ts: what providers of several/),
      expect.stringMatching(/sns\/send.ts:1 {2}imports server\/channels\/account.rules.ts: a provider imports/),
    ]);
  });
});

describe('rules files', () => {
  it.each([
    ['the clock', `export const now = () => Temporal.Now.instant();`, 'Temporal.Now'],
    ['the date', `export const now = () => new Date();`, 'new Date()'],
    ['chance', `export const roll = () => Math.random();`, 'Math.random'],
    ['random bytes', `import { randomBytes } from 'node:crypto'; export const r = randomBytes;`, 'node:crypto'],
    ['settings', `export const home = process.env['HOME'];`, 'process.env'],
    ['files', `import { readFileSync } from 'node:fs'; export const r = readFileSync;`, 'node:fs'],
    ['the database', `import pg from 'pg'; export const p = pg;`, 'imports pg'],
    ['the network', `export const get = (url: string) => fetch(url);`, 'fetch()'],
  ])('must not read %s', (_, text, what) => {
    expect(problemsOf({ 'server/delivery/gate.rules.ts': text })).toEqual([expect.stringContaining(what)]);
  });

  it('may hash, recognise an IP address, and read a date that was passed in', () => {
    const text = `import { isIP } from 'node:net'; import { createHash } from 'node:crypto'; export const day = (at: string) => createHash('sha256').update(new Date(at).toISOString()).digest(); export const ip = isIP;`;
    expect(problemsOf({ 'server/delivery/gate.rules.ts': text })).toEqual([]);
  });

  it('are judged by what they load too, but not by the types they name', () => {
    const clock = {
      'server/delivery/time.ts': `import { readFileSync } from 'node:fs'; export interface T { at: number } export const r = readFileSync;`,
    };
    const load = `import { r } from './time.ts'; export const x = r;`;
    const name = `import type { T } from './time.ts'; export type X = T;`;
    expect(problemsOf({ ...clock, 'server/delivery/gate.rules.ts': load })).toEqual([
      expect.stringContaining('server/delivery/time.ts:1, which it loads, imports node:fs'),
    ]);
    expect(problemsOf({ ...clock, 'server/delivery/gate.rules.ts': name })).toEqual([]);
  });
});

describe('tables', () => {
  it('are written in a store', () => {
    const text = 'export const sql = `insert into contact (id) values ($1)`;';
    expect(problemsOf({ 'server/audience/store.ts': text, 'server/audience/import.store.ts': text })).toEqual([]);
    expect(problemsOf({ 'server/audience/import.ts': text })).toEqual([
      expect.stringContaining('writes table contact'),
    ]);
  });

  it('are written by one slice only, whichever way it is said', () => {
    const own = { 'server/audience/store.ts': `export const sql = 'delete from contact where id = $1';` };
    const foreign = (text: string) => problemsOf({ ...own, 'server/delivery/store.ts': text });
    const complaint = expect.stringContaining('table contact is written in more than one slice');
    expect(foreign('export const sql = `update contact c\n set name = ${1}`;')).toEqual([complaint]);
    expect(foreign(`export const run = (k: any) => k.updateTable('contact as c').execute();`)).toEqual([complaint]);
    expect(foreign(`export const sql = 'select * from contact for update';`)).toEqual([]);
    expect(
      foreign(`export const sql = 'insert into message values ($1) on conflict (id) do update set x = 1';`),
    ).toEqual([]);
  });
});

describe('clock, settings and cycles', () => {
  it('lets only the clock read the time and only the configuration read the environment', () => {
    expect(problemsOf({ 'server/platform/clock.ts': 'export const now = Temporal.Now.instant();' })).toEqual([]);
    expect(problemsOf({ 'server/delivery/a.ts': 'export const now = Date.now();' })).toEqual([
      expect.stringContaining('take a Clock'),
    ]);
    expect(problemsOf({ 'server/config.ts': `export const port = process.env['PORT'];` })).toEqual([]);
    expect(problemsOf({ 'server/delivery/a.ts': `export const port = process.env['PORT'];` })).toEqual([
      expect.stringContaining('hands on typed settings'),
    ]);
  });

  it('names the files of an import cycle once, from the first by name, types included', () => {
    expect(
      problemsOf({
        'server/delivery/c.ts': `import { a } from './a.ts'; export const c = a;`,
        'server/delivery/b.ts': `import { c } from './c.ts'; export const b = c;`,
        'server/delivery/a.ts': `import type { b } from './b.ts'; export type B = typeof b; export const a = 1;`,
        'server/delivery/d.ts': `import { a } from './a.ts'; export const d = a;`,
      }),
    ).toEqual([
      'import cycle: server/delivery/a.ts -> server/delivery/b.ts -> server/delivery/c.ts -> server/delivery/a.ts',
    ]);
  });
});
