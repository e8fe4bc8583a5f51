import { describe, expect, test } from 'vitest';
import { detectDelimiter, detectEncoding, parseRows, sniff } from './sniff.rules.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const utf16le = (text: string, mark = true) => {
  const bytes = new Uint8Array(Buffer.from(text, 'utf16le'));
  return mark ? new Uint8Array([0xff, 0xfe, ...bytes]) : bytes;
};

describe('the start of a file', () => {
  test('a quoted delimiter, quote and line break stay inside their cell', () => {
    expect(parseRows('a,b\r\n"x, y","say ""hi""\nthere"\r\n', ',', 10)).toEqual([
      ['a', 'b'],
      ['x, y', 'say "hi"\nthere'],
    ]);
  });

  test.each(['\n', '\r\n', '\r'])('lines may end with %j', (end) => {
    expect(parseRows(['a;b', '1;2', ''].join(end), ';', 10)).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ]);
  });

  test.each([
    ['comma', 'email,name\na@example.com,"Lee; Ann"\n', ','],
    ['semicolon', 'email;name\na@example.com;"Lee, Ann"\n', ';'],
    ['tab', 'email\tname, first\na@example.com\tAnn\n', '\t'],
  ])('the delimiter is found: %s', (_name, text, delimiter) => {
    expect(detectDelimiter(text)).toBe(delimiter);
  });

  test('encodings are told apart by mark or by content', () => {
    expect(detectEncoding(utf8('e-mail,Vorname\nä@example.com,Jürgen'))).toBe('utf-8');
    expect(detectEncoding(new Uint8Array([0x4a, 0xfc, 0x72, 0x67]))).toBe('windows-1252');
    expect(detectEncoding(utf16le('email,name'))).toBe('utf-16le');
    expect(detectEncoding(utf16le('email,name', false))).toBe('utf-16le');
  });

  test('a character cut in two by the end of the sample does not make UTF-8 look like something else', () => {
    expect(detectEncoding(utf8('name\nJürgen').slice(0, 7))).toBe('utf-8');
  });

  test('header and samples come out, whatever the encoding', () => {
    expect(sniff(utf16le('email;city\nx@example.com;Köln\n'))).toEqual({
      encoding: 'utf-16le',
      delimiter: ';',
      columns: ['email', 'city'],
      rows: [['x@example.com', 'Köln']],
    });
  });

  test('a zip called .csv, an empty file and a lone header are refused with a reason', () => {
    expect(sniff(new Uint8Array([0x50, 0x4b, 3, 4, 20, 0]))).toBe('binary');
    expect(sniff(new Uint8Array())).toBe('empty');
    expect(sniff(utf8('email,name\n'))).toBe('no-rows');
    expect(sniff(utf8(`${'a,'.repeat(5000)}\n1\n`))).toBe('too-many-columns');
  });
});
