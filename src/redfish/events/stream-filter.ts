import { normalPath } from '../certificates/collections.ts';
import { hasMessage, hasOrigin, hasPrefix } from './event-criteria.ts';
import type { PublishedEvent } from './event-record.ts';

export type EventPredicate = (event: PublishedEvent) => boolean;

/** A filter that is not as DSP0266 describes it; the message tells where. */
export class FilterFault extends Error {
  override readonly name = 'FilterFault';
}

/** Configuration `redfish.events`. */
export interface StreamFilterLimits {
  readonly filterCharacters: number;
  /** Parentheses within parentheses. */
  readonly filterDepth: number;
}

/**
 * Reads the `$filter` of an event stream (DSP0266, "Event service"): comparisons with `eq`, joined by
 * `and` and `or`, with parentheses; `and` binds closer. `SubordinateResources eq true` anywhere makes
 * every OriginResource include what lies below it.
 * @throws FilterFault
 */
export function parseStreamFilter(
  text: string,
  { filterCharacters, filterDepth }: StreamFilterLimits,
): EventPredicate {
  if (text.length > filterCharacters) {
    throw new FilterFault(`it is longer than ${filterCharacters} characters`);
  }
  const tokens = tokenize(text);
  const subordinate = tokens.some(
    (token, at) =>
      token === 'SubordinateResources' && unquoted(tokens[at + 2] ?? '').toLowerCase() === 'true',
  );
  let at = 0;
  const take = () => tokens[at++];

  const either = (depth: number): EventPredicate => {
    const terms = [both(depth)];
    while (tokens[at] === 'or') {
      at += 1;
      terms.push(both(depth));
    }
    return (event) => terms.some((holds) => holds(event));
  };
  const both = (depth: number): EventPredicate => {
    const terms = [single(depth)];
    while (tokens[at] === 'and') {
      at += 1;
      terms.push(single(depth));
    }
    return (event) => terms.every((holds) => holds(event));
  };
  const single = (depth: number): EventPredicate => {
    if (depth > filterDepth) throw new FilterFault('its parentheses are nested too deep');
    const first = take();
    if (first !== '(') return comparison(first, take(), take(), subordinate);
    const inner = either(depth + 1);
    if (take() !== ')') throw new FilterFault('a parenthesis is not closed');
    return inner;
  };

  const whole = either(0);
  if (at < tokens.length) throw new FilterFault('something follows after its end');
  return whole;
}

/** Parentheses, quoted texts in which two quotes stand for one, and words. */
function tokenize(text: string): readonly string[] {
  const tokens: readonly string[] = text.match(/[()]|'(?:[^']|'')*'|[^\s()']+|'/g) ?? [];
  if (tokens.includes("'")) throw new FilterFault('a quote is not closed');
  return tokens;
}

function comparison(
  name: string | undefined,
  operator: string | undefined,
  literal: string | undefined,
  subordinate: boolean,
): EventPredicate {
  if (operator !== 'eq') throw new FilterFault('only eq, and, or and parentheses are known');
  if (literal === undefined || /^[()]$/.test(literal)) throw new FilterFault('a value is missing');
  const value = unquoted(literal);
  switch (name) {
    case 'EventFormatType':
      return () => value === 'Event';
    case 'MessageId':
      return (event) => hasMessage(event, value);
    case 'OriginResource': {
      const uri = normalPath(value) ?? value;
      return (event) => hasOrigin(event, uri, subordinate);
    }
    case 'RegistryPrefix':
      return (event) => hasPrefix(event, value);
    case 'ResourceType':
      return (event) => event.resourceType === value;
    case 'SubordinateResources':
      if (!/^(true|false)$/i.test(value)) throw new FilterFault('a value must be true or false');
      return () => true;
    default:
      throw new FilterFault('it compares a property that is not in SSEFilterPropertiesSupported');
  }
}

function unquoted(token: string): string {
  return token.startsWith("'") ? token.slice(1, -1).replaceAll("''", "'") : token;
}
