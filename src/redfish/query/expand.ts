import type { Expansion } from './parameters.ts';

/** Reads a resource as the client would: `undefined` for one that the client may not read or that is not there. */
export type ReadResource = (uri: string) => Promise<object | undefined>;

/** Puts resources in place of links to them (DSP0266, "The $expand query parameter"). */
export async function expandLinks(
  resource: object,
  { links, levels }: Expansion,
  read: ReadResource,
): Promise<object> {
  const expandBelow = async (value: unknown, left: number, inLinks: boolean): Promise<unknown> => {
    if (typeof value !== 'object' || value === null) return value;
    const uri = linkedUri(value);
    if (uri !== undefined) {
      const isWanted = links === '*' || (links === '~') === inLinks;
      const found = left > 0 && isWanted ? await read(uri) : undefined;
      return found ? expandBelow(found, left - 1, false) : value;
    }
    if (Array.isArray(value)) {
      const elements: unknown[] = [];
      for (const element of value) elements.push(await expandBelow(element, left, inLinks));
      return elements;
    }
    const entries: [string, unknown][] = [];
    for (const [name, member] of Object.entries(value)) {
      const stays = name.startsWith('@') || name === 'Actions';
      const below = stays ? member : await expandBelow(member, left, inLinks || name === 'Links');
      entries.push([name, below]);
    }
    return Object.fromEntries(entries);
  };
  const expanded = await expandBelow(resource, levels, false);
  return typeof expanded === 'object' && expanded !== null ? expanded : resource;
}

/** The URI of an object that is nothing but a link to a resource. */
export function linkedUri(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) {
    return undefined;
  }
  const uri: unknown = Reflect.get(value, '@odata.id');
  return typeof uri === 'string' && !uri.includes('#') ? uri : undefined;
}
