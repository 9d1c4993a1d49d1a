import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Connection } from '../../../src/operator/remote/connection.ts';
import { PeerTrust } from '../../../src/operator/remote/peer-trust.ts';
import { sessionsOf } from '../../../src/operator/remote/session.ts';

describe('a service that means harm', () => {
  it('has no error repeat the password of a login', async () => {
    const password = 'correct horse';
    const body = { error: { message: `UserName admin and Password ${password} are no JSON` } };
    const connection = { send: async () => ({ status: 400, headers: {}, body }) };
    const sessions = sessionsOf(connection, {}, { user: 'admin', password });
    await assert.rejects(sessions.renew(), (error: Error) => {
      assert.match(error.message, /Password \(as sent\) are no JSON/);
      return true;
    });
  });

  it('names no link that ends a command without a word about it', async () => {
    const connection = new Connection({
      url: new URL('https://127.0.0.1'),
      trust: new PeerTrust({
        ...{ host: 'service', hasAuthorities: false, fingerprint: undefined, confirm: undefined },
        knownHosts: { fingerprintsOf: async () => [], remember: async () => undefined },
        warn: assert.fail,
      }),
      ...{ authorities: undefined, credential: undefined },
    });
    await assert.rejects(connection.send({ method: 'GET', path: 'http://[' }, 1000), {
      kind: 'failed',
      message: 'The Redfish service names "http://[", which is no URI.',
    });
    connection.close();
  });
});
