import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planRequest } from '../../src/manager/csr/plan.ts';
import { csrUsage, parseCsrOptions } from '../../src/operator/csr-options.ts';
import { refusal } from '../fakes/refusal.ts';

describe('the options of bmc-certs csr', () => {
  it('give every parameter but the password, which other users of the device would see', () => {
    assert.match(csrUsage, /\[--common-name TEXT\] .*\[--organizational-unit TEXT\]/s);
    assert.match(csrUsage, /\[--name TEXT\]… .*\[--usage TEXT\]…/s);
    assert.doesNotMatch(csrUsage, /password/i);
    assert.throws(() => parseCsrOptions(['--challenge-password', 'x']), /challenge-password/);
  });

  it('make a CSR for a server on secp384r1 where they say nothing else', () => {
    const { content, algorithm } = planRequest(parseCsrOptions(['--common-name', 'bmc']));
    assert.deepEqual(content.subject, [{ type: 'CN', value: 'bmc' }]);
    assert.deepEqual(content.usages, ['DigitalSignature', 'ServerAuthentication']);
    assert.deepEqual(algorithm, { kind: 'EC', curve: 'secp384r1' });
  });

  it('may name several names and usages, and the kind of the key', () => {
    const names = ['--name', 'a.example', '--name', '192.0.2.1', '--usage', 'ClientAuthentication'];
    const key = ['--algorithm', 'RSA', '--bits', '3072'];
    const { content, algorithm } = planRequest(parseCsrOptions([...names, ...key]));
    assert.deepEqual(
      content.alternativeNames.map(({ value }) => value),
      ['a.example', '192.0.2.1'],
    );
    assert.deepEqual(content.usages, ['ClientAuthentication']);
    assert.deepEqual(algorithm, { kind: 'RSA', bits: 3072 });
  });

  it('refuse a length that is no number as any other length that no key may have', () => {
    const given = parseCsrOptions(['--algorithm', 'RSA', '--bits', 'many']);
    assert.throws(
      () => planRequest(given),
      refusal('argument-invalid', /^KeyBitLength is none of/),
    );
  });
});
