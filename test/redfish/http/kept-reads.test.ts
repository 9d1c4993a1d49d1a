import assert from 'node:assert/strict';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { IdentityError } from '../../../src/identity/identity-error.ts';
import { makeApp } from '../../../src/redfish/app.ts';
import { quickAuthorities } from '../../interop/quick-authorities.ts';
import { httpLimits, samplePem, startService, type TestService } from '../service.ts';

const https = { type: 'server', name: 'https' } as const;
const truststore = { type: 'authority', name: 'truststore' } as const;
const certificate = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates/1';
const collection = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const uris = [
  certificate,
  `${certificate}/`,
  collection,
  `${collection}/1`,
  '/redfish/v1/CertificateService/CertificateLocations',
  '/redfish/v1',
];
const headers = [
  {},
  { 'Accept-Encoding': 'gzip' },
  { Accept: 'text/html' },
  { 'If-None-Match': '*' },
  { 'If-Match': '"other"' },
  { 'OData-Version': '4.0' },
  { Authorization: `Basic ${Buffer.from('admin:admin-pw').toString('base64')}` },
];
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const authorities = quickAuthorities(3).map(({ pem }) => pem);

interface Raw {
  readonly status: number | undefined;
  /** In their order and as they are written, without the time. */
  readonly head: readonly string[];
  readonly body: string;
}

describe('reads that are repeated', () => {
  let now = Date.now();
  let service: TestService;
  let long: Server;
  /** Of an administrator, of a user who may not read certificates, and of nobody. */
  const tokens: Record<string, string> = { nobody: 'none' };
  const logIn = (userName: string) => {
    tokens[userName] = service.sessions.create({ userName, address: '127.0.0.1' }).token;
  };

  before(async () => {
    service = await startService({
      http: { keptReadBytes: 1_000_000 },
      parts: { now: () => now },
      limits: { sessions: 100, sessionsPerUser: 50 },
    });
    const { parts } = service;
    const limits = { ...httpLimits, keptReadBytes: 0 };
    const app = makeApp({ parts, limits, log: silent });
    long = createServer({ requireHostHeader: false }, app.handler).listen(0, '127.0.0.1');
    await new Promise((resolve) => long.once('listening', resolve));
    service.client.put(https, '1', samplePem);
  });
  after(async () => {
    long.closeAllConnections();
    long.close();
    await service.close();
  });

  function read(
    port: number,
    path: string,
    headers: Readonly<Record<string, string>>,
    method = 'GET',
  ): Promise<Raw> {
    return new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece) => pieces.push(piece));
        answer.on('end', () => {
          const { statusCode: status, rawHeaders } = answer;
          const date = rawHeaders.indexOf('Date');
          const head = rawHeaders.filter((_, at) => at !== date && at !== date + 1);
          resolve({ status, head, body: Buffer.concat(pieces).toString('latin1') });
        });
      });
      asked.once('error', reject).end();
    });
  }

  const readLong = (...[path, headers, method]: Parameters<typeof readKept>) =>
    read((long.address() as AddressInfo).port, path, headers, method);
  const readKept = (path: string, headers: Readonly<Record<string, string>>, method?: string) =>
    read(service.port, path, headers, method);

  const patch = (path: string, body: object) => service.ask('PATCH', path, { body });
  const changes: Record<string, () => unknown> = {
    'another certificate comes into service': () =>
      service.client.put(https, '1', authorities[0] ?? ''),
    'the one of before comes back': () => service.client.put(https, '1', samplePem),
    'an authority comes': () => service.client.put(truststore, '1', authorities[1] ?? ''),
    'another authority comes': () => service.client.put(truststore, '2', authorities[2] ?? ''),
    'an authority goes': () => service.client.delete(truststore, '1').catch(() => undefined),
    'the manager goes away': () => service.client.leave(https),
    'the manager comes back': () => service.client.comeBack(https),
    'a client names the service': () =>
      patch('/redfish/v1/Managers/bmc', { ServiceIdentification: `rack ${now}` }),
    'tokens are no way to log in': () =>
      patch('/redfish/v1/AccountService', { Oem: { OpenBMC: { AuthMethods: { XToken: false } } } }),
    'tokens are a way to log in': () =>
      patch('/redfish/v1/AccountService', { Oem: { OpenBMC: { AuthMethods: { XToken: true } } } }),
    'a user may read certificates': () =>
      patch('/redfish/v1/AccountService/Accounts/reader', { RoleId: 'Administrator' }),
    'a user may read no certificates': () =>
      patch('/redfish/v1/AccountService/Accounts/reader', { RoleId: 'ReadOnly' }),
    'a user is disabled': () =>
      patch('/redfish/v1/AccountService/Accounts/reader', { Enabled: false }),
    'a user is enabled': () =>
      patch('/redfish/v1/AccountService/Accounts/reader', { Enabled: true }),
    // Sessions end with what a client changes of their user, and not with what another program does
    'another program disables a user': () =>
      service.users.changes.update('reader', { enabled: false }),
    'another program lets a user read no certificates': () =>
      service.users.changes.update('reader', { role: 'ReadOnly' }),
    'an administrator logs in': () => logIn('admin'),
    'a user logs in': () => logIn('reader'),
    'all are logged out': () => service.sessions.endAll(),
    'a month goes by': () => {
      now += 30 * 86_400_000;
    },
    'a certificate comes back to its time': () => {
      now = Date.now();
    },
  };

  /** How often the certificate was looked up for answers to some requests. */
  async function lookUps(asks: () => Promise<unknown>): Promise<number> {
    const { client } = service;
    const get = client.get.bind(client);
    let count = 0;
    client.get = (...asked) => {
      count += 1;
      return get(...asked);
    };
    try {
      await asks();
      return count;
    } finally {
      client.get = get;
    }
  }

  it('are made once for a token, as often as they come for another login, and again after a change', async () => {
    const repeated = (headers: Record<string, string>) =>
      lookUps(async () => {
        for (let round = 0; round < 5; round += 1) await readKept(certificate, headers);
      });
    logIn('admin');
    const own = { 'X-Auth-Token': tokens.admin ?? '' };
    assert.equal(await repeated(own), 1);
    assert.equal(await repeated(own), 0);
    assert.equal(await repeated(headers.at(-1) as Record<string, string>), 5);
    service.client.put(https, '1', samplePem);
    assert.equal(await repeated(own), 1);
  });

  it('are kept within a number of bytes, the newest ones', async () => {
    logIn('admin');
    const own = { 'X-Auth-Token': tokens.admin ?? '' };
    const size = (await readKept(certificate, own)).body.length;
    const { parts } = service;
    const limits = { ...httpLimits, keptReadBytes: size + 3000 };
    const app = makeApp({ parts, limits, log: silent });
    const small = createServer({ requireHostHeader: false }, app.handler).listen(0, '127.0.0.1');
    await new Promise((resolve) => small.once('listening', resolve));
    const { port } = small.address() as AddressInfo;
    const takes = (path: string) => lookUps(() => read(port, path, own));
    try {
      assert.deepEqual([await takes(certificate), await takes(certificate)], [1, 0]);
      await read(port, '/redfish/v1', own);
      assert.deepEqual([await takes(certificate), await takes(certificate)], [1, 0]);
    } finally {
      small.closeAllConnections();
      small.close();
    }
  });

  it('are refused as any other where the users cannot be asked', async () => {
    logIn('admin');
    const own = { 'X-Auth-Token': tokens.admin ?? '' };
    assert.equal((await readKept(certificate, own)).status, 200);
    const { users } = service;
    const find = users.find;
    users.find = async () => {
      throw new IdentityError('unavailable');
    };
    try {
      const refused = await readKept(certificate, own);
      assert.equal(refused.status, 503);
      assert.deepEqual(refused, await readLong(certificate, own));
    } finally {
      users.find = find;
    }
  });

  /** A state in which each of the changes makes a difference to somebody's answers. */
  async function begin(): Promise<void> {
    for (const what of [
      'a certificate comes back to its time',
      'the manager comes back',
      'tokens are a way to log in',
      'the one of before comes back',
      'an authority comes',
      'a user is enabled',
      'a user may read certificates',
    ])
      await changes[what]?.();
    logIn('admin');
    logIn('reader');
  }

  for (const [what, change] of Object.entries(changes)) {
    it(`are as they are made anew after this: ${what}`, async () => {
      const asked = uris.flatMap((path) => ['admin', 'reader'].map((who) => ({ path, who })));
      for (const { path, who } of asked) {
        await begin();
        const own = { 'X-Auth-Token': tokens[who] ?? '' };
        for (const _ of [1, 2]) assert.equal((await readKept(path, own)).status, 200);
        await change();
        assert.deepEqual(await readKept(path, own), await readLong(path, own), `${who} ${path}`);
      }
    });
  }

  it('have the very bytes that are made anew, whatever changes between two of them', async () => {
    const reading = fc.record({
      path: fc.constantFrom(...uris),
      who: fc.constantFrom('admin', 'reader', 'nobody'),
      more: fc.constantFrom(...headers),
      method: fc.constantFrom('GET', 'GET', 'HEAD'),
      isKnown: fc.boolean(),
      change: fc.constantFrom(...Object.keys(changes)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(reading, { minLength: 10, maxLength: 20 }), async (steps) => {
        logIn('admin');
        logIn('reader');
        for (const { path, who, more, method, isKnown, change } of steps) {
          const own: Record<string, string> = { 'X-Auth-Token': tokens[who] ?? '', ...more };
          const { head } = await readLong(path, own, method);
          const etag = head.includes('ETag') ? head[head.indexOf('ETag') + 1] : undefined;
          if (isKnown && etag !== undefined) own['If-None-Match'] = etag;
          for (const _ of [1, 2])
            assert.deepEqual(await readKept(path, own, method), await readLong(path, own, method));
          await changes[change]?.();
          assert.deepEqual(await readKept(path, own, method), await readLong(path, own, method));
        }
      }),
      { numRuns: 15 },
    );
  });
});
