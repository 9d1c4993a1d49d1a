import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { missingNames } from '../../../src/manager/checks/names.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';

describe('the names that a certificate lacks', () => {
  const authority = opensslAuthority();
  after(() => authority.remove());
  const names = ['DNS:bmc.example.com', 'DNS:*.wild.example.com', 'IP:192.0.2.7', 'IP:2001:db8::7'];
  const { certificate } = authority.issue({
    subject: '/CN=common.example.com',
    extensions: [`subjectAltName=${names.join(',')}`],
  });

  const rows: readonly (readonly [name: string, isThere: boolean, why: string])[] = [
    ['bmc.example.com', true, 'stands there'],
    ['BMC.Example.COM', true, 'differs in case only'],
    ['other.example.com', false, 'does not stand there'],
    ['a.wild.example.com', true, 'is one label below a wildcard'],
    ['a.b.wild.example.com', false, 'is two labels below a wildcard'],
    ['wild.example.com', false, 'is what the wildcard is below'],
    ['*.wild.example.com', true, 'is the wildcard itself'],
    ['*.example.com', false, 'is another wildcard'],
    ['common.example.com', false, 'is the common name alone'],
    ['192.0.2.7', true, 'is an address that stands there'],
    ['192.0.2.8', false, 'is another address'],
    ['2001:DB8:0:0::7', true, 'is an address in another form'],
    ['no name at all', false, 'can stand in no certificate'],
  ];
  for (const [name, isThere, why] of rows) {
    it(`are ${isThere ? 'not ' : ''}${name}, which ${why}`, () => {
      assert.deepEqual(missingNames(certificate, [name]), isThere ? [] : [name]);
    });
  }

  it('are all names for a certificate without any', () => {
    const bare = authority.issue({ subject: '/CN=bmc.example.com', extensions: [] }).certificate;
    assert.deepEqual(missingNames(bare, ['bmc.example.com', '::1']), ['bmc.example.com', '::1']);
  });
});
