import assert from 'node:assert/strict';
import { it } from 'node:test';
import { contextConstructed, oid, sequence, unsignedInteger } from '../../src/x509/der.ts';
import { rfc5280ViolationsOf } from '../../src/x509/rfc5280-violations.ts';
import { processorTime } from '../fakes/processor-time.ts';

const algorithm = sequence(oid('1.2.3'));
const serial = unsignedInteger(Buffer.of(7));
const fields = [contextConstructed(0, unsignedInteger(Buffer.of(2))), serial, algorithm];
const extension = (id: string) => ({ id, critical: false, value: Buffer.alloc(0) });

it('names an extension that is there twice', () => {
  const ids = ['1.2.3', '1.2.4', '1.2.5', '1.2.4', '1.2.3'];
  const [breach, ...others] = rfc5280ViolationsOf(fields, ids.map(extension), algorithm);
  assert.equal(breach, 'the extension 1.2.4 is there twice (RFC 5280 §4.2)');
  assert.deepEqual(others, []);
});

it('looks for extensions that are there twice in no time, however many there are', () => {
  const extensions = Array.from({ length: 60_000 }, (_, n) => extension(`1.2.${n}`));
  const taken = processorTime(() => {
    assert.deepEqual(rfc5280ViolationsOf(fields, extensions, algorithm), []);
  });
  assert.ok(taken < 500, `it took ${taken} ms`);
});
