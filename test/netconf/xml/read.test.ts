import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readXml, XmlError } from '../../../src/netconf/xml/read.ts';
import { messageLimits as limits } from '../message-limits.ts';

const read = (text: string) => readXml(Buffer.from(text), limits);

function refuses(text: string | Buffer, reason: RegExp): void {
  assert.throws(
    () => readXml(Buffer.from(text), limits),
    (error) => error instanceof XmlError && reason.test(error.message),
  );
}

describe('XML of NETCONF', () => {
  it('reads names, namespaces, attributes, children and text', () => {
    const root = read(
      '<a xmlns="urn:a" xmlns:b="urn:b" b:x="1" y="2">\n <b:c>t&amp;<![CDATA[<]]></b:c>\n</a>',
    );
    assert.deepEqual([root.name, root.namespace, root.text], ['a', 'urn:a', '']);
    assert.deepEqual(root.attributes, [
      { name: 'x', namespace: 'urn:b', value: '1' },
      { name: 'y', namespace: '', value: '2' },
    ]);
    const [child] = root.children;
    assert.deepEqual([child?.name, child?.namespace, child?.text], ['c', 'urn:b', 't&<']);
  });

  it('knows what the prefixes of a value stand for, also where they were declared further out', () => {
    const root = read(
      '<a xmlns:p="urn:1" xmlns:q="urn:q"><b xmlns:p="urn:2"><c>p:x</c></b><d/></a>',
    );
    const [b, d] = root.children;
    assert.equal(b?.children[0]?.prefixes.p, 'urn:2');
    assert.equal(b?.children[0]?.prefixes.q, 'urn:q');
    assert.equal(d?.prefixes.p, 'urn:1');
    assert.equal(d?.prefixes.toString, undefined);
  });

  it('takes a declaration of XML 1.0 in UTF-8, a byte order mark, and comments', () => {
    const text = '\ufeff<?xml version="1.0" encoding="utf-8"?><!-- a --><b>x<!-- y -->z</b>';
    assert.equal(read(text).text, 'xz');
  });

  it('leaves white space out beside children, and keeps it in text', () => {
    const root = read('<a> <b> x </b> </a>');
    assert.equal(root.text, '');
    assert.equal(root.children[0]?.text, ' x ');
  });

  const refused: [string, string | Buffer, RegExp][] = [
    ['nothing', '', /root element/],
    ['text alone', 'abc', /outside of root/],
    ['two roots', '<a/><b/>', /one root/],
    ['an element without end', '<a><b></b>', /unclosed tag/],
    ['ends that cross', '<a><b></a></b>', /unexpected close tag/],
    ['an attribute twice', '<a x="1" x="2"/>', /duplicate attribute/],
    [
      'an attribute twice by its namespace',
      '<a xmlns:p="u" xmlns:q="u" p:x="" q:x=""/>',
      /duplicate/,
    ],
    ['a prefix that is not declared', '<p:a/>', /unbound namespace prefix/],
    ['a prefix of an attribute that is not declared', '<a p:x=""/>', /unbound namespace prefix/],
    ['a prefix for no namespace', '<a xmlns:p=""/>', /undefine prefix/],
    ['a control character', '<a>\u0001</a>', /disallowed character/],
    ['a reference to a control character', '<a>&#1;</a>', /./],
    ['a document type declaration', '<!DOCTYPE a><a/>', /document type declaration/],
    ['entities', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', /document type declaration/],
    ['an entity that is not declared', '<a>&b;</a>', /entity/],
    ['a processing instruction', '<a><?b c?></a>', /processing instruction/],
    ['a style sheet', '<?xml-stylesheet href="x"?><a/>', /processing instruction/],
    ['text beside children', '<a>x<b/></a>', /<a> has text beside its elements/],
    ['text behind children', '<a><b/>x</a>', /<a> has text beside its elements/],
    ['another encoding', '<?xml version="1.0" encoding="ISO-8859-1"?><a/>', /encoding/],
    ['XML 1.1', '<?xml version="1.1"?><a/>', /version/],
    ['Latin 1', Buffer.from('<a>\xe9</a>', 'latin1'), /UTF-8/],
    ['a surrogate in UTF-8', Buffer.from('3c613eeda0803c2f613e', 'hex'), /UTF-8/],
    ['UTF-16', Buffer.from('<a/>', 'utf16le'), /./],
  ];
  for (const [what, text, reason] of refused) it(`refuses ${what}`, () => refuses(text, reason));

  const attributes = (count: number) =>
    Array.from({ length: count }, (_, index) => ` x${index}=""`).join('');
  const bounds: [string, (size: number) => string, number, RegExp][] = [
    ['depth', (size) => '<a>'.repeat(size) + '</a>'.repeat(size), limits.depth, /nested/],
    ['attributes', (size) => `<a${attributes(size)}/>`, limits.attributes, /attributes/],
    [
      'namespaces',
      (size) => `<a${attributes(size).replaceAll(' x', ' xmlns:x').replaceAll('""', '"u"')}/>`,
      limits.attributes,
      /attributes/,
    ],
    ['elements', (size) => `<a>${'<b/>'.repeat(size - 1)}</a>`, limits.elements, /elements/],
    ['length of a name', (size) => `<${'a'.repeat(size)}/>`, limits.nameLength, /name/],
    [
      'length of the name of an attribute',
      (size) => `<a ${'b'.repeat(size)}=""/>`,
      limits.nameLength,
      /name/,
    ],
  ];
  for (const [what, make, limit, reason] of bounds)
    it(`bounds ${what}`, () => {
      read(make(limit));
      refuses(make(limit + 1), reason);
    });

  it('quotes no more than a part of what was sent in a reason', () => {
    assert.throws(
      () => read(`<a></${'b'.repeat(5000)}>`),
      (error) => error instanceof XmlError && error.message.length <= 200,
    );
  });
});
