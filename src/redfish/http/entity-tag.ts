import { createHash } from 'node:crypto';

type Members = Readonly<Record<string, unknown>>;

/** The body with its ETag after `@odata.type`, and the ETag: `undefined` for what is no resource. */
export interface Tagged {
  readonly body: object;
  readonly tag: string | undefined;
}

/**
 * The strong ETag of a resource (DSP0266, "ETags"): two representations have the same only if they are
 * the same but for the `volatile` members, which change by themselves. It stands for the state of the
 * resource and not for bytes, so it is one with and without compression; nothing here serves ranges.
 * @param volatile member paths with `/`
 */
export function tagResource(body: object, volatile: readonly string[] = []): Tagged {
  const members: Members = { ...body };
  const type = members['@odata.type'];
  if (typeof members['@odata.id'] !== 'string' || typeof type !== 'string') {
    return { body, tag: undefined };
  }
  const { '@odata.etag': _, '@Message.ExtendedInfo': __, ...state } = members;
  const tag = hashTag(
    volatile.reduce((at, path) => without(at, path.split('/')), state as Members),
  );
  const tagged = Object.entries(members)
    .filter(([name]) => name !== '@odata.etag')
    .flatMap((entry) => (entry[0] === '@odata.type' ? [entry, ['@odata.etag', tag]] : [entry]));
  return { body: Object.fromEntries(tagged), tag };
}

/** An ETag of anything that can be JSON. */
export function hashTag(value: unknown): string {
  return `"${createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32)}"`;
}

function without(members: Members, [name = '', ...below]: readonly string[]): Members {
  if (!Object.hasOwn(members, name)) return members;
  const { [name]: value, ...others } = members;
  if (below.length === 0) return others;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return members;
  return { ...members, [name]: without({ ...value }, below) };
}
