import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { jsonPlaces } from '../../src/core/json-places.ts';

const document = `{
  "a": { "b c": [1, {"d": null}] },
\t"\\u0065": "x\\"y",
  "a/b": 2
}`;

describe('a place in a JSON text', () => {
  const places: readonly [string, number, number][] = [
    ['', 1, 1],
    ['/a', 2, 3],
    ['/a/b c', 2, 10],
    ['/a/b c/0', 2, 18],
    ['/a/b c/1', 2, 21],
    ['/a/b c/1/d', 2, 22],
    ['/e', 3, 2],
    ['/a/b', 4, 3],
  ];
  for (const [pointer, line, column] of places) {
    it(`of ${pointer || 'the whole'} is line ${line}, column ${column}`, () => {
      assert.deepEqual(jsonPlaces(document).of(pointer), { line, column });
    });
  }

  it('of a member that is missing is that of the object', () => {
    assert.deepEqual(jsonPlaces(document).of('/a/x/y'), { line: 2, column: 3 });
    assert.deepEqual(jsonPlaces(document).of('/x'), { line: 1, column: 1 });
  });

  it('of a name that is there twice is the last one, which counts', () => {
    assert.deepEqual(jsonPlaces('{"a":1,\n"a":2}').of('/a'), { line: 2, column: 1 });
  });
});

describe('a text that is no JSON', () => {
  const faults: readonly [string, string, number, number, string, string][] = [
    ['nothing at all', '', 1, 1, '', 'a value'],
    ['a comma at the end', '{\n  "a": 1,\n}', 3, 1, '', 'a name in double quotes'],
    ['a comma at the end of a list', '{"a": [\n1,\n]}', 3, 1, '/a/1', 'a value'],
    ['a missing comma', '{\n  "a": {"b": [1\n  2]}\n}', 3, 3, '/a/b', 'a comma or ]'],
    ['a missing colon', '{"a" 1}', 1, 6, '/a', 'a colon'],
    ['no end', '{"a": [1, 2', 1, 12, '/a', 'a comma or ]'],
    ['something behind the end', '{}\n{}', 2, 1, '', 'the end'],
    ['a comment', '{ // port\n}', 1, 3, '', 'a name in double quotes'],
    ['a word', '{"a": yes}', 1, 7, '/a', 'a value'],
    ['a tab in a text', '{"a": "\t"}', 1, 7, '/a', 'a value'],
    ['single quotes', "{'a': 1}", 1, 2, '', 'a name in double quotes'],
    ['a number that begins with 0', '[012]', 1, 3, '', 'a comma or ]'],
  ];
  for (const [what, text, line, column, pointer, expected] of faults) {
    it(`because of ${what} has its fault at line ${line}, column ${column}, for want of ${expected}`, () => {
      assert.deepEqual(jsonPlaces(text).fault, { line, column, pointer, expected });
    });
  }

  it('is one that JSON.parse refuses, too', () => {
    const parses = (text: string) => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    const mutated = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', ']', ' ', '\\', '0', '{'))
      .map(([text, seed, put]) => {
        const at = seed % (text.length + 1);
        return text.slice(0, at) + put + text.slice(at + 1);
      });
    fc.assert(
      fc.property(mutated, (text) => {
        assert.equal(jsonPlaces(text).fault === undefined, parses(text), text);
      }),
    );
  });

  it('stops at a depth that no configuration has', () => {
    assert.ok(jsonPlaces('['.repeat(100_000)).fault);
  });
});
