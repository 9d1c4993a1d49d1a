import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  endpointAt,
  endpointPath,
  escapeId,
  unescapeId,
} from '../../../src/dbus/endpoints/paths.ts';

const characters = [...'ABCXYZabcxyz0189._-'];
const ids = fc
  .string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength: 64 })
  .filter((id) => !id.startsWith('.'));

/** What systemd's bus_label_escape makes of them. */
const labels: readonly (readonly [string, string])[] = [
  ['gnoi-server1', 'gnoi_2dserver1'],
  ['a_b', 'a_5fb'],
  ['1.2', '_31_2e2'],
  ['_', '_5f'],
  ['A1', 'A1'],
];
for (const [id, label] of labels) {
  test(`the id ${id} is ${label} in a path`, () => {
    assert.equal(escapeId(id), label);
    assert.equal(unescapeId(label), id);
  });
}

test('every id has a path of its own, which D-Bus takes, and from which it comes back', () => {
  fc.assert(
    fc.property(ids, fc.constantFrom('server', 'client', 'authority'), (name, type) => {
      const path = endpointPath({ type, name });
      assert.match(path, /^\/xyz\/openbmc_project\/certs\/endpoints\/[a-z]+\/[A-Za-z0-9_]+$/);
      for (const one of [path, `${path}/1`, `${path}/csr`])
        assert.deepEqual(endpointAt(one), { type, name });
    }),
  );
});

test('what is no escaped id is none', () => {
  for (const label of ['', '_', 'a-b', 'a_2', '_2e', '_41', 'a_2F', '_c3_a4', 'a_00'])
    assert.equal(unescapeId(label), undefined, label);
  fc.assert(
    fc.property(fc.string(), (label) => {
      const id = unescapeId(label);
      if (id !== undefined) assert.equal(escapeId(id), label);
    }),
  );
});

test('another path is that of no endpoint', () => {
  for (const path of [
    '/',
    '/xyz/openbmc_project/certs/endpoints',
    '/xyz/openbmc_project/certs/server/https',
    '/xyz/openbmc_project/certs/endpoints/other/a',
  ])
    assert.equal(endpointAt(path), undefined, path);
});
