import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Health, statusOf } from '../../../src/redfish/certificates/health.ts';
import { renderCondition } from '../../../src/redfish/messages/certificate-registry.ts';
import { makeCredential } from '../../fakes/credentials.ts';

const day = 86_400_000;
const { certificate } = makeCredential('bmc');

describe('the health of a certificate is the worst of', () => {
  const rows: readonly (readonly [number, readonly ('Warning' | 'Critical')[], Health])[] = [
    [1, [], 'OK'],
    [1, ['Warning'], 'Warning'],
    [1, ['Warning', 'Critical'], 'Critical'],
    [1, ['Critical', 'Warning'], 'Critical'],
    [390, ['Warning'], 'Warning'],
    [390, ['Critical'], 'Critical'],
    [400, ['Warning'], 'Critical'],
    [-2, [], 'Warning'],
  ];
  for (const [days, severities, expected] of rows) {
    it(`day ${days} of 397 and ${severities.join(' and ') || 'no condition'}: ${expected}`, () => {
      const lifetime = { now: () => Date.now() + days * day, expiryThresholds: [30] };
      const conditions = severities.map((severity) =>
        severity === 'Critical'
          ? renderCondition({ id: 'CertificateNotServed', args: ['AB', 'x'] }, 0)
          : renderCondition({ id: 'CertificateServedFromMemory', args: ['x'] }, 0),
      );
      const status = statusOf(certificate, lifetime, conditions);
      assert.equal(status.Health, expected);
      assert.equal(status.Conditions?.length, severities.length || undefined);
    });
  }
});
