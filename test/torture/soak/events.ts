import type { History } from './history.ts';
import type { Told } from './stream-reader.ts';
import { uris, type World } from './world.ts';

/** What no order of changes explains, in what the stream told of each certificate. */
export function eventFaults(told: readonly Told[]): readonly string[] {
  const created = new Map<string, number>();
  const present = new Map<string, boolean>();
  return told.flatMap(({ id, message, uri }) => {
    const isThere = present.get(uri);
    if (message === 'ResourceCreated') {
      present.set(uri, true);
      created.set(uri, (created.get(uri) ?? 0) + 1);
      if (isThere) return [`${id}: ${uri} was created while it was there`];
      if (uri.startsWith(uris.truststore) && created.get(uri) !== 1)
        return [`${id}: ${uri} was created again`];
    }
    if (message === 'ResourceChanged' && isThere === false)
      return [`${id}: ${uri} was changed when it was gone`];
    if (message === 'ResourceRemoved') {
      present.set(uri, false);
      if (isThere === false) return [`${id}: ${uri} was removed when it was gone`];
    }
    return [];
  });
}

/** Places of which a reader was told of more or fewer changes than were acknowledged. */
export function eventsMissing(told: readonly Told[], world: World): readonly string[] {
  const { https, ldap, truststore } = world;
  const places: [string, History][] = [
    [`${uris.https}/1`, https],
    [`${uris.ldap}/1`, ldap],
    ...truststore.ids.flatMap((id): [string, History][] => {
      const history = truststore.place(id);
      return history ? [[`${uris.truststore}/${id}`, history]] : [];
    }),
  ];
  const byUri = new Map<string, Told[]>();
  for (const one of told) {
    const list = byUri.get(one.uri) ?? [];
    list.push(one);
    byUri.set(one.uri, list);
  }
  return places.flatMap(([uri, { writes }]) => {
    const about = byUri.get(uri) ?? [];
    const count = (...messages: string[]) =>
      about.filter(({ message }) => messages.includes(message)).length;
    const done = writes.filter(({ refused, began }) => !refused && began >= 0);
    const puts = done.filter(({ value }) => value !== undefined).length;
    const removals = done.length - puts;
    const putsTold = count('ResourceCreated', 'ResourceChanged');
    const removalsTold = count('ResourceRemoved');
    if (puts === putsTold && removals === removalsTold) return [];
    return [`${uri}: told of ${putsTold} of ${puts} and ${removalsTold} of ${removals} removals`];
  });
}
