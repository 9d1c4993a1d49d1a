import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RpcError } from '../../../src/netconf/rpc/rpc-error.ts';
import { filterSubtree } from '../../../src/netconf/rpc/subtree-filter.ts';
import { type Element, element } from '../../../src/netconf/xml/element.ts';
import { readXml } from '../../../src/netconf/xml/read.ts';
import { writeXml } from '../../../src/netconf/xml/write.ts';
import { messageLimits } from '../message-limits.ts';

/** The elements of a text, in which white space between elements is for the reader. */
function elements(text: string): readonly Element[] {
  return readXml(Buffer.from(`<all>${text}</all>`), messageLimits).children;
}

function written(all: readonly Element[]): string {
  return all.map(writeXml).join('');
}

const namespace = 'http://example.com/schema/1.2/config';

function user(name: string, type: string, fullName: string, id: number): string {
  const info = `<company-info><dept>${id}</dept><id>${id}</id></company-info>`;
  return `<user><name>${name}</name><type>${type}</type><full-name>${fullName}</full-name>${info}</user>`;
}

const root = user('root', 'superuser', 'Charlie Root', 1);
const fred = user('fred', 'admin', 'Fred Flintstone', 2);
const barney = user('barney', 'admin', 'Barney Rubble', 3);
const top = (content: string) => `<top xmlns="${namespace}">${content}</top>`;
const users = `<users>${root}${fred}${barney}</users>`;
const groups = '<groups><group><name>admin</name></group></groups>';

/** The example of RFC 6241 §6.4, and what else decides. */
const rows: [string, string, string][] = [
  ['§6.4.1, no filter element: an empty filter selects nothing', '', ''],
  ['§6.4.2, the entire container', top('<users/>'), top(users)],
  ['§6.4.2, an empty containment node', '<top/>', top(users + groups)],
  [
    '§6.4.3, all names of users',
    top('<users><user><name/></user></users>'),
    top(
      '<users><user><name>root</name></user><user><name>fred</name></user><user><name>barney</name></user></users>',
    ),
  ],
  [
    '§6.4.4, one user',
    top('<users><user><name>fred</name></user></users>'),
    top(`<users>${fred}</users>`),
  ],
  [
    '§6.4.5, some of one user',
    top('<users><user><name>fred</name><type/><full-name/></user></users>'),
    top(
      '<users><user><name>fred</name><type>admin</type><full-name>Fred Flintstone</full-name></user></users>',
    ),
  ],
  [
    '§6.4.6, parts of several users',
    top(
      `<users><user><name>root</name><company-info/></user><user><name>fred</name><company-info><id/></company-info></user>
       <user><name>barney</name><type>superuser</type><company-info><dept/></company-info></user></users>`,
    ),
    top(
      `<users><user><name>root</name><company-info><dept>1</dept><id>1</id></company-info></user><user><name>fred</name><company-info><id>2</id></company-info></user></users>`,
    ),
  ],
  [
    'several subtrees',
    top('<groups/><users><user><name>fred</name></user></users>'),
    top(`<users>${fred}</users>${groups}`),
  ],
  ['the same subtree twice', top('<groups/>') + top('<groups/>'), top(groups)],
  [
    'one entry by two nodes, of which each selects a part',
    top(
      '<users><user><name>fred</name><type/></user><user><name>fred</name><full-name/></user></users>',
    ),
    top(
      '<users><user><name>fred</name><type>admin</type><full-name>Fred Flintstone</full-name></user></users>',
    ),
  ],
  [
    'white space around what has to match',
    top('<users><user><name>\n fred\t</name></user></users>'),
    top(`<users>${fred}</users>`),
  ],
  [
    'a leaf of white space, which selects',
    top('<groups><group><name> </name></group></groups>'),
    top(groups),
  ],
  ['content that nothing has', top('<users><user><name>wilma</name></user></users>'), ''],
  [
    'two contents, of which an entry has one',
    top('<users><user><name>fred</name><type>superuser</type></user></users>'),
    '',
  ],
  ['a name that nothing has', top('<users><user><age/></user></users>'), ''],
  ['content where there are elements', top('<users>fred</users>'), ''],
  ['another namespace', '<top xmlns="urn:other"><users/></top>', ''],
  ['no namespace, which is any', '<top><groups/></top>', top(groups)],
  [
    'the namespace of the messages, which is any',
    '<top xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><groups/></top>',
    top(groups),
  ],
];

const interfaces =
  '<t xmlns="urn:t" xmlns:p="urn:p"><interfaces><interface p:ifName="eth0"><n>0</n></interface><interface p:ifName="eth1"><n>1</n></interface></interfaces></t>';

describe('a subtree filter', () => {
  const data = elements(top(users + groups));
  for (const [what, filter, expected] of rows)
    it(`selects by ${what}`, () => {
      assert.equal(written(filterSubtree(elements(filter), data)), expected);
    });

  it('selects by the value of an attribute in its namespace (§6.4.8)', () => {
    const selected = (attribute: string) => {
      const text = `<t:t xmlns:t="urn:t" xmlns:p="urn:p"><t:interfaces><t:interface ${attribute}/></t:interfaces></t:t>`;
      const [found] = filterSubtree(elements(text), elements(interfaces));
      return found?.children[0]?.children.map(({ children: [n] }) => n?.text);
    };
    assert.deepEqual(selected('p:ifName="eth1"'), ['1']);
    assert.equal(selected('p:ifName="eth2"'), undefined);
    assert.equal(selected('ifName="eth1"'), undefined);
  });

  it('gives the keys of an entry with what is selected of it, and without it nothing', () => {
    const keysOf = ({ name }: Element) => (name === 'user' ? ['name'] : []);
    const select = (filter: string) => written(filterSubtree(elements(filter), data, { keysOf }));
    const expected = [root, fred, barney].map((text) => {
      const [, name, type] = /(<name>.*<\/name>)(<type>.*<\/type>)/.exec(text) ?? [];
      return `<user>${name}${type}</user>`;
    });
    assert.equal(
      select(top('<users><user><type/></user></users>')),
      top(`<users>${expected.join('')}</users>`),
    );
    assert.equal(select(top('<users><user><age/></user></users>')), '');
  });

  it('refuses a filter that takes too many comparisons', () => {
    const filter = elements(top('<users><user><name>fred</name></user></users>').repeat(20));
    assert.throws(
      () => filterSubtree(filter, data, { maxComparisons: 100 }),
      (error) => error instanceof RpcError && error.tag === 'too-big',
    );
    assert.equal(filterSubtree(filter, data, { maxComparisons: 1000 }).length, 1);
  });

  const name = fc.constantFrom('a', 'b', 'c');
  const trees = fc.letrec<{ tree: Element }>((tie) => ({
    tree: fc
      .tuple(
        name,
        fc.oneof(
          { depthSize: 'small' },
          fc.constantFrom('', 'x', 'y'),
          fc.array(tie('tree'), { maxLength: 3 }),
        ),
      )
      .map(([name, content]) => element('urn:a', name, content)),
  })).tree;
  const forests = fc.array(trees, { maxLength: 4 });

  it('gives a part of the data, and of that part the same', () => {
    fc.assert(
      fc.property(forests, forests, (filter, data) => {
        const selected = filterSubtree(filter, data);
        assert.ok(arePartOf(selected, data));
        assert.deepEqual(filterSubtree(filter, selected), selected);
      }),
    );
  });

  it('gives more for a filter with more in it', () => {
    fc.assert(
      fc.property(forests, forests, forests, (filter, more, data) => {
        const selected = filterSubtree(filter, data);
        assert.ok(arePartOf(selected, filterSubtree([...filter, ...more], data)));
      }),
    );
  });

  it('gives all of the data that it names', () => {
    fc.assert(
      fc.property(forests, (data) => {
        const all = data.map(({ name }) => element('urn:a', name));
        assert.deepEqual(filterSubtree(all, data), data);
      }),
    );
  });
});

/** Whether the elements, in their order, are among the others, each with no more in it than there. */
function arePartOf(parts: readonly Element[], whole: readonly Element[]): boolean {
  const rest = [...whole];
  return parts.every((part) => {
    while (rest.length > 0) {
      const one = rest.shift();
      if (one && isPartOf(part, one)) return true;
    }
    return false;
  });
}

function isPartOf(part: Element, one: Element): boolean {
  return part.name === one.name && part.text === one.text && arePartOf(part.children, one.children);
}
