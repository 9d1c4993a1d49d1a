import { match } from 'path-to-regexp';
import type { Resource } from '../resource.ts';

/** A resource at a URI, with what varies in its path. */
export interface Found {
  readonly resource: Resource;
  readonly parameters: Readonly<Record<string, string>>;
}

export type FindResource = (path: string) => Found | undefined;

/** Finds resources by the path of a URI as the routes of Express do, for what reads more than the resource of a request. */
export function makeTree(resources: readonly Resource[]): FindResource {
  const routes = resources.map((resource) => ({
    resource,
    matched: match<Record<string, string>>(resource.path, { sensitive: true }),
  }));
  return (path) => {
    if (!hasPlainSegments(path)) return undefined;
    for (const { resource, matched } of routes) {
      const found = matched(path);
      if (found) return { resource, parameters: found.params };
    }
    return undefined;
  };
}

/** Whether each segment of a path can be decoded, and to none of what could be another path. */
export function hasPlainSegments(path: string): boolean {
  if (/^(?:\/[\w$-][\w.$-]*)+\/?$/.test(path)) return true;
  const segments = path.replace(/\/$/, '').split('/').slice(1);
  return segments.every((segment) => isPlain(segment));
}

function isPlain(segment: string): boolean {
  try {
    const id = decodeURIComponent(segment);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are refused
    return id !== '' && id !== '.' && id !== '..' && !/[/\\\u0000-\u001f\u007f]/.test(id);
  } catch {
    return false;
  }
}
