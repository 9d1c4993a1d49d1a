/** An attribute that declares no namespace. */
export interface Attribute {
  readonly name: string;
  /** Empty for an attribute without prefix. */
  readonly namespace: string;
  readonly value: string;
}

/**
 * The namespaces that the prefixes in scope stand for; the empty prefix is the default namespace. What an element declares is
 * its own, what it inherits is reached through the prototype, which `for … in` and a look-up follow.
 */
export type Prefixes = Readonly<Record<string, string>>;

/** An element of XML that has children or text, and never both, as all data of NETCONF. */
export interface Element {
  /** Without prefix. */
  readonly name: string;
  /** Empty for none. */
  readonly namespace: string;
  readonly attributes: readonly Attribute[];
  readonly children: readonly Element[];
  /** As it stands there; empty where there are children. */
  readonly text: string;
  /** In which values with prefixes (identityref, instance-identifier) are read. */
  readonly prefixes: Prefixes;
}

/** What an element may have beside its name and its content. */
export interface ElementExtras {
  readonly attributes?: readonly Attribute[];
  /** Declared at this element, for its values and attributes. */
  readonly prefixes?: Prefixes;
}

const noPrefixes: Prefixes = Object.freeze(Object.create(null));

/** An element to be written. */
export function element(
  namespace: string,
  name: string,
  content: string | readonly Element[] = [],
  { attributes = [], prefixes = noPrefixes }: ElementExtras = {},
): Element {
  const parts =
    typeof content === 'string' ? { children: [], text: content } : { children: content, text: '' };
  return { name, namespace, attributes, prefixes, ...parts };
}
