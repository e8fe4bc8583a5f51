import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countSegments } from './sms-segments.ts';

describe('a text in the GSM alphabet', () => {
  it.each([
    ['', 0],
    ['Hello', 1],
    ['a'.repeat(160), 1],
    ['a'.repeat(161), 2],
    ['a'.repeat(306), 2],
    ['a'.repeat(307), 3],
    ['a'.repeat(459), 3],
    ['a'.repeat(460), 4],
    ['a'.repeat(1600), 11],
    ['äöüÄÖÜßñÑàèéìòù@£$¥§¿¡', 1],
    ['ΔΦΓΛΩΠΨΣΘΞ', 1],
    ['line\r\nbreaks', 1],
  ])('%#: takes the known number of parts', (text, count) => {
    expect(countSegments(text)).toMatchObject({ encoding: 'gsm7', count, outside: [] });
  });

  it.each(['^', '{', '}', '\\', '[', '~', ']', '|', '€', '\f'])('counts %j of the extension table twice', (one) => {
    expect(countSegments(one.repeat(80))).toMatchObject({ encoding: 'gsm7', length: 160, count: 1, left: 0 });
    expect(countSegments(one.repeat(81))).toMatchObject({ length: 162, count: 2 });
  });

  it('does not tear an escape from its character', () => {
    // 152 + € would fill 154 of 153: the € goes into the second part, and its 153rd place stays empty.
    expect(countSegments(`${'a'.repeat(152)}€${'a'.repeat(151)}`)).toMatchObject({ length: 305, count: 2, left: 0 });
    expect(countSegments(`${'a'.repeat(152)}€${'a'.repeat(152)}`)).toMatchObject({ length: 306, count: 3 });
  });
});

describe('a text outside of it', () => {
  it.each([
    ['ж', 1],
    ['ж'.repeat(70), 1],
    ['ж'.repeat(71), 2],
    ['ж'.repeat(134), 2],
    ['ж'.repeat(135), 3],
    ['👍'.repeat(35), 1],
    ['👍'.repeat(36), 2],
    // 67 is odd: the 34th pair does not fit into the first part.
    ['👍'.repeat(66), 2],
    ['👍'.repeat(67), 3],
  ])('%#: takes the known number of parts', (text, count) => {
    expect(countSegments(text)).toMatchObject({ encoding: 'ucs2', count });
  });

  it('says which characters cost the more', () => {
    expect(countSegments(`It’s “${'a'.repeat(100)}” ç`)).toMatchObject({
      encoding: 'ucs2',
      count: 2,
      outside: ['’', '“', '”', 'ç'],
    });
  });
});

it('whatever the text, its parts hold it and none more would be needed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), (text) => {
      const { count, length, perSegment, left } = countSegments(text);
      expect(count * perSegment).toBeGreaterThanOrEqual(length);
      // Each part but the last wastes one place at the most.
      expect((count - 1) * (perSegment - 1)).toBeLessThanOrEqual(length);
      expect(left).toBeGreaterThanOrEqual(0);
      expect(left).toBeLessThanOrEqual(perSegment);
    }),
  );
});
