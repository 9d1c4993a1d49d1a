import type { ErrorPath } from '../rpc/rpc-error.ts';

/** A step of the path to a node of data. */
export interface PathStep {
  readonly namespace: string;
  readonly name: string;
  /** The leaf and its value by which a list knows the entry. */
  readonly key?: { readonly name: string; readonly value: string };
}

/** The instance-identifier (RFC 7950 §9.13) of a node, for error-path. */
export function errorPath(steps: readonly PathStep[]): ErrorPath {
  const prefixes: Record<string, string> = Object.create(null);
  const prefixOf = (namespace: string): string => {
    const known = Object.keys(prefixes).find((prefix) => prefixes[prefix] === namespace);
    const prefix = known ?? `p${Object.keys(prefixes).length + 1}`;
    prefixes[prefix] = namespace;
    return prefix;
  };
  const written = steps.map(({ namespace, name, key }) => {
    const prefix = prefixOf(namespace);
    const predicate = key ? `[${prefix}:${key.name}=${quoted(key.value)}]` : '';
    return `/${prefix}:${name}${predicate}`;
  });
  return { expression: written.join(''), prefixes };
}

/** A literal of XPath 1.0, which knows no escapes: a value with both quotation marks cannot be written. */
function quoted(value: string): string {
  return value.includes("'") ? `"${value.replaceAll('"', "'")}"` : `'${value}'`;
}
