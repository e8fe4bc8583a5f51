/** A key suggested from a name: "Très bon — News!" -> "tres-bon-news". May be empty when no letter survives. */
export function keyFrom(name: string, separator: '-' | '_', most: number): string {
  return name
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, separator)
    .slice(0, most)
    .replace(/^[-_]+|[-_]+$/g, '');
}
