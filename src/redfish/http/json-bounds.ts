import { RedfishError } from '../messages/redfish-error.ts';

export interface JsonBounds {
  readonly jsonDepth: number;
  readonly jsonValues: number;
}

/**
 * Looks at JSON before it is parsed, so that nothing is built from what is too much.
 * @throws RedfishError 400 when it is nested too deep or has too many values
 */
export function checkJsonBounds(text: string, { jsonDepth, jsonValues }: JsonBounds): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === ']' || character === '}') depth--;
    else if (character === '[' || character === '{') {
      depth++;
      values++;
    } else if (character === ',') values++;
    if (depth > jsonDepth) throw tooMuch(`The body is nested deeper than ${jsonDepth} levels`);
    if (values > jsonValues) throw tooMuch(`The body has more than ${jsonValues} values`);
  }
}

/** What looks like structure inside of a string is none. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function tooMuch(detail: string): RedfishError {
  return new RedfishError(400, { id: 'UnrecognizedRequestBody', args: [], detail });
}
