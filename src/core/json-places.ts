/** Where something stands in a text; both begin at 1, and a column is a UTF-16 unit. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where the members of a JSON text (RFC 8259) stand; `JSON.parse` does not tell, and its errors tell it in some versions. */
export interface JsonPlaces {
  /** The place of a member by its JSON pointer, or of the nearest above it that the text has. */
  of(pointer: string): Place;
  readonly fault?: JsonFault;
}

/** Where a text stops being JSON. */
export interface JsonFault extends Place {
  /** JSON pointer of the member that is being read there. */
  readonly pointer: string;
  /** What must stand there instead. */
  readonly expected: string;
}

/** Deeper values are not looked into. */
const maxDepth = 100;

const space = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 §7 has exactly those escaped
const text = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Long because it is one parser: its steps share what is read. */
export function jsonPlaces(json: string): JsonPlaces {
  const offsets = new Map([['', 0]]);
  let at = 0;
  let reading = '';
  const skip = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const [found] = pattern.exec(json) ?? [];
    at += found?.length ?? 0;
    return found;
  };
  const take = (pattern: RegExp, what: string) => skip(pattern) ?? fail(what);
  const fail = (expected: string): never => {
    throw new NoJson(expected);
  };
  const isNext = (character: string) => {
    skip(space);
    if (json[at] !== character) return false;
    at += 1;
    return true;
  };
  const readList = (pointer: string, end: string, readEntry: (index: number) => void) => {
    if (isNext(end)) return;
    let index = 0;
    do {
      readEntry(index++);
      reading = pointer;
    } while (isNext(','));
    if (!isNext(end)) fail(`a comma or ${end}`);
  };
  const readValue = (pointer: string, depth: number): void => {
    if (depth > maxDepth) fail('no more brackets');
    reading = pointer;
    skip(space);
    if (isNext('{')) {
      readList(pointer, '}', () => {
        skip(space);
        const start = at;
        const member = `${pointer}/${JSON.parse(take(text, 'a name in double quotes'))}`;
        offsets.set(member, start);
        reading = member;
        if (!isNext(':')) fail('a colon');
        readValue(member, depth + 1);
      });
    } else if (isNext('[')) {
      readList(pointer, ']', (index) => {
        skip(space);
        offsets.set(`${pointer}/${index}`, at);
        readValue(`${pointer}/${index}`, depth + 1);
      });
    } else if (skip(text) === undefined) take(scalar, 'a value');
  };
  const of = (pointer: string): Place => {
    const offset = offsets.get(pointer);
    return offset === undefined ? of(pointer.replace(/\/[^/]*$/, '')) : placeOf(json, offset);
  };
  try {
    readValue('', 0);
    skip(space);
    reading = '';
    if (at < json.length) fail('the end');
    return { of };
  } catch (error) {
    if (!(error instanceof NoJson)) throw error;
    return { of, fault: { ...placeOf(json, at), pointer: reading, expected: error.message } };
  }
}

class NoJson extends Error {}

function placeOf(json: string, offset: number): Place {
  const lines = json.slice(0, offset).split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}
