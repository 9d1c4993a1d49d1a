import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { followServed } from '../../../src/redfish/certificates/served.ts';
import { type Credential, fingerprintOf } from '../../../src/tls/credential.ts';
import type { ServerIdentity } from '../../../src/tls/server-identity.ts';
import { makeCredential } from '../../fakes/credentials.ts';
import { startService, type TestService } from '../service.ts';

const https = { type: 'server', name: 'https' } as const;
const others = { type: 'client', name: 'ldap' } as const;
const uri = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates/1';
const noPlace = '/redfish/v1/AccountService/LDAP/Certificates/1';

describe('what clients are shown in place of a certificate', () => {
  const first = makeCredential('first');
  const second = makeCredential('second');
  let shown: { credential: Credential; fault: string | undefined; isBehind: boolean };
  let change: () => void;
  let service: TestService;
  let seen: number;

  beforeEach(async () => {
    shown = { credential: first, fault: undefined, isBehind: false };
    const listeners = new Set<() => void>();
    const identity: ServerIdentity = {
      get credential() {
        return shown.credential;
      },
      get fault() {
        return shown.fault;
      },
      get isBehind() {
        return shown.isBehind;
      },
      since: 1_800_000_000_000,
      refresh: () => undefined,
      onChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      close: async () => undefined,
    };
    change = () => {
      for (const listener of listeners) listener();
    };
    const events = { bufferedEvents: 100 };
    service = await startService({ served: followServed(identity, https), events });
    service.client.put(https, '1', first.certificate.pem);
    seen = 0;
    news();
  });
  afterEach(() => service.close());

  /** The messages about the served certificate since it was last asked. */
  function news(): readonly string[] {
    const fresh = service.events.after('').filter(({ id }) => id > seen);
    seen = Math.max(seen, ...fresh.map(({ id }) => id));
    return fresh
      .filter(({ origin }) => origin === uri)
      .map(({ messageId }) => messageId.replace(/^.*\.Resource/, ''));
  }
  const statusAt = async (where = uri) => JSON.parse((await service.ask('GET', where)).text).Status;

  it('makes the certificate Critical, in an event too, and healthy again', async () => {
    assert.deepEqual(await statusAt(), { State: 'Enabled', Health: 'OK' });
    Object.assign(shown, { credential: second, fault: 'the file is empty' });
    change();
    const status = await statusAt();
    const fingerprint = fingerprintOf(second);
    const message = `Clients see the certificate with the SHA-256 fingerprint ${fingerprint} instead of this one, because the file is empty.`;
    assert.equal(status.Health, 'Critical');
    const [{ Resolution, ...condition }] = status.Conditions;
    assert.match(Resolution, /^Replace the certificate/);
    assert.deepEqual(condition, {
      MessageId: 'BmcCertificates.1.0.CertificateNotServed',
      Message: message,
      MessageArgs: [fingerprint, 'the file is empty'],
      Severity: 'Critical',
      Timestamp: '2027-01-15T08:00:00+00:00',
    });
    assert.equal(service.events.after('').at(-1)?.resolution, message);
    assert.deepEqual(news(), ['StatusChangedCritical']);
    change();
    assert.deepEqual(news(), []);
    Object.assign(shown, { credential: first, fault: undefined });
    change();
    assert.deepEqual(news(), ['StatusChangedOK']);
  });

  it('makes no event of a replacement that the service has yet to read', async () => {
    shown.isBehind = true;
    service.client.put(https, '1', second.certificate.pem);
    assert.deepEqual(news(), ['Changed']);
    Object.assign(shown, { credential: second, isBehind: false });
    change();
    assert.deepEqual(news(), []);
    assert.equal((await statusAt()).Health, 'OK');
  });

  it('is a Warning when it is the certificate, and its file is bad', async () => {
    shown.fault = 'the file is missing';
    change();
    const { Health, Conditions } = await statusAt();
    assert.equal(Health, 'Warning');
    assert.match(Conditions[0].Message, /served from memory, because the file is missing/);
    assert.deepEqual(news(), ['StatusChangedWarning']);
  });

  it('may have a chain of which the manager says nothing, as the one of upstream', async () => {
    shown.credential = { ...first, chain: [second.certificate] };
    change();
    assert.equal((await statusAt()).Health, 'OK');
  });

  it('is nothing to the certificates of other endpoints', async () => {
    service.client.put(others, '1', second.certificate.pem);
    shown.fault = 'the file is missing';
    assert.equal((await statusAt(noPlace)).Health, 'OK');
  });
});
