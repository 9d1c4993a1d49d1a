import { RedfishError } from '../messages/redfish-error.ts';
import { type Expression, parseFilter } from './filter-expression.ts';
import type { QueryLimits } from './limits.ts';

export interface Expansion {
  /** `*` for every link, `.` for those outside of Links, `~` for those in Links. */
  readonly links: '*' | '.' | '~';
  readonly levels: number;
}

/** The query parameters of a GET (DSP0266, "Query parameters"). */
export interface Query {
  readonly select?: readonly (readonly string[])[];
  readonly expand?: Expansion;
  readonly filter?: Expression;
  readonly top?: number;
  readonly skip?: number;
  readonly only?: true;
}

type Mutable = { -readonly [Name in keyof Query]: Query[Name] };

/**
 * Plain parameters that are not known are ignored, as DSP0266 wants; those are also the ones whose support
 * is not claimed, such as `excerpt`.
 * @param search the URI from its question mark on, or nothing
 * @param own what the operation reads itself, and alone; how it is written is not looked at here
 * @throws RedfishError 501 for an unknown `$` parameter, 400 for what is not as it should be
 */
export function parseQuery(search: string, limits: QueryLimits, own?: readonly string[]): Query {
  const query: Mutable = {};
  const seen = new Set<string>();
  for (const [name, value] of new URLSearchParams(search)) {
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
    const isOwn = own?.includes(name);
    if (!read && !isOwn) {
      if (name.startsWith('$')) throw new RedfishError(501, { id: 'QueryNotSupported', args: [] });
      continue;
    }
    if (seen.has(name)) throw badCombination(`${name} is given twice`);
    seen.add(name);
    if (isOwn) continue;
    if (own) throw refusal({ id: 'QueryNotSupportedOnResource', args: [] });
    read?.(query, value, limits);
  }
  if (query.only && seen.size > 1) throw badCombination('only stands alone');
  return query;
}

/** Whether a URI asks something of the service that only reading has. */
export function hasQuery(search: string): boolean {
  const names = [...new URLSearchParams(search).keys()];
  return names.some((name) => name.startsWith('$') || Object.hasOwn(readers, name));
}

const readers: Readonly<
  Record<string, (query: Mutable, value: string, limits: QueryLimits) => void>
> = {
  only(query, value) {
    if (value !== '') throw badFormat('only', value);
    query.only = true;
  },
  $top(query, value) {
    query.top = count('$top', value);
  },
  $skip(query, value) {
    query.skip = count('$skip', value);
  },
  $select(query, value, { selectedMembers }) {
    const names = value.split(',').map((name) => name.trim());
    if (names.length > selectedMembers) {
      throw outOfRange('$select', value, `1 to ${selectedMembers} members`);
    }
    const name = /^[\w#@.-]{1,80}(?:\/[\w#@.-]{1,80}){0,9}$/;
    if (names.every((one) => one === '*')) return;
    if (!names.every((one) => name.test(one))) throw badFormat('$select', value);
    query.select = names.map((one) => one.split('/'));
  },
  $expand(query, value, { expandLevels }) {
    const [, links, written = '1'] = /^([*.~])(?:\(\$levels=(\d{1,6})\))?$/.exec(value) ?? [];
    if (links !== '*' && links !== '.' && links !== '~') throw badFormat('$expand', value);
    const levels = Number(written);
    if (levels < 1 || levels > expandLevels) {
      throw outOfRange('$expand', value, `1 to ${expandLevels} levels`);
    }
    query.expand = { links, levels };
  },
  $filter(query, value, { filterCharacters, filterDepth }) {
    if (value.length > filterCharacters) {
      throw outOfRange('$filter', value, `1 to ${filterCharacters} characters`);
    }
    const filter = parseFilter(value, filterDepth);
    if (!filter) throw badFormat('$filter', value);
    query.filter = filter;
  },
};

function count(name: string, value: string): number {
  if (!/^-?\d+$/.test(value)) {
    throw refusal({ id: 'QueryParameterValueTypeError', args: [shown(value), name] });
  }
  const number = Number(value);
  if (number < 0 || number > Number.MAX_SAFE_INTEGER) {
    throw outOfRange(name, value, `0 to ${Number.MAX_SAFE_INTEGER}`);
  }
  return number;
}

function badFormat(name: string, value: string): RedfishError {
  return refusal({ id: 'QueryParameterValueFormatError', args: [shown(value), name] });
}

function outOfRange(name: string, value: string, range: string): RedfishError {
  return refusal({ id: 'QueryParameterOutOfRange', args: [shown(value), name, range] });
}

function badCombination(detail: string): RedfishError {
  return refusal({ id: 'QueryCombinationInvalid', args: [], detail });
}

function refusal(message: ConstructorParameters<typeof RedfishError>[1]): RedfishError {
  return new RedfishError(400, message);
}

/** Enough of a value for its sender to know it again. */
function shown(value: string): string {
  return value.length > 100 ? `${value.slice(0, 100)}…` : value;
}
