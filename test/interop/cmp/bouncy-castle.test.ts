import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { sendToCa } from '../../../src/cmp/ca-connection.ts';
import { attempt } from '../../../src/cmp/enrolment/attempt.ts';
import type { Context } from '../../../src/cmp/enrolment/context.ts';
import { EnrolmentFault } from '../../../src/cmp/enrolment-fault.ts';
import { nameLookup } from '../../../src/outbound/name-lookup.ts';
import { readCertificate } from '../../../src/x509/certificate.ts';
import { parsePem } from '../../../src/x509/pem.ts';
import { type EnrolmentWorld, enrolmentWorld } from '../../cmp/enrolment/world.ts';
import { bouncyCastleAuthority, type CmpProgram, pemOf } from '../../fakes/cmp-programs.ts';

describe('enrolment at the CA of BouncyCastle', () => {
  let ca: CmpProgram;
  let world: EnrolmentWorld;
  let entities = 0;
  before(async () => {
    ca = await bouncyCastleAuthority(3600);
  });
  after(() => ca.stop());
  beforeEach(() => {
    world = enrolmentWorld();
    world.clock.now = Date.now();
    world.device.anchors = parsePem(pemOf(ca.certificate)).map(({ der }) => readCertificate(der));
    entities += 1;
  });
  afterEach(() => world.remove());

  const context = (path = 'server', changes: Partial<Context['profile']> = {}): Context => {
    const keyList = { '1': { passwordFile: ca.passwordFile } };
    const url = `http://127.0.0.1:${ca.port}/${path}`;
    const { signal } = new AbortController();
    const connection = { lookUp: nameLookup(), signal, authorities: [] };
    return world.context({
      profile: { ...world.profile, url, keyList, ...changes },
      policy: { ...world.policy, subject: `C=NL,O=Test,CN=device-${entities}` },
      send: (profile, message) => sendToCa(profile, message, connection),
    });
  };

  it('asks with ir under a password, then with kur and cr signed by the key in force', async () => {
    const { device } = world;
    const seen: string[] = [];
    for (const operation of ['ir', 'kur', 'cr', 'kur'] as const) {
      assert.deepEqual(await attempt(context(), { operation }), { isInstalled: true });
      seen.push(device.served?.certificate.serialNumber ?? '');
    }
    assert.equal(new Set(seen).size, 4);
    const confirmed = ca.lines.filter((line) => line === 'confirmed by the client');
    assert.ok(confirmed.length >= 4);
    const names = device.served?.certificate.alternativeNames.map(({ value }) => value);
    assert.deepEqual(names, ['bmc.example.com', '192.0.2.5', '2001:db8::5']);
  });

  for (const sender of ['subject', 'reference', 'null'] as const) {
    it(`is taken with a sender by ${sender}`, async () => {
      await attempt(context('server', { sender }));
      assert.ok(world.device.served);
    });
  }

  for (const [what, key] of [
    ['P-384', { kind: 'EC', curve: 'secp384r1' }],
    ['P-521', { kind: 'EC', curve: 'secp521r1' }],
    ['RSA', { kind: 'RSA', bits: 2048 }],
  ] as const) {
    it(`is taken with keys of ${what}`, async () => {
      const made = context();
      const withKey = { ...made, policy: { ...made.policy, key } };
      await attempt(withKey);
      await attempt(withKey, { operation: 'kur' });
      assert.ok(world.device.served);
    });
  }

  it('waits and polls', async () => {
    for (;;) {
      const outcome = await attempt(context('poll'));
      if ('isInstalled' in outcome) break;
      world.clock.now = outcome.until;
    }
    assert.ok(world.device.served);
  });

  it('refuses a certificate for clients, and the CA learns why', async () => {
    await assert.rejects(
      attempt(context('client')),
      (error) => error instanceof EnrolmentFault && /ServerAuthentication/.test(error.message),
    );
    assert.ok(ca.lines.includes('refused by the client'));
    assert.equal(world.device.served, undefined);
  });

  it('says in the words of the CA why it was refused', async () => {
    await attempt(context());
    await assert.rejects(attempt(context(), { operation: 'ir' }), /end entity is Generated/);
    const wrong = { '1': { passwordFile: ca.certificate } };
    await assert.rejects(
      attempt(context('server', { keyList: wrong }), { operation: 'ir' }),
      (error) => error instanceof EnrolmentFault && error.layer === 'protection',
    );
  });

  it('says that there is no CA', async () => {
    // No program of a test may listen at the port of tcpmux
    await assert.rejects(
      attempt(context('server', { url: 'http://127.0.0.1:1/' })),
      (error) => error instanceof EnrolmentFault && error.layer === 'transport',
    );
  });
});
