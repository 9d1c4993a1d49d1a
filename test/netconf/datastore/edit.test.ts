import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { toElements } from '../../../src/netconf/datastore/data-node.ts';
import { applyEdit, type EditOperation } from '../../../src/netconf/datastore/edit.ts';
import { configuration } from '../../../src/netconf/models/configuration.ts';
import { RpcError } from '../../../src/netconf/rpc/rpc-error.ts';
import { readXml } from '../../../src/netconf/xml/read.ts';
import { writeXml } from '../../../src/netconf/xml/write.ts';
import { processorTime } from '../../fakes/processor-time.ts';
import { type Attributes, bag, bags, certificate, key, keys } from '../messages.ts';

const limits = { bytes: 1 << 20, elements: 10_000, depth: 64, attributes: 64, nameLength: 256 };
const many = { ...limits, bytes: 1 << 24, elements: 100_000 };
const read = (content: string) => readXml(Buffer.from(`<config>${content}</config>`), limits);

/** The tree that is there when a configuration is put into an empty datastore. */
const treeOf = (content: string) => applyEdit(configuration, [], read(content), 'merge');
const textOf = (tree: ReturnType<typeof treeOf>) => toElements(tree).map(writeXml).join('');

const names = fc.constantFrom('a', 'b', 'c');
const data = fc.constantFrom('AAAA', 'BBBB', 'CCCC');
const operations = fc.constantFrom<Attributes>(
  ...([undefined, 'merge', 'replace', 'create', 'delete', 'remove'] as const),
);
const unique = { selector: ([name]: readonly [string, ...unknown[]]) => name };

/** Bags with certificates, each with an operation. */
const edits = fc
  .uniqueArray(
    fc.tuple(names, operations, fc.uniqueArray(fc.tuple(names, data, operations), unique)),
    unique,
  )
  .map((list) =>
    bags(
      ...list.map(([name, operation, members]) =>
        bag(name, members.map((one) => certificate(...one)).join(''), operation),
      ),
    ),
  );
const contents = fc
  .uniqueArray(fc.tuple(names, fc.uniqueArray(fc.tuple(names, data), unique)), unique)
  .map((list) =>
    bags(
      ...list.map(([name, members]) =>
        bag(name, members.map(([of, value]) => certificate(of, value)).join('')),
      ),
    ),
  );

describe('an edit of a tree', () => {
  it('that is what is written of a tree makes the same tree', () => {
    fc.assert(
      fc.property(contents, (content) => {
        const tree = treeOf(content);
        for (const operation of ['merge', 'replace', 'none'] as const)
          assert.equal(
            textOf(applyEdit(configuration, tree, read(textOf(tree)), operation)),
            textOf(tree),
          );
      }),
    );
  });

  it('that replaces leaves nothing of what was there', () => {
    fc.assert(
      fc.property(contents, contents, (before, after) => {
        const edited = applyEdit(configuration, treeOf(before), read(after), 'replace');
        assert.equal(textOf(edited), textOf(treeOf(after)));
      }),
    );
  });

  it('that is refused leaves the tree as it was, and names an error of RFC 6241', () => {
    fc.assert(
      fc.property(
        contents,
        edits,
        fc.constantFrom<EditOperation>('merge', 'replace', 'none'),
        (content, edit, operation) => {
          const tree = treeOf(content);
          const before = textOf(tree);
          try {
            applyEdit(configuration, tree, read(edit), operation);
          } catch (error) {
            assert.ok(error instanceof RpcError);
            assert.ok(['data-exists', 'data-missing'].includes(error.tag), error.tag);
            assert.ok(error.path);
          }
          assert.equal(textOf(tree), before);
        },
      ),
    );
  });

  it('leaves the nodes alone that it is not about', () => {
    const content = keys(key('k', certificate('x', 'AAAA'))) + bags(bag('a'), bag('b'));
    const tree = treeOf(content);
    const edited = applyEdit(configuration, tree, read(bags(bag('b', '', 'delete'))), 'merge');
    assert.equal(edited[0], tree[0]);
    assert.notEqual(edited[1], tree[1]);
    assert.equal(edited[1]?.children[0]?.children[0], tree[1]?.children[0]?.children[0]);
  });

  it('of a container makes and deletes all of it, and finds it missing where it is empty', () => {
    const operation = (name: string, what: string) =>
      `<${name} xmlns="urn:ietf:params:xml:ns:yang:ietf-truststore" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="${what}"/>`;
    const tree = treeOf(bags(bag('a')));
    const deleted = applyEdit(
      configuration,
      tree,
      read(operation('truststore', 'delete')),
      'merge',
    );
    assert.equal(textOf(deleted), '');
    for (const [of, what, tag] of [
      [tree, 'create', 'data-exists'],
      [deleted, 'delete', 'data-missing'],
    ] as const)
      assert.throws(
        () => applyEdit(configuration, of, read(operation('truststore', what)), 'merge'),
        (error) => error instanceof RpcError && error.tag === tag,
      );
  });

  it('of many entries takes time that grows with their number, and not with its square', () => {
    const config = (number: number) => {
      const all = Array.from({ length: number }, (_, at) => bag(`${at}`));
      return readXml(Buffer.from(`<config>${bags(...all)}</config>`), many);
    };
    const few = config(2000);
    const tenfold = config(20_000);
    const edit = (content: ReturnType<typeof config>) => {
      const tree = applyEdit(configuration, [], content, 'merge');
      applyEdit(configuration, tree, content, 'merge');
    };
    edit(few);
    const [short, long] = [processorTime(() => edit(few)), processorTime(() => edit(tenfold))];
    assert.ok(long < 50 * Math.max(short, 1), `${short} and ${long} milliseconds`);
  });

  it('names what it is about in error-path, whatever its name has in it', () => {
    for (const [name, predicate] of [
      ["it's", `[p1:name="it's"]`],
      ['a "b"', `[p1:name='a "b"']`],
      [`'"`, `[p1:name="''"]`],
    ] as const) {
      const edit = bags(bag(name.replaceAll('"', '&quot;'), '', 'delete'));
      assert.throws(
        () => applyEdit(configuration, [], read(edit), 'merge'),
        (error) => error instanceof RpcError && error.path?.expression.endsWith(predicate) === true,
      );
    }
  });
});
