import { SaxesParser, type SaxesTagNS } from 'saxes';
import { reasonOf } from '../../core/cert-error.ts';
import type { Attribute, Element, Prefixes } from './element.ts';
import type { MessageLimits } from './limits.ts';

/** The bytes are no XML that is taken; its message says why. */
export class XmlError extends Error {
  override readonly name = 'XmlError';
}

/** An element whose end has not come. */
interface Draft extends Element {
  readonly children: Element[];
  text: string;
}

const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/';

/** Characters of a reason that are shown, since it may quote what was sent. */
const longestReason = 200;

/**
 * Reads one document: UTF-8, without DTD, processing instructions, or elements with text beside their children.
 * @throws XmlError what is wrong with it, or which limit it exceeds
 */
export function readXml(bytes: Uint8Array, limits: MessageLimits): Element {
  try {
    return readDocument(decode(bytes), limits);
  } catch (error) {
    // What saxes throws has no class of its own
    throw new XmlError(reasonOf(error).slice(0, longestReason), { cause: error });
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new XmlError('the message is not encoded in UTF-8', { cause: error });
  }
}

function readDocument(text: string, limits: MessageLimits): Element {
  const parser = new SaxesParser({ xmlns: true });
  /** Elements that are open, the root first. */
  const open: Draft[] = [];
  let root: Element | undefined;
  let elements = 0;
  let attributes = 0;

  parser.on('xmldecl', ({ version, encoding }) => {
    // saxes believes what is decoded already
    if (encoding !== undefined && !/^utf-8$/i.test(encoding))
      throw new XmlError('the XML declaration names an encoding other than UTF-8');
    if (version !== '1.0') throw new XmlError('the XML declaration names a version other than 1.0');
  });
  parser.on('doctype', () => {
    throw new XmlError('a document type declaration is not taken');
  });
  parser.on('processinginstruction', () => {
    throw new XmlError('a processing instruction is not taken');
  });
  // Before an element is complete, so that no more is done for what exceeds a limit
  parser.on('opentagstart', ({ name }) => {
    elements += 1;
    attributes = 0;
    if (elements > limits.elements)
      throw new XmlError(`the message has more than ${limits.elements} elements`);
    if (open.length >= limits.depth)
      throw new XmlError(`elements are nested more than ${limits.depth} deep`);
    checkName(name, limits);
  });
  parser.on('attribute', ({ name }) => {
    attributes += 1;
    if (attributes > limits.attributes)
      throw new XmlError(`an element has more than ${limits.attributes} attributes`);
    checkName(name, limits);
  });
  parser.on('opentag', (tag) => {
    const parent = open.at(-1);
    const draft = draftOf(tag, parent?.prefixes);
    if (parent) parent.children.push(draft);
    else root = draft;
    open.push(draft);
  });
  parser.on('closetag', () => {
    const draft = open.pop();
    if (!draft || draft.children.length === 0) return;
    if (/[^ \t\r\n]/.test(draft.text))
      throw new XmlError(`<${draft.name}> has text beside its elements`);
    draft.text = '';
  });
  const addText = (piece: string) => {
    const draft = open.at(-1);
    if (draft) draft.text += piece;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.write(text).close();
  if (!root) throw new XmlError('the message has no element');
  return root;
}

function checkName(name: string, { nameLength }: MessageLimits): void {
  if (name.length > nameLength) throw new XmlError(`a name has more than ${nameLength} characters`);
}

function draftOf(tag: SaxesTagNS, inherited: Prefixes | undefined): Draft {
  const attributes: Attribute[] = [];
  for (const { uri, local, value } of Object.values(tag.attributes))
    if (uri !== xmlnsNamespace) attributes.push({ name: local, namespace: uri, value });
  return {
    name: tag.local,
    namespace: tag.uri,
    attributes,
    children: [],
    text: '',
    prefixes: prefixesOf(tag, inherited),
  };
}

function prefixesOf({ ns }: SaxesTagNS, inherited: Prefixes = noPrefixes): Prefixes {
  const own = Object.entries(ns);
  if (own.length === 0) return inherited;
  const prefixes: Record<string, string> = Object.create(inherited);
  for (const [prefix, namespace] of own) prefixes[prefix] = namespace;
  return prefixes;
}

const noPrefixes: Prefixes = Object.freeze(Object.create(null));
