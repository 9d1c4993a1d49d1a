import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { collectionsOf } from '../../../src/redfish/certificates/collections.ts';
import { admit, submittedContent } from '../../../src/redfish/certificates/submitted.ts';
import { makeBody } from '../../../src/redfish/http/request-body.ts';
import { openContent, pemContent } from '../../../src/x509/containers.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { formatPem, isCertificateBlock } from '../../../src/x509/pem.ts';
import { forgeCertificate } from '../../fakes/forged-certificate.ts';
import { openQuickly } from '../../fakes/opened-content.ts';
import { openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { refusal } from '../../fakes/refusal.ts';

describe('the body of a POST', () => {
  const tools = opensslAuthority();
  after(() => tools.remove());
  const { pem, path, keyPath } = tools.issue();
  const file = (...command: string[]) => {
    const out = join(tools.directory, 'made');
    openssl([...command, '-out', out]);
    return readFileSync(out);
  };
  const p12 = () => file('pkcs12', '-export', '-in', path, '-inkey', keyPath, '-passout', 'pass:');
  const p7 = () => file('crl2pkcs7', '-nocrl', '-certfile', path, '-outform', 'DER');
  const json = (CertificateString: string, CertificateType: string) =>
    Buffer.from(`\ufeff${JSON.stringify({ CertificateString, CertificateType })}`);

  const rows: readonly (readonly [string, () => Buffer])[] = [
    ['PEM', () => Buffer.from(pem)],
    ['DER', () => file('x509', '-in', path, '-outform', 'DER')],
    ['PKCS #7', p7],
    ['PKCS #12', p12],
    ['PKCS #12 in base64', () => Buffer.from(p12().toString('base64'))],
    ['JSON with a byte order mark', () => json(pem, 'PEM')],
    ['PKCS #12 in JSON that calls it PEM', () => json(p12().toString('base64'), 'PEM')],
    ['PEM in JSON that calls it PKCS12', () => json(pem, 'PKCS12')],
    ['PKCS #7 in JSON that calls it PEM', () => json(p7().toString('base64'), 'PEM')],
    ['DER in JSON', () => json(pem.replace(/-----.*\n/g, ''), 'PEM')],
  ];
  for (const [what, bytes] of rows) {
    it(`may be ${what}`, () => {
      const { content } = submittedContent(makeBody(bytes()), {
        uri: '/redfish/v1/Managers/bmc/Truststore/Certificates',
      });
      const found = openContent(content).filter(isCertificateBlock);
      assert.deepEqual(
        found.map(({ text }) => text),
        [pem],
      );
    });
  }
});

describe('what is submitted for a truststore', () => {
  const [collection] = collectionsOf('bmc', [{ type: 'authority', name: 'truststore' }]);
  assert.ok(collection);
  const ofBytes = (length: number) =>
    forgeCertificate({
      extensions: [{ id: '1.2.3', critical: false, value: Buffer.alloc(length) }],
    });

  const parts = { contentLimits: usualLimits, openContent: openQuickly };

  it('is refused before it goes to the manager where a certificate is larger than any', async () => {
    const content = { bytes: ofBytes(300_000), format: 'DER', password: '' } as const;
    const words = /larger than 262144 bytes/;
    await assert.rejects(
      admit(collection, content, parts, undefined),
      refusal('certificate-malformed', words),
    );
  });

  it('goes to the manager as the DER of the authority, without a key beside it', async () => {
    const der = ofBytes(10);
    const pem = formatPem('CERTIFICATE', der) + formatPem('PRIVATE KEY', Buffer.from('key'));
    const { content, certificates } = await admit(collection, pemContent(pem), parts, undefined);
    assert.deepEqual(content, { bytes: der, format: 'DER', password: '' });
    assert.deepEqual(
      (await certificates()).map((one) => one.der),
      [der],
    );
  });

  it('goes to the manager as it is where there is no certificate in it', async () => {
    const content = pemContent(formatPem('PRIVATE KEY', Buffer.from('key')));
    const admitted = await admit(collection, content, parts, undefined);
    assert.equal(admitted.content, content);
  });
});
