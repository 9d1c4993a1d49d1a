import { normalPath } from '../certificates/collections.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { type Expression, parseFilter } from '../query/filter-expression.ts';
import type { Operand } from '../query/filter-tokens.ts';
import { hasMessage, hasOrigin, hasPrefix } from './event-criteria.ts';
import type { PublishedEvent } from './event-record.ts';
import type { EventSettings } from './event-settings.ts';

export type EventPredicate = (event: PublishedEvent) => boolean;

/**
 * Reads the `$filter` of an event stream (DSP0266, "Event service"): the grammar of the query parameter,
 * with comparisons by `eq` of a few properties, joined by `and` and `or`. `SubordinateResources eq true`
 * anywhere makes every OriginResource include what lies below it.
 * @throws RedfishError 400 that tells why it is not as DSP0266 describes it
 */
export function parseStreamFilter(
  text: string,
  { filterCharacters, filterDepth }: Pick<EventSettings, 'filterCharacters' | 'filterDepth'>,
): EventPredicate {
  if (text.length > filterCharacters) {
    throw fault(`it is longer than ${filterCharacters} characters`);
  }
  const expression = parseFilter(text, filterDepth);
  if (!expression) throw fault('it is no expression, or its parentheses are too deep');
  return predicateOf(expression, { subordinate: false });
}

/** What a comparison says for all others. */
interface Scope {
  subordinate: boolean;
}

function predicateOf(expression: Expression, scope: Scope): EventPredicate {
  if (expression.kind === 'compare' && expression.operator === 'eq') {
    return comparison(expression.left, literalOf(expression.right), scope);
  }
  if (expression.kind !== 'and' && expression.kind !== 'or') {
    throw fault('only eq, and, or and parentheses are known');
  }
  const left = predicateOf(expression.left, scope);
  const right = predicateOf(expression.right, scope);
  if (expression.kind === 'and') return (event) => left(event) && right(event);
  return (event) => left(event) || right(event);
}

/** The examples of DSP0266 leave the quotes of plain words out, so that those look like properties. */
function literalOf(operand: Operand): string {
  if (operand.kind === 'member') return operand.path.join('/');
  return operand.kind === 'date' ? operand.text : String(operand.value);
}

function comparison(property: Operand, value: string, scope: Scope): EventPredicate {
  switch (property.kind === 'member' ? property.path.join('/') : '') {
    case 'EventFormatType':
      return () => value === 'Event';
    case 'MessageId':
      return (event) => hasMessage(event, value);
    case 'OriginResource': {
      const uri = normalPath(value) ?? value;
      return (event) => hasOrigin(event, uri, scope.subordinate);
    }
    case 'RegistryPrefix':
      return (event) => hasPrefix(event, value);
    case 'ResourceType':
      return (event) => event.resourceType === value;
    case 'SubordinateResources':
      if (!/^(true|false)$/i.test(value)) throw fault('a value must be true or false');
      if (value.toLowerCase() === 'true') scope.subordinate = true;
      return () => true;
    default:
      throw fault('it compares a property that is not in SSEFilterPropertiesSupported');
  }
}

function fault(reason: string): RedfishError {
  const detail = `$filter cannot be used: ${reason}`;
  return new RedfishError(400, { id: 'QueryParameterValueError', args: ['$filter'], detail });
}
