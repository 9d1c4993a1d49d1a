import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoizedIsIssuedBy } from '../../../src/redfish/certificates/memoized-is-issued-by.ts';
import { readCertificate } from '../../../src/x509/certificate.ts';
import { parsePem } from '../../../src/x509/pem.ts';
import { makeSample } from '../../fakes/scripted-manager.ts';

const read = (pem: string) => {
  const [certificate] = parsePem(pem).map(({ der }) => readCertificate(der));
  assert.ok(certificate);
  return certificate;
};

describe('the verdicts on who issued whom', () => {
  const [a, b, c] = ['a', 'b', 'c'].map(makeSample).map(read);
  assert.ok(a && b && c);
  const asked: string[] = [];
  const names = new Map([
    [a.fingerprint, 'a'],
    [b.fingerprint, 'b'],
    [c.fingerprint, 'c'],
  ]);
  const counted = (max: number) => {
    asked.length = 0;
    return memoizedIsIssuedBy(max, (one, issuer) => {
      asked.push(`${names.get(one.fingerprint)} by ${names.get(issuer.fingerprint)}`);
      return one.fingerprint === issuer.fingerprint;
    });
  };

  it('are made once for each pair, in each direction, and for other readings of the same bytes', () => {
    const verdict = counted(10);
    for (let round = 0; round < 2; round++) {
      assert.equal(verdict(a, a), true);
      assert.equal(verdict(a, b), false);
      assert.equal(verdict(b, a), false);
    }
    assert.equal(verdict(read(a.pem), read(b.pem)), false);
    assert.deepEqual(asked, ['a by a', 'a by b', 'b by a']);
  });

  it('are forgotten from the oldest on when there are too many', () => {
    const verdict = counted(2);
    verdict(a, b);
    verdict(a, c);
    verdict(b, c);
    verdict(b, c);
    verdict(a, c);
    verdict(a, b);
    assert.deepEqual(asked, ['a by b', 'a by c', 'b by c', 'a by b']);
  });
});
