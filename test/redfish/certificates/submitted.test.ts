import assert from 'node:assert/strict';
import { it } from 'node:test';
import { certificatePlaces } from '../../../src/redfish/certificates/collections.ts';
import { admit } from '../../../src/redfish/certificates/submitted.ts';
import { forgeCertificate } from '../../fakes/forged-certificate.ts';
import { refusal } from '../../fakes/refusal.ts';

it('a certificate larger than any is refused before it goes to the manager', () => {
  const [place] = certificatePlaces('bmc', [{ type: 'authority', name: 'truststore' }]);
  assert.ok(place);
  const ofBytes = (length: number) => ({
    bytes: forgeCertificate({
      extensions: [{ id: '1.2.3', critical: false, value: Buffer.alloc(length) }],
    }),
    format: 'DER' as const,
    password: '',
  });
  const small = ofBytes(1000);
  assert.equal(admit(place, small), small);
  const words = /larger than 262144 bytes/;
  assert.throws(() => admit(place, ofBytes(300_000)), refusal('certificate-malformed', words));
});
