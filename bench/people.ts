/** Invented people for measurements: the same ones for the same number. */
const first = [
  'Ada',
  'Bo',
  'Chloé',
  'Dmitri',
  'Eun-ji',
  'Fatima',
  'Göran',
  'Hanako',
  'Ines',
  'Juan',
  'Kofi',
  'Léa',
  'Mehmet',
  'Nora',
  'Olu',
  'Priya',
];
const last = [
  'Andersson',
  'Becker',
  'Costa',
  'Dubois',
  'Eriksen',
  'Fischer',
  'García',
  'Haddad',
  'Ivanov',
  'Jones',
  'Kim',
  'López',
  'Müller',
  'Nguyen',
  'Okafor',
  'Petrov',
];
const cities = ['Berlin', 'Lagos', 'Lyon', 'Madrid', 'Osaka', 'Porto', 'Seoul', 'Vienna'];

const pick = (list: readonly string[], n: number): string => list[n % list.length] ?? '';

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly phone: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly city: string;
  readonly plan: string;
}

export function person(n: number): Person {
  return {
    id: `c-${n}`,
    email: `person.${n}@example.com`,
    // +49 1512 and seven digits: a valid German mobile number for every n below ten million.
    phone: `+491512${String(n % 10_000_000).padStart(7, '0')}`,
    firstName: pick(first, n),
    lastName: pick(last, n * 7 + 3),
    city: pick(cities, n * 5 + 1),
    plan: n % 3 === 0 ? 'pro' : 'free',
  };
}

/** Text/csv in pieces of about 64 kB, so that a million rows never stand in memory. */
export function* csv(rows: number): Generator<string> {
  let piece = 'external_id,email,phone,first_name,last_name,city,plan\n';
  for (let n = 0; n < rows; n++) {
    const one = person(n);
    piece += `${one.id},${one.email},${one.phone},${one.firstName},${one.lastName},${one.city},${one.plan}\n`;
    if (piece.length < 65_536) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}
