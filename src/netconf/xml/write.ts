import type { Element, Prefixes } from './element.ts';

type Scope = Readonly<Record<string, string>>;

/** The prefix that needs no declaration (Namespaces in XML 1.0 §3). */
const outermost: Scope = Object.freeze(
  Object.assign(Object.create(null), { xml: 'http://www.w3.org/XML/1998/namespace' }),
);

/**
 * Writes an element as XML 1.0 without declaration. Characters that XML cannot have become U+FFFD.
 * @returns text that has no `]]>` in it
 */
export function writeXml(element: Element): string {
  const pieces: string[] = [];
  write(element, outermost, pieces);
  return pieces.join('');
}

/** A comment. What may not stand in one (XML 1.0 §2.5), or would end the message (RFC 6242 §4.3), is changed. */
export function writeComment(text: string): string {
  return `<!-- ${legal(text)
    .replace(/-(?=-)/g, '- ')
    .replaceAll('>', '\u203a')} -->`;
}

function write(element: Element, outer: Scope, pieces: string[]): void {
  const { scope, declared } = scopeOf(element, outer);
  const tag = qualified(prefixFor(element.namespace, scope, true), element.name);
  pieces.push('<', tag);
  for (const prefix of declared) {
    const name = prefix === '' ? 'xmlns' : `xmlns:${prefix}`;
    pieces.push(attributeText(name, scope[prefix] ?? ''));
  }
  for (const { namespace, name, value } of element.attributes)
    pieces.push(attributeText(qualified(prefixFor(namespace, scope, false), name), value));
  if (element.children.length === 0 && element.text === '') {
    pieces.push('/>');
    return;
  }
  pieces.push('>', escapeText(element.text));
  for (const child of element.children) write(child, scope, pieces);
  pieces.push('</', tag, '>');
}

/** The prefixes at an element: those that it brings, and what its own name and its attributes need beyond them. */
function scopeOf(element: Element, outer: Scope): { scope: Scope; declared: Iterable<string> } {
  let scope = outer;
  const declared = new Set<string>();
  const declare = (prefix: string, namespace: string) => {
    const inherited: Scope = declared.size === 0 ? Object.create(outer) : scope;
    scope = Object.assign(inherited, { [prefix]: namespace });
    declared.add(prefix);
  };
  const own: Prefixes = element.prefixes;
  for (const prefix in own) {
    const namespace = own[prefix] ?? '';
    if ((scope[prefix] ?? '') !== namespace) declare(prefix, namespace);
  }
  if (prefixFor(element.namespace, scope, true) === undefined) {
    // The values of the element may need the default namespace that it brings
    const takesDefault = element.namespace === '' || own[''] === undefined;
    declare(takesDefault ? '' : freePrefix(scope), element.namespace);
  }
  for (const { namespace } of element.attributes)
    if (prefixFor(namespace, scope, false) === undefined) declare(freePrefix(scope), namespace);
  return { scope, declared };
}

/** @returns the prefix by which a name is of the namespace; `undefined` where none is declared */
function prefixFor(namespace: string, scope: Scope, takesDefault: boolean): string | undefined {
  if (takesDefault && (scope[''] ?? '') === namespace) return '';
  if (!takesDefault && namespace === '') return '';
  for (const prefix in scope) if (prefix !== '' && scope[prefix] === namespace) return prefix;
  return undefined;
}

function freePrefix(scope: Scope): string {
  let number = 1;
  while (scope[`n${number}`] !== undefined) number += 1;
  return `n${number}`;
}

function qualified(prefix: string | undefined, name: string): string {
  return prefix ? `${prefix}:${name}` : name;
}

function attributeText(name: string, value: string): string {
  const escaped = escapeText(value)
    .replaceAll('"', '&quot;')
    .replaceAll('\t', '&#9;')
    .replaceAll('\n', '&#10;');
  return ` ${name}="${escaped}"`;
}

function escapeText(text: string): string {
  // A reader makes line feeds of carriage returns (XML 1.0 §2.11)
  return legal(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;');
}

/** XML 1.0 §2.2, also for halves of surrogate pairs. */
function legal(text: string): string {
  return text.replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd');
}
