import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readCertificate } from '../../src/x509/certificate.ts';
import { bitString, decode, encode, oid, sequence } from '../../src/x509/der.ts';
import { forgeCertificate } from '../fakes/forged-certificate.ts';
import { refusal } from '../fakes/refusal.ts';

const ecPublicKey = '1.2.840.10045.2.1';
const prime256v1 = '1.2.840.10045.3.1.7';

it('a certificate whose EC key is the point at infinity is malformed: to ask for its curve would end the process', () => {
  const der = forgeCertificate({});
  const [tbs, ...rest] = childrenOf(der);
  const fields = childrenOf(encodeOf(tbs));
  fields[6] = sequence(sequence(oid(ecPublicKey), oid(prime256v1)), bitString(Buffer.of(0)));
  const infinite = encode(sequence(sequence(...fields), ...rest));
  assert.throws(() => readCertificate(infinite), refusal('certificate-malformed', /public key/));
});

function childrenOf(der: Buffer) {
  const { value } = decode(der);
  assert.ok(Array.isArray(value));
  return value;
}

function encodeOf(node: Parameters<typeof encode>[0] | undefined): Buffer {
  assert.ok(node);
  return encode(node);
}
