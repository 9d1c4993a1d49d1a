import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collectionsOf } from '../../../src/redfish/certificates/collections.ts';
import { admit } from '../../../src/redfish/certificates/submitted.ts';
import { pemContent } from '../../../src/x509/containers.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { formatPem } from '../../../src/x509/pem.ts';
import { forgeCertificate } from '../../fakes/forged-certificate.ts';
import { refusal } from '../../fakes/refusal.ts';

describe('what is submitted for a truststore', () => {
  const [collection] = collectionsOf('bmc', [{ type: 'authority', name: 'truststore' }]);
  assert.ok(collection);
  const ofBytes = (length: number) =>
    forgeCertificate({
      extensions: [{ id: '1.2.3', critical: false, value: Buffer.alloc(length) }],
    });

  it('is refused before it goes to the manager where a certificate is larger than any', () => {
    const content = { bytes: ofBytes(300_000), format: 'DER', password: '' } as const;
    const words = /larger than 262144 bytes/;
    assert.throws(
      () => admit(collection, content, usualLimits),
      refusal('certificate-malformed', words),
    );
  });

  it('goes to the manager as the DER of the authority, without a key beside it', () => {
    const der = ofBytes(10);
    const pem = formatPem('CERTIFICATE', der) + formatPem('PRIVATE KEY', Buffer.from('key'));
    const { content, certificates } = admit(collection, pemContent(pem), usualLimits);
    assert.deepEqual(content, { bytes: der, format: 'DER', password: '' });
    assert.deepEqual(
      certificates().map((one) => one.der),
      [der],
    );
  });

  it('goes to the manager as it is where there is no certificate in it', () => {
    const content = pemContent('no certificate');
    assert.equal(admit(collection, content, usualLimits).content, content);
  });
});
