import { RedfishError } from '../messages/redfish-error.ts';
import { expandLinks, linkedUri, type ReadResource } from './expand.ts';
import { matchesFilter } from './filter-match.ts';
import type { QueryLimits } from './limits.ts';
import type { Query } from './parameters.ts';
import { selectMembers } from './select.ts';

interface Collection {
  readonly Members: readonly unknown[];
}

/**
 * Answers a query in the order of DSP0266: filter, skip and top, expand, select. `Members@odata.count`
 * counts what the filter leaves, whatever part of it is shown. `$top` comes from the client, so no
 * `Members@odata.nextLink` follows from it.
 * @throws RedfishError 400 for a query of collections on another resource, 507 when it is too much
 */
export async function answerQuery(
  resource: object,
  query: Query,
  readAny: ReadResource,
  { expandedResources }: QueryLimits,
): Promise<object> {
  const read = bounded(readAny, expandedResources);
  const found = await ofCollection(resource, query, read);
  const expanded = query.expand ? await expandLinks(found, query.expand, read) : found;
  return query.select ? selectMembers(expanded, query.select) : expanded;
}

async function ofCollection(resource: object, query: Query, read: ReadResource): Promise<object> {
  const { filter, only, top, skip = 0 } = query;
  if (!filter && !only && top === undefined && query.skip === undefined) return resource;
  if (!isCollection(resource)) {
    throw new RedfishError(400, { id: 'QueryNotSupportedOnResource', args: [] });
  }
  const [first, ...others] = resource.Members;
  if (only) {
    const uri = others.length === 0 ? linkedUri(first) : undefined;
    return (uri !== undefined && (await read(uri))) || resource;
  }
  const matching: unknown[] = [];
  for (const member of resource.Members) {
    if (!filter || (await isWanted(filter, member, read))) matching.push(member);
  }
  return {
    ...resource,
    Members: matching.slice(skip, top === undefined ? undefined : skip + top),
    'Members@odata.count': matching.length,
  };
}

/** A resource that the client may not read is not found: a filter would tell its values bit by bit. */
async function isWanted(
  filter: NonNullable<Query['filter']>,
  member: unknown,
  read: ReadResource,
): Promise<boolean> {
  const uri = linkedUri(member);
  const resource = uri === undefined ? undefined : await read(uri);
  return resource !== undefined && matchesFilter(filter, resource);
}

function isCollection(resource: object): resource is Collection {
  return Array.isArray(Reflect.get(resource, 'Members'));
}

/** Reads each resource once, and no more than so many: DSP0266 has 507 for an answer too large. */
function bounded(read: ReadResource, maxResources: number): ReadResource {
  const known = new Map<string, Promise<object | undefined>>();
  let reads = 0;
  return (uri) => {
    // Shown twice it also weighs twice in the answer
    if (++reads > 2 * maxResources || (known.size >= maxResources && !known.has(uri))) {
      const args = [uri, '$expand', `0 to ${maxResources} resources`];
      throw new RedfishError(507, { id: 'QueryParameterOutOfRange', args });
    }
    const found = known.get(uri) ?? read(uri);
    known.set(uri, found);
    return found;
  };
}
