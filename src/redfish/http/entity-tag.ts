import { createHash } from 'node:crypto';
import type { SchemaName } from '../schema-versions.ts';

type Members = Readonly<Record<string, unknown>>;

/** The body with its ETag after `@odata.type`, and the ETag: `undefined` for what is no resource. */
export interface Tagged {
  readonly body: object;
  readonly tag: string | undefined;
}

/**
 * Paths of members, with `/`, that change by themselves: of the clock, of deliveries that fail, of logins
 * that others attempt. Nobody's change may be refused for their sake, so ETags leave them out; and since
 * an ETag then says nothing of them, no answer that shows one is a 304.
 */
export const volatileMembers: Partial<Record<SchemaName, readonly string[]>> = {
  EventDestination: ['Status'],
  Manager: ['DateTime', 'DateTimeLocalOffset', 'LastResetTime'],
  ManagerAccount: ['Locked'],
  TaskService: ['DateTime'],
};

/**
 * What is left of an answer, and of every resource within it, without the members that change by
 * themselves; the very same value when it shows none of them.
 */
export function steadyPart(value: unknown, volatile = volatileMembers): unknown {
  return without(value, [], volatile);
}

/**
 * The strong ETag of a resource (DSP0266, "ETags"): two representations have the same only if they are
 * the same in their steady part. It stands for the state of the resource and not for bytes, so it is one
 * with and without compression; nothing here serves ranges.
 */
export function tagResource(body: object, volatile = volatileMembers): Tagged {
  const members: Members = { ...body };
  const type = members['@odata.type'];
  if (typeof members['@odata.id'] !== 'string' || typeof type !== 'string') {
    return { body, tag: undefined };
  }
  const { '@odata.etag': _, '@Message.ExtendedInfo': __, ...state } = members;
  const tag = hashTag(steadyPart(state, volatile));
  const tagged = Object.entries(members)
    .filter(([name]) => name !== '@odata.etag')
    .flatMap((entry) => (entry[0] === '@odata.type' ? [entry, ['@odata.etag', tag]] : [entry]));
  return { body: Object.fromEntries(tagged), tag };
}

/** An ETag of anything that can be JSON. */
export function hashTag(value: unknown): string {
  return `"${createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32)}"`;
}

function without(
  value: unknown,
  paths: readonly string[],
  volatile: typeof volatileMembers,
): unknown {
  if (Array.isArray(value)) {
    const steady = value.map((one) => without(one, [], volatile));
    return steady.every((one, at) => one === value[at]) ? value : steady;
  }
  if (typeof value !== 'object' || value === null) return value;
  const own = [...paths, ...pathsOf(value, volatile)];
  const members = Object.entries(value);
  const kept = members.filter(([name]) => !own.includes(name));
  const steady = kept.map(([name, member]): [string, unknown] => {
    const below = own.filter((path) => path.startsWith(`${name}/`));
    const inside = below.map((path) => path.slice(name.length + 1));
    return [name, without(member, inside, volatile)];
  });
  const isSame =
    kept.length === members.length && steady.every(([, one], at) => one === kept[at]?.[1]);
  return isSame ? value : Object.fromEntries(steady);
}

function pathsOf(value: object, volatile: typeof volatileMembers): readonly string[] {
  const type: unknown = Reflect.get(value, '@odata.type');
  const [, name = ''] = typeof type === 'string' ? (/^#(\w+)\./.exec(type) ?? []) : [];
  return (Object.hasOwn(volatile, name) && volatile[name as SchemaName]) || [];
}
