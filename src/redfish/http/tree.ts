import type { Resource } from '../resource.ts';

/** A resource at a URI, with what varies in its path. */
export interface Found {
  readonly resource: Resource;
  readonly parameters: Readonly<Record<string, string>>;
}

export type FindResource = (path: string) => Found | undefined;

/**
 * Finds resources by the path of a URI. Requests and `$expand` use the same one, so what a privilege was
 * checked for is what is read. Paths are compared as sent: nothing is folded or resolved, one slash at the
 * end is ignored, and an id that decodes to what could be another path is none.
 */
export function makeTree(resources: readonly Resource[]): FindResource {
  const routes = resources.map((resource) => ({ resource, pattern: resource.path.split('/') }));
  return (path) => {
    const segments = (path.length > 1 ? path.replace(/\/$/, '') : path).split('/');
    for (const { resource, pattern } of routes) {
      const parameters = match(pattern, segments);
      if (parameters) return { resource, parameters };
    }
    return undefined;
  };
}

function match(
  pattern: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const parameters: [string, string][] = [];
  for (const [at, part] of pattern.entries()) {
    const segment = segments[at] ?? '';
    if (!part.startsWith(':')) {
      if (part !== segment) return undefined;
      continue;
    }
    const id = decodeId(segment);
    if (id === undefined) return undefined;
    parameters.push([part.slice(1), id]);
  }
  return Object.fromEntries(parameters);
}

function decodeId(segment: string): string | undefined {
  let id: string;
  try {
    id = decodeURIComponent(segment);
  } catch {
    return undefined;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are refused
  return id === '' || id === '.' || id === '..' || /[/\\\u0000-\u001f\u007f]/.test(id)
    ? undefined
    : id;
}
