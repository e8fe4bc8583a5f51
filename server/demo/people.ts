/** Invented people of the demo: several tongues, example.com addresses, and the mistakes real files have. */
interface Locale {
  readonly locale: string;
  readonly country: string;
  readonly zone: string;
  readonly first: readonly string[];
  readonly last: readonly string[];
  readonly cities: readonly string[];
}

const locales: readonly Locale[] = [
  {
    locale: 'en-GB',
    country: 'GB',
    zone: 'Europe/London',
    first: ['Olivia', 'Noah', 'Amelia', 'George', 'Isla'],
    last: ['Smith', "O'Neill", 'Patel', 'Walker'],
    cities: ['Leeds', 'Bristol', 'York'],
  },
  {
    locale: 'de-DE',
    country: 'DE',
    zone: 'Europe/Berlin',
    first: ['Jürgen', 'Anneliese', 'Mehmet', 'Käthe', 'Lukas'],
    last: ['Müller', 'Groß', 'Yılmaz', 'Schäfer'],
    cities: ['Köln', 'Berlin', 'Gießen'],
  },
  {
    locale: 'fr-FR',
    country: 'FR',
    zone: 'Europe/Paris',
    first: ['Zoé', 'François', 'Inès', 'Gaël'],
    last: ['Lefèvre', 'Benoît', "D'Arcy"],
    cities: ['Orléans', 'Lyon', 'Nîmes'],
  },
  {
    locale: 'es-MX',
    country: 'MX',
    zone: 'America/Mexico_City',
    first: ['José', 'Sofía', 'Íñigo', 'María'],
    last: ['Núñez', 'García', 'Muñoz'],
    cities: ['Mérida', 'León', 'Querétaro'],
  },
  {
    locale: 'ja-JP',
    country: 'JP',
    zone: 'Asia/Tokyo',
    first: ['さくら', '翔太', '美咲'],
    last: ['佐藤', '鈴木', '高橋'],
    cities: ['大阪', '札幌', '京都'],
  },
];

const header = 'customer_no,e-mail,first_name,last_name,city,plan,locale,time_zone,country\n';

/** Contact rows that are good, and of what kinds the others are. */
export interface DemoFile {
  readonly text: string;
  readonly good: number;
  readonly duplicates: number;
  readonly malformed: number;
}

function pick<T>(list: readonly T[], n: number): T {
  const one = list[n % list.length];
  if (one === undefined) throw new Error('an empty list');
  return one;
}

export const addressOf = (n: number): string => `friend.${n}@example.com`;

function row(n: number, email = addressOf(n)): string {
  const { locale, country, zone, first, last, cities } = pick(locales, n);
  const city = pick(cities, n * 7);
  // A comma in every fiftieth city shows that quoting is understood.
  const quoted = n % 50 === 0 ? `"${city}, ${country}"` : city;
  return `D-${n},${email},${pick(first, n * 3 + 1)},${pick(last, n * 5 + 2)},${quoted},${n % 4 === 0 ? 'pro' : 'free'},${locale},${zone},${country}\n`;
}

/** `total` rows: one in 50 repeats the one before it, one in 100 cannot be read. */
export function demoFile(total: number): DemoFile {
  const parts = [header];
  let good = 0;
  let duplicates = 0;
  let malformed = 0;
  for (let n = 1; n <= total; n++) {
    if (n % 100 === 0) {
      malformed += 1;
      parts.push(row(n, pick(['friend@', 'no address here', 'a@b@example.com', '@example.com'], n / 100)));
    } else if (n % 50 === 1 && n > 50) {
      duplicates += 1;
      parts.push(row(n - 2, addressOf(n - 2)));
    } else {
      good += 1;
      parts.push(row(n));
    }
  }
  return { text: parts.join(''), good, duplicates, malformed };
}
