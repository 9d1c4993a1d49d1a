import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import type { Endpoint } from '../../../src/manager/endpoint.ts';
import { Signer } from '../../../src/manager/signing/signer.ts';
import { encode, octetString, sequence, unsignedInteger } from '../../../src/x509/der.ts';
import { refusal } from '../../fakes/refusal.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const endpointOf = (): Endpoint =>
  Object.create(null, { requests: { value: { keyOf: async () => privateKey } } });
/** A SEQUENCE that is seven bytes longer. */
const dataOf = (length: number) =>
  encode(sequence(unsignedInteger(Buffer.of(2)), octetString(Buffer.alloc(length))));

test('an endpoint signs as often in a minute as the limit says, whatever others do', async () => {
  let elapsed = 0;
  const signer = new Signer({ bytes: 100, perMinute: 2 }, () => elapsed);
  const [one, other] = [endpointOf(), endpointOf()];
  const sign = (endpoint: Endpoint) => signer.sign(endpoint, '', 'sha256', dataOf(1));
  await sign(one);
  elapsed = 30_000;
  await sign(one);
  await assert.rejects(sign(one), refusal('busy', /2 times/));
  await sign(other);
  elapsed = 60_000;
  await sign(one);
  await assert.rejects(sign(one), refusal('busy'));
});

test('no more is signed than the limit says', async () => {
  const signer = new Signer({ bytes: 100, perMinute: 10 }, () => 0);
  const endpoint = endpointOf();
  await signer.sign(endpoint, '', 'sha256', dataOf(93));
  const tooLong = signer.sign(endpoint, '', 'sha256', dataOf(94));
  await assert.rejects(tooLong, refusal('argument-invalid', /100 bytes/));
});
