import { allOf, type Element, encoded, read } from './mutate-der.ts';

/** Below the largest certificate, and enough for anything that takes the square of it to take seconds. */
const swollenBytes = 200_000;

/** What a reader may look for the end of, collapse, split at, or count. */
const fillings = [
  ' ',
  '\t',
  '\n',
  '@',
  '.',
  ',',
  '=',
  '/',
  '-',
  '\\',
  '%',
  'a',
  'A',
  '1',
  '\0',
  '\xff',
];

/** A text that is one character for the most part, with another at its ends or without. */
export function swollenTexts(length = swollenBytes): readonly string[] {
  return fillings.flatMap((filling) => {
    const middle = filling.repeat(length);
    return [middle, `a${middle}b`, `${middle}b`, `a${middle}`, `${middle} b c`];
  });
}

/** The input again and again, each time with one of its elements as large as can be. */
export function swollen(input: Buffer): readonly (() => Buffer)[] {
  const root = read(input);
  if (!root) return [];
  return allOf(root).flatMap((target) =>
    contentsFor(target).map((content) => () => {
      const put = (element: Element): Element => {
        if (element === target) return { tag: element.tag, content: content() };
        const { tag, content: inside } = element;
        return Buffer.isBuffer(inside) ? element : { tag, content: inside.map(put) };
      };
      return encoded([put(root)]);
    }),
  );
}

type Content = () => Element['content'];

function contentsFor({ content }: Element): readonly Content[] {
  if (Buffer.isBuffer(content)) {
    return fillings.map((filling) => () => {
      const middle = Buffer.alloc(swollenBytes, filling, 'latin1');
      return Buffer.concat([Buffer.from('a'), middle, Buffer.from('b')]);
    });
  }
  const empty: Element = { tag: 0x05, content: Buffer.alloc(0) };
  return [empty, ...new Set(content)].map((one) => () => {
    const times = Math.floor(swollenBytes / (encoded([one]).length || 1));
    return [...content, ...Array<Element>(times).fill(one)];
  });
}
