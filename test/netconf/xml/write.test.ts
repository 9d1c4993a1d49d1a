import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Element, element } from '../../../src/netconf/xml/element.ts';
import { readXml } from '../../../src/netconf/xml/read.ts';
import { writeComment, writeXml } from '../../../src/netconf/xml/write.ts';
import { messageLimits } from '../message-limits.ts';

const limits = { ...messageLimits, elements: 100_000 };
const read = (text: string) => readXml(Buffer.from(text), limits);

/** An element without what says the same in other words. */
function meaning({ name, namespace, attributes, children, text }: Element): unknown {
  return { name, namespace, attributes, text, children: children.map(meaning) };
}

describe('XML that is written', () => {
  it('declares a namespace where it changes', () => {
    const tree = element('urn:a', 'a', [element('urn:a', 'b', 'x'), element('', 'c', [])]);
    assert.equal(writeXml(tree), '<a xmlns="urn:a"><b>x</b><c xmlns=""/></a>');
  });

  it('declares the prefixes that an element brings, and those that its attributes need', () => {
    const tree = element('urn:a', 'a', 'p:x', {
      prefixes: { p: 'urn:p' },
      attributes: [
        { name: 'b', namespace: 'urn:b', value: '1' },
        { name: 'c', namespace: 'urn:p', value: '2' },
      ],
    });
    const text = '<a xmlns:p="urn:p" xmlns="urn:a" xmlns:n1="urn:b" n1:b="1" p:c="2">p:x</a>';
    assert.equal(writeXml(tree), text);
  });

  it('keeps a default namespace that an element brings for its value', () => {
    const tree = element('urn:a', 'a', 'x', { prefixes: { '': 'urn:x' } });
    assert.equal(writeXml(tree), '<n1:a xmlns="urn:x" xmlns:n1="urn:a">x</n1:a>');
  });

  it('declares for a part of a document what was declared further out', () => {
    const [part] = read('<a xmlns="urn:a" xmlns:p="urn:p"><b>p:x</b></a>').children;
    assert.ok(part);
    assert.equal(read(writeXml(part)).prefixes.p, 'urn:p');
  });

  it('replaces characters that XML cannot have', () => {
    assert.equal(writeXml(element('', 'a', 'x\u0000\ud800y\uffff')), '<a>x\ufffd\ufffdy\ufffd</a>');
  });

  it('has no end of a message in it', () => {
    const hostile = ']]>]]>';
    const attributes = [{ name: 'x', namespace: '', value: hostile }];
    const tree = element(hostile, 'a', hostile, { attributes });
    assert.ok(!writeXml(tree).includes(']]>'));
    assert.ok(!writeComment(hostile).includes(']]>'));
  });

  const comments = ['alice', 'svc-backup', '--', 'a--><b/>', '-', 'a--', '\u0000', ']]>]]>'];
  for (const text of comments)
    it(`writes a comment for ${JSON.stringify(text)} that ends where it should`, () => {
      assert.deepEqual(meaning(read(`${writeComment(text)}<a/>`)), meaning(element('', 'a')));
    });

  it('leaves an ordinary name as it is in a comment', () => {
    assert.equal(writeComment('user svc-backup'), '<!-- user svc-backup -->');
  });

  it('reads as what was written', () => {
    fc.assert(
      fc.property(trees(), (tree) => {
        assert.deepEqual(meaning(read(writeXml(tree))), meaning(tree));
      }),
    );
  });

  it('is written as it was read', () => {
    fc.assert(
      fc.property(trees(), (tree) => {
        const text = writeXml(tree);
        assert.equal(writeXml(read(text)), text);
      }),
    );
  });
});

/** Elements of any shape, with prefixes and attributes that get in each other's way. */
function trees(): fc.Arbitrary<Element> {
  const namespace = fc.constantFrom('', 'urn:a', 'urn:b', 'urn:c&"<>');
  const name = fc.constantFrom('a', 'b-c', '_d', 'é', '__proto__');
  const text = fc.string({ unit: 'binary' }).map((some) => some.replace(illegal, ''));
  const attributes = fc.uniqueArray(
    fc.record({ name, namespace, value: text }, { noNullPrototype: true }),
    {
      selector: ({ name, namespace }) => `${namespace} ${name}`,
      maxLength: 4,
    },
  );
  const prefixes = fc.dictionary(fc.constantFrom('p', 'n1'), fc.constantFrom('urn:a', 'urn:b'));
  const extras = fc.record({ attributes, prefixes }, { noNullPrototype: true });
  return fc.letrec<{ tree: Element }>((tie) => ({
    tree: fc
      .tuple(
        namespace,
        name,
        fc.oneof({ depthSize: 'small' }, text, fc.array(tie('tree'), { maxLength: 4 })),
        extras,
      )
      .map(([namespace, name, content, extras]) => element(namespace, name, content, extras)),
  })).tree;
}

const illegal = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
