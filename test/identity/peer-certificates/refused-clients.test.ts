import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RefusedClients } from '../../../src/identity/peer-certificates/refused-clients.ts';
import { utf8String } from '../../../src/x509/der.ts';
import { withSubject } from '../../fakes/forged-names.ts';

describe('the list of refused clients', () => {
  it('has the newest first, with the time, the address and the certificate', () => {
    const refused = new RefusedClients();
    const certificate = withSubject(utf8String('alice'));
    refused.add(1, 'no-certificate', '192.0.2.1', undefined);
    refused.add(2, 'expired', '192.0.2.2', certificate);
    assert.deepEqual(refused.list(), [
      {
        ...{ at: 2, count: 1, reason: 'expired', address: '192.0.2.2', subject: 'CN=alice' },
        fingerprint: `04:${certificate.x509.fingerprint256}`,
      },
      {
        ...{ at: 1, count: 1, reason: 'no-certificate', address: '192.0.2.1', subject: '' },
        fingerprint: '',
      },
    ]);
  });

  it('is bounded, and a client that tries again and again moves none of the others out', () => {
    const refused = new RefusedClients({ entries: 3, perAddress: 2 });
    for (const address of ['a', 'b', 'c', 'd']) {
      refused.add(1, 'expired', address, undefined);
    }
    for (let time = 2; time < 100; time += 1) refused.add(time, 'expired', 'b', undefined);
    const entries = refused.list().map(({ address, count, at }) => [address, count, at]);
    assert.deepEqual(entries, [
      ['b', 98 + 1, 99],
      ['d', 1, 1],
      ['c', 1, 1],
    ]);
  });

  it('keeps the clients of other addresses, whatever a single one shows', () => {
    const refused = new RefusedClients({ entries: 5, perAddress: 2 });
    refused.add(1, 'expired', '192.0.2.1', undefined);
    for (let at = 2; at < 20; at += 1) {
      const address = `2001:db8::${at}`;
      refused.add(at, 'untrusted-issuer', address, withSubject(utf8String(`${at}`)));
    }
    const addresses = refused.list().map(({ address }) => address);
    assert.deepEqual(addresses, ['2001:db8::19', '2001:db8::18', '192.0.2.1']);
  });

  it('shows a subject of any characters as one short line', () => {
    const refused = new RefusedClients();
    const certificate = withSubject(utf8String(`a\n\u202e\u001b[2J${'x'.repeat(300)}`));
    refused.add(1, 'expired', 'a', certificate);
    const [only] = refused.list();
    assert.match(only?.subject ?? '', /^CN=a\\u\{a\}\\u\{202e\}\\u\{1b\}\[2Jx+…$/);
    assert.ok((only?.subject.length ?? 0) < 300);
  });
});
