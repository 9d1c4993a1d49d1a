import type { Element } from '../xml/element.ts';
import { baseNamespace } from './base-namespace.ts';
import { RpcError } from './rpc-error.ts';

export interface SubtreeFilterOptions {
  /** The names of the keys of a list, which come with whatever is selected of an entry (RFC 6241 §6.2.4); none unless given. */
  readonly keysOf?: (entry: Element) => readonly string[];
  /** How often a node of the filter may be held against data; a million times unless given. */
  readonly maxComparisons?: number;
}

/**
 * Subtree filtering (RFC 6241 §6). A node of the filter without namespace, or with that of the messages, which no data has,
 * selects whatever the namespace.
 * @param filter the children of `<filter>`
 * @returns what of the data is selected, in the order of the data
 * @throws RpcError `too-big` for a filter that takes too many comparisons
 */
export function filterSubtree(
  filter: readonly Element[],
  data: readonly Element[],
  { keysOf = () => [], maxComparisons = 1_000_000 }: SubtreeFilterOptions = {},
): Element[] {
  let comparisons = 0;
  const isMatch = (node: Element, one: Element): boolean => {
    comparisons += 1;
    if (comparisons > maxComparisons)
      throw new RpcError('too-big', `the filter takes more than ${maxComparisons} comparisons`);
    return isNamed(node, one) && hasAttributes(node, one) && hasContent(node, one);
  };
  /** §6.2.5: all that a sibling set asks for must be there. */
  const hasMatches = (node: Element, one: Element): boolean =>
    node.children
      .filter(isContentMatch)
      .every((wanted) => one.children.some((child) => isMatch(wanted, child)));

  const select = (nodes: readonly Element[], one: Element): Element | undefined => {
    const matches = nodes.filter((node) => isMatch(node, one) && hasMatches(node, one));
    if (matches.length === 0) return undefined;
    if (matches.some(({ children }) => children.every(isContentMatch))) return one;
    const within = matches.flatMap(({ children }) => children);
    const selected = new Map<Element, Element>();
    for (const child of one.children) {
      const part = select(within, child);
      if (part) selected.set(child, part);
    }
    if (selected.size === 0) return undefined;
    const keys = keysOf(one);
    const children = one.children.flatMap(
      (child) => selected.get(child) ?? (keys.includes(child.name) ? child : []),
    );
    return { ...one, children };
  };
  return data.flatMap((one) => select(filter, one) ?? []);
}

/** §6.2.5: a leaf with text, of which all but the white space around it counts. */
function isContentMatch({ children, text }: Element): boolean {
  return children.length === 0 && text.trim() !== '';
}

function isNamed(node: Element, { namespace, name }: Element): boolean {
  if (node.name !== name) return false;
  return node.namespace === namespace || ['', baseNamespace].includes(node.namespace);
}

/** §6.2.2. */
function hasAttributes(node: Element, one: Element): boolean {
  return node.attributes.every((wanted) =>
    one.attributes.some(
      ({ namespace, name, value }) =>
        namespace === wanted.namespace && name === wanted.name && value === wanted.value,
    ),
  );
}

function hasContent(node: Element, one: Element): boolean {
  if (!isContentMatch(node)) return true;
  return one.children.length === 0 && one.text.trim() === node.text.trim();
}
