import { RedfishError } from '../messages/redfish-error.ts';

export interface JsonBounds {
  readonly jsonDepth: number;
  readonly jsonValues: number;
}

/**
 * Looks at JSON before it is parsed, so that nothing is built from what is too much. Of members of the same
 * name the parser would take the last one; somebody else who reads the same text may take the first.
 * @throws RedfishError 400 when it is nested too deep, has too many values or a member twice
 */
export function checkJsonBounds(text: string, { jsonDepth, jsonValues }: JsonBounds): void {
  /** The names so far of each object that is open; `undefined` for an array. */
  const open: (Set<string> | undefined)[] = [];
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      const names = open.at(-1);
      if (names && isName(text, end)) addName(names, text.slice(at, end + 1));
      at = end;
    } else if (character === ']' || character === '}') open.pop();
    else if (character === '[' || character === '{') {
      open.push(character === '{' ? new Set() : undefined);
      values++;
    } else if (character === ',') values++;
    if (open.length > jsonDepth)
      throw tooMuch(`The body is nested deeper than ${jsonDepth} levels`);
    if (values > jsonValues) throw tooMuch(`The body has more than ${jsonValues} values`);
  }
}

/** What looks like structure inside of a string is none. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function isName(text: string, end: number): boolean {
  const colon = /[ \t\r\n]*:/y;
  colon.lastIndex = end + 1;
  return colon.test(text);
}

/** @param quoted a name as it stands in the text, where it can be written in several ways */
function addName(names: Set<string>, quoted: string): void {
  let name: unknown;
  try {
    name = JSON.parse(quoted);
  } catch {
    // The parser will say so
    return;
  }
  if (typeof name !== 'string') return;
  if (names.has(name)) {
    const shown = name.slice(0, longestShown);
    throw new RedfishError(400, {
      id: 'PropertyDuplicate',
      args: [shown],
      related: [`#/${shown}`],
    });
  }
  names.add(name);
}

const longestShown = 100;

function tooMuch(detail: string): RedfishError {
  return new RedfishError(400, { id: 'UnrecognizedRequestBody', args: [], detail });
}
