import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import {
  cancelImport,
  getImport,
  importContacts,
  importErrors,
  importOptions,
  listImports,
  listRefusedRows,
  previewImport,
} from '../../contract/imports.ts';
import type { Db } from '../platform/db.ts';
import { AppError, invalidField } from '../platform/errors.ts';
import { decodeCursor, decodeIdCursor, encodeCursor, route, streamRoute } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';
import { fieldProblems, invalidInput } from '../platform/http-problems.ts';
import type { ObjectStore } from '../platform/objects.ts';
import type { Vault } from '../platform/sealing.ts';
import type { Audience } from './audience.ts';
import { columnNames } from './csv-mapping.rules.ts';
import { refusedRows } from './import-errors.ts';
import type { ImportSettings } from './import.store.ts';
import type { ImportOptions, Preview, UploadParts } from './imports.ts';
import type { AuditPort } from './ports.ts';
import { presentImport } from './present.ts';

export interface ImportRoutesDeps {
  readonly audience: Audience;
  readonly audit: AuditPort;
  readonly objects: ObjectStore;
  readonly vault: Vault;
  readonly importMaxBytes: number;
}

function readOptions(text: string): ImportOptions {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw invalidField('/options', 'is not valid JSON');
  }
  const parsed = importOptions.safeParse(given);
  if (!parsed.success) throw invalidInput(fieldProblems(parsed.error, '/options'));
  return parsed.data;
}

/** A file's name goes into answers and the dashboard, never into a path. */
function cleanName(name: string | undefined): string {
  const plain = (name ?? '').replace(/\p{C}/gu, '').trim().slice(-200);
  return plain === '' ? 'contacts.csv' : plain;
}

function multipartParts(request: FastifyRequest, maxBytes: number): UploadParts {
  return {
    read: async (onFile) => {
      let options: ImportOptions = {};
      let fileName = cleanName(undefined);
      let files = 0;
      // One byte more than is taken: the store refuses with the limit named, the form parser would just cut.
      for await (const part of request.parts({ limits: { fileSize: maxBytes + 1, files: 2 } })) {
        if (part.type === 'field') {
          if (part.fieldname !== 'options')
            throw invalidField(
              `/${part.fieldname.slice(0, 50)}`,
              'is not known here; the form has the parts file and options',
            );
          options = readOptions(String(part.value));
          continue;
        }
        files += 1;
        if (files > 1) throw invalidField('/file', 'may be sent once');
        fileName = cleanName(part.filename);
        await onFile(part.file);
        if (part.file.truncated) throw new AppError('body-too-large', `The file is larger than ${maxBytes} bytes.`);
      }
      return { options, fileName };
    },
  };
}

/** The whole body is the file; everything else is detected. */
function plainParts(body: unknown): UploadParts {
  return {
    read: async (onFile) => {
      if (!(body instanceof Readable))
        throw new AppError(
          'unsupported-media-type',
          'Send multipart/form-data with the part "file", or a text/csv body.',
        );
      await onFile(body);
      return { options: {}, fileName: cleanName(undefined) };
    },
  };
}

/** The form parser's complaints are plain errors; so is a client that goes away in the middle. */
function asBrokenForm(error: unknown): AppError | undefined {
  if (!(error instanceof Error) || error instanceof AppError) return undefined;
  const code = 'code' in error ? error.code : undefined;
  const broke = code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET';
  if (!broke && !/form|multipart|part header|boundary/iu.test(error.message)) return undefined;
  return new AppError('malformed-request', 'The upload broke off, or its form cannot be read.', { cause: error });
}

/**
 * Refusing in the middle of an upload: what is still coming is read and thrown away, or the client would see a
 * broken connection instead of the answer.
 */
async function takeUpload<T>(
  request: FastifyRequest,
  body: unknown,
  maxBytes: number,
  work: (parts: UploadParts) => Promise<T>,
): Promise<T> {
  try {
    const declared = Number(request.headers['content-length'] ?? 0);
    // A form has a few hundred bytes around the file.
    if (declared > maxBytes + 1024 * 1024)
      throw new AppError('body-too-large', `The file is larger than ${maxBytes} bytes.`);
    return await work(request.isMultipart() ? multipartParts(request, maxBytes) : plainParts(body));
  } catch (error) {
    request.raw.unpipe();
    request.raw.resume();
    throw asBrokenForm(error) ?? error;
  }
}

const shownRows = 20;
const cellLength = 200;
const shown = (cell: string) => (cell.length > cellLength ? `${cell.slice(0, cellLength)}…` : cell);

function presentPreview({ shape, columns, warnings }: Preview) {
  const samplesOf = (at: number) =>
    shape.rows
      .map((row) => shown((row[at] ?? '').trim()))
      .filter((cell) => cell !== '')
      .slice(0, 5);
  return {
    delimiter: shape.delimiter,
    encoding: shape.encoding,
    columns: columns.map((column, at) => ({ ...column, samples: samplesOf(at) })),
    rows: shape.rows.slice(0, shownRows).map((row) => columnNames(shape.header).map((_, at) => shown(row[at] ?? ''))),
    warnings: [...warnings],
  };
}

function auditable({ columns, consent, defaultCountry, dryRun, encoding }: ImportSettings) {
  return { columns: columns.map(({ name, field }) => ({ name, field })), consent, defaultCountry, dryRun, encoding };
}

function uploadRoutes({ audience, audit, importMaxBytes }: ImportRoutesDeps): Route[] {
  const { imports } = audience;
  return [
    streamRoute(importContacts, async (call) => {
      const { caller, ip, userAgent, requestId, mintedId: id } = call;
      const upload = { id, workspaceId: caller.workspaceId, requestedBy: caller.name, fileName: '' };
      await takeUpload(call.raw, call.body, importMaxBytes, (parts) =>
        imports.start(upload, parts, async (tx, settings) => {
          const entry = {
            actor: caller,
            ip,
            userAgent,
            requestId,
            action: 'import.started',
            target: { kind: 'import', id },
          };
          await audit.record(tx, { ...entry, after: auditable(settings) });
        }),
      );
      return { id, state: 'running' as const };
    }),
    streamRoute(previewImport, async (call) =>
      presentPreview(
        await takeUpload(call.raw, call.body, importMaxBytes, (parts) =>
          imports.preview(call.caller.workspaceId, parts),
        ),
      ),
    ),
  ];
}

export function importRoutes(deps: ImportRoutesDeps): Route[] {
  const { audience, audit, objects } = deps;
  const { imports } = audience;
  return [
    ...uploadRoutes(deps),
    route(listImports, async (tx, call) => {
      const { limit, cursor, state } = call.query;
      const after = decodeIdCursor(cursor);
      const rows = await imports.list(tx, { state, after, limit: limit + 1 });
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      return { data: page.map(presentImport), nextCursor: last === undefined ? null : encodeCursor(last.id) };
    }),
    route(getImport, async (tx, call) => presentImport(await imports.get(tx, call.params.id))),
    route(cancelImport, async (tx, call) => {
      const { caller, ip, userAgent, requestId } = call;
      const row = await imports.cancel(tx, call.params.id);
      await audit.record(tx, {
        actor: caller,
        ip,
        userAgent,
        requestId,
        action: 'import.cancelled',
        target: { kind: 'import', id: row.id },
      });
      return presentImport(row);
    }),
    route(listRefusedRows, async (tx, call) => {
      const { limit, cursor } = call.query;
      const [after = '0'] = decodeCursor(cursor, 'count') ?? [];
      const rows = await imports.rejections(tx, call.params.id, Number(after), limit + 1);
      const data = rows.slice(0, limit);
      const last = rows.length > limit ? data.at(-1) : undefined;
      return { data, nextCursor: last === undefined ? null : encodeCursor(last.line) };
    }),
    streamRoute(importErrors, async (call, db: Db) => {
      const { workspaceId } = call.caller;
      const row = await db.read(workspaceId, (tx) => imports.get(tx, call.params.id));
      await call.reply
        .header('content-type', 'text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="import-${row.id}-refused.csv"`)
        .header('cache-control', 'no-store')
        .send(Readable.from(refusedRows(db, objects, workspaceId, row)));
    }),
  ];
}
