import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generateCertificate } from '../../../src/manager/credential/generated-certificate.ts';
import { makeRenewal, planRekey } from '../../../src/manager/csr/renewal.ts';
import { makeRequest } from '../../../src/x509/certification-request.ts';
import { generateKey } from '../../../src/x509/keys.ts';
import { openssl, certificateOf as readPem } from '../../fakes/openssl-authority.ts';

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
      assert.deepEqual(planRekey(leaf, parameters, 'client').algorithm, algorithm);
    });
  }

  it('is refused with the name of what cannot be', () => {
    const parameters = { ChallengePassword: '', KeyBitLength: 1000n, KeyCurveId: '' };
    assert.throws(() => planRekey(leaf, { ...parameters, KeyPairAlgorithm: '' }, 'client'), {
      code: 'argument-invalid',
      message: /^KeyBitLength /,
    });
  });
});

describe('the successor to a certificate of a server without alternative names', () => {
  const key = generateKey({ kind: 'EC', curve: 'prime256v1' });
  const curve = ['-pkeyopt', 'ec_paramgen_curve:P-256'];
  const anyKey = ['-newkey', 'ec', ...curve, '-nodes', '-keyout', '/dev/null'];
  const certificateOf = (...options: string[]) =>
    readPem(openssl(['req', '-x509', ...anyKey, ...options]));
  const none = { ChallengePassword: '', KeyBitLength: 0n, KeyCurveId: '', KeyPairAlgorithm: '' };
  const shown = (request: string) => openssl(['req', '-noout', '-text'], request);

  it('is asked for with the host that its common name is', () => {
    const leaf = certificateOf('-subj', '/O=Example/CN=bmc7.example.com');
    assert.match(shown(makeRenewal({ leaf, key }, '', 'server')), /DNS:bmc7\.example\.com\n/);
    const { content } = planRekey(leaf, none, 'server');
    assert.match(shown(makeRequest(content, key)), /DNS:bmc7\.example\.com\n/);
  });

  it('is asked for without any where the common name is no host, or of a client', () => {
    const leaf = certificateOf('-subj', '/CN=bmc7.example.com');
    assert.doesNotMatch(shown(makeRenewal({ leaf, key }, '', 'client')), /Alternative Name/);
    const rack = certificateOf('-subj', '/CN=Rack 7');
    assert.doesNotMatch(shown(makeRenewal({ leaf: rack, key }, '', 'server')), /Alternative Name/);
  });

  it('keeps those that the certificate has', () => {
    const leaf = certificateOf('-subj', '/CN=bmc7', '-addext', 'subjectAltName=email:a@b.example');
    const text = shown(makeRenewal({ leaf, key }, '', 'server'));
    assert.match(text, /email:a@b\.example\n/);
    assert.doesNotMatch(text, /DNS:/);
  });
});
