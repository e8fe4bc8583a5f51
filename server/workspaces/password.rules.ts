/**
 * NIST SP 800-63B, 3.1.1.2: length counts, composition rules do not; what is on everybody's list, or is the account's own
 * name, is refused. The list is short on purpose: attempts are limited, so only the first few guesses matter.
 */
export const shortestPassword = 12;
export const longestPassword = 200;

const commonWords = new Set([
  'password',
  'passwort',
  'motdepasse',
  'contrasena',
  'passwordpassword',
  'passphrase',
  'changeme',
  'changemeplease',
  'changemenow',
  'letmein',
  'letmeinplease',
  'letmeinnow',
  'welcome',
  'welcometo',
  'welcomeback',
  'iloveyou',
  'iloveyouforever',
  'administrator',
  'administration',
  'admin',
  'adminadmin',
  'adminpassword',
  'rootroot',
  'superuser',
  'supersecret',
  'secretsecret',
  'topsecret',
  'mypassword',
  'thisismypassword',
  'defaultpassword',
  'testpassword',
  'testtest',
  'testtesttest',
  'qwerty',
  'qwertyuiop',
  'qwertyqwerty',
  'qwertzuiop',
  'azertyuiop',
  'qazwsxedcrfv',
  'asdfghjkl',
  'asdfghjklasd',
  'zxcvbnm',
  'qwertyuiopasdfghjkl',
  'onetwothreefour',
  'trustno',
  'monkeymonkey',
  'dragondragon',
  'sunshine',
  'princess',
  'football',
  'baseball',
  'superman',
  'starwars',
  'whatever',
  'parley',
  'parleyparley',
]);

const sequences = [
  '01234567890123456789',
  'abcdefghijklmnopqrstuvwxyz',
  '1q2w3e4r5t6y7u8i9o0p',
  '1qaz2wsx3edc4rfv5tgb',
];
const reversed = sequences.map((sequence) => [...sequence].toReversed().join(''));

/** Why a password is refused, in words for the person; undefined when it will do. */
export function weakness(password: string, email: string): string | undefined {
  if ([...password].length < shortestPassword) return `must have at least ${shortestPassword} characters`;
  if (password.length > longestPassword) return `must have at most ${longestPassword} characters`;
  const plain = password.normalize('NFKC').toLowerCase();
  const bare = plain.replaceAll(/[^\p{L}\p{N}]/gu, '');
  const address = email.toLowerCase();
  const local = address.split('@', 1)[0] ?? '';
  if (
    plain.includes(address) ||
    (local.length >= 4 && bare.replaceAll(/\d/g, '') === local.replaceAll(/[^\p{L}]/gu, ''))
  )
    return 'must not be made of your e-mail address';
  if (new Set(plain).size < 5) return 'must not repeat the same few characters';
  if (
    [...sequences, ...reversed].some(
      (sequence) => sequence.includes(bare) || bare.includes(sequence.slice(0, shortestPassword)),
    )
  )
    return 'must not be a row of the keyboard or the alphabet';
  if (isCommon(bare)) return 'is among the first that are tried; take a few words of your own';
  return undefined;
}

/** A common word with digits around it is as common as the word. */
function isCommon(bare: string): boolean {
  const unleet = bare.replaceAll('0', 'o').replaceAll('@', 'a').replaceAll('3', 'e').replaceAll('$', 's');
  return [bare, unleet].some((text) => commonWords.has(text.replaceAll(/^\d+|\d+$/g, '')) || commonWords.has(text));
}
