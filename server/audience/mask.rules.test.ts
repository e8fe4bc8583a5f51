import { expect, test } from 'vitest';
import { maskAddress } from './mask.rules.ts';

test('a mask shows where an address belongs and not whose it is', () => {
  expect(maskAddress('email', 'jane.doe@example.com')).toBe('j•••@example.com');
  expect(maskAddress('email', 'j@example.com')).toBe('•••@example.com');
  expect(maskAddress('phone', '+4915123456789', 'DE')).toBe('+49•••••789');
  expect(maskAddress('phone', '+35312345678', 'IE')).toBe('+353•••••678');
  expect(maskAddress('push', 'fcm:abcdefghijklmnop')).toBe('fcm:•••mnop');
  expect(maskAddress('push', 'apns:abcdefgh')).toBe('apns:•••');
  expect(maskAddress('push', 'webpush:{"endpoint":"https://push.example/secret/path","keys":{}}')).toBe(
    'webpush:•••push.example',
  );
  expect(maskAddress('push', 'abcdefghijklmnop')).toBe('•••mnop');
});
