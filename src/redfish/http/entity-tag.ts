import { createHash } from 'node:crypto';
import type { SchemaName } from '../schema-versions.ts';

/** The body with its ETag after `@odata.type`, and the ETag: `undefined` for what is no resource. */
interface Tagged {
  readonly body: object;
  readonly tag: string | undefined;
}

/**
 * Members that change by themselves: of the clock, of deliveries that fail, of logins that others attempt. No change may be
 * refused for their sake, so ETags leave them out; and since an ETag then says nothing of them, no answer that
 * shows one is a 304.
 */
export const volatileMembers: Partial<Record<SchemaName, readonly string[]>> = {
  EventDestination: ['Status'],
  Manager: ['DateTime', 'DateTimeLocalOffset', 'LastResetTime'],
  ManagerAccount: ['Locked'],
  TaskService: ['DateTime'],
};

/**
 * The strong ETag of a resource (DSP0266, "ETags"): two representations have the same only if they are
 * the same but for what changes by itself. It stands for the state of the resource and not for bytes, so it is one
 * with and without compression; nothing here serves ranges.
 */
export function tagResource(body: object): Tagged {
  const { '@odata.etag': _, ...members } = body as Readonly<Record<string, unknown>>;
  const type = members['@odata.type'];
  if (typeof members['@odata.id'] !== 'string' || typeof type !== 'string') {
    return { body, tag: undefined };
  }
  const { '@Message.ExtendedInfo': __, ...state } = members;
  const tag = tagOf(state);
  const tagged = Object.entries(members).flatMap((entry) =>
    entry[0] === '@odata.type' ? [entry, ['@odata.etag', tag]] : [entry],
  );
  return { body: Object.fromEntries(tagged), tag };
}

/** The ETag of an answer that other resources may be part of. */
export function tagOf(answer: object): string {
  return `"${createHash('sha256').update(steadyJson(answer)).digest('hex').slice(0, 32)}"`;
}

/** Whether an answer, or a resource within it, has members that change by themselves. */
export function isVolatile(answer: object): boolean {
  return steadyJson(answer) !== JSON.stringify(answer);
}

const volatileNames = new Set(Object.values(volatileMembers).flat());

function steadyJson(answer: object): string {
  return JSON.stringify(answer, function (this: object, name: string, member: unknown) {
    return volatileNames.has(name) && isVolatileOf(this, name) ? undefined : member;
  });
}

function isVolatileOf(resource: object, member: string): boolean {
  const type: unknown = Reflect.get(resource, '@odata.type');
  const [, name = ''] = typeof type === 'string' ? (/^#(\w+)\./.exec(type) ?? []) : [];
  return (
    Object.hasOwn(volatileMembers, name) &&
    volatileMembers[name as SchemaName]?.includes(member) === true
  );
}
