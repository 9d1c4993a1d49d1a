import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clientAddress } from '../../src/core/client-address.ts';

describe('the address of a client', () => {
  const cases = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::ffff:1', '2001:db8::ffff:1'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    [undefined, ''],
  ] as const;
  for (const [remoteAddress, shown] of cases) {
    it(`is shown as ${JSON.stringify(shown)} where the socket says ${remoteAddress}`, () => {
      assert.equal(clientAddress({ remoteAddress }), shown);
    });
  }
});
