/** First in, first out; `Array.shift` moves every element, this does not. */
export interface Queue<Item> {
  push(item: Item): void;
  shift(): Item | undefined;
  size(): number;
  /** Takes out what matches and gives it. */
  drop(matches: (item: Item) => boolean): readonly Item[];
}

export function createQueue<Item>(): Queue<Item> {
  let items: Item[] = [];
  let head = 0;
  return {
    push: (item) => {
      items.push(item);
    },
    shift: () => {
      if (head >= items.length) return undefined;
      const item = items[head++];
      if (head > 512 && head * 2 > items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
    size: () => items.length - head,
    drop: (matches) => {
      const kept = items.slice(head);
      const dropped = kept.filter(matches);
      if (dropped.length === 0) return dropped;
      items = kept.filter((item) => !dropped.includes(item));
      head = 0;
      return dropped;
    },
  };
}
