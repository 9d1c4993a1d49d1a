import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generateCertificate } from '../../../src/manager/credential/generated-certificate.ts';
import { planRekey } from '../../../src/manager/csr/renewal.ts';

const policy = { validDays: 10, renewBeforeDays: 1, organization: 'Test' } as const;
const identity = { hostName: 'bmc', addresses: [] };
const { leaf } = generateCertificate(identity, { ...policy, curve: 'prime256v1' }, Date.now());

describe('the key of a successor to a certificate on P-256', () => {
  const own = { kind: 'EC', curve: 'prime256v1' };
  const rows = [
    { asked: {}, algorithm: own },
    { asked: { KeyPairAlgorithm: 'EC' }, algorithm: own },
    { asked: { KeyPairAlgorithm: 'TPM_ALG_ECDSA' }, algorithm: own },
    { asked: { KeyBitLength: 3072n }, algorithm: { kind: 'RSA', bits: 3072 } },
    { asked: { KeyPairAlgorithm: 'RSA' }, algorithm: { kind: 'RSA', bits: 2048 } },
    { asked: { KeyCurveId: 'P-384' }, algorithm: { kind: 'EC', curve: 'secp384r1' } },
    {
      asked: { KeyPairAlgorithm: 'EC', KeyCurveId: 'TPM_ECC_NIST_P521' },
      algorithm: { kind: 'EC', curve: 'secp521r1' },
    },
  ];
  for (const { asked, algorithm } of rows) {
    const shown = Object.entries(asked).map(([name, value]) => `${name} ${value}`);
    it(`is ${JSON.stringify(algorithm)} when asked for ${shown.join(', ') || 'nothing'}`, () => {
      const parameters = {
        ChallengePassword: '',
        KeyBitLength: 0n,
        KeyCurveId: '',
        KeyPairAlgorithm: '',
        ...asked,
      };
      assert.deepEqual(planRekey(leaf, parameters).algorithm, algorithm);
    });
  }

  it('is refused with the name of what cannot be', () => {
    const parameters = { ChallengePassword: '', KeyBitLength: 1000n, KeyCurveId: '' };
    assert.throws(() => planRekey(leaf, { ...parameters, KeyPairAlgorithm: '' }), {
      code: 'argument-invalid',
      message: /^KeyBitLength /,
    });
  });
});
