import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { attempt } from '../../../src/cmp/enrolment/attempt.ts';
import type { Context } from '../../../src/cmp/enrolment/context.ts';
import { EnrolmentFault, type Layer } from '../../../src/cmp/enrolment-fault.ts';
import { CertError } from '../../../src/core/cert-error.ts';
import { encode } from '../../../src/x509/der.ts';
import { generateKey, publicKeyInfo } from '../../../src/x509/keys.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { writeName } from '../../../src/x509/name.ts';
import { cmpAuthority, type Misbehaviour } from '../../fakes/cmp-authority.ts';
import { type EnrolmentWorld, enrolmentWorld, password } from './world.ts';

describe('an attempt to enrol', () => {
  let world: EnrolmentWorld;
  beforeEach(() => {
    world = enrolmentWorld();
  });
  afterEach(() => world.remove());

  it('brings the first certificate with a password, and the next with the key in force', async () => {
    const { ca, device, clock } = world;
    for (const operation of ['ir', 'kur', 'kur']) {
      assert.deepEqual(await attempt(world.context()), { isInstalled: true });
      assert.equal(ca.asked.at(-1), operation);
      assert.equal(ca.issued.at(-1)?.state, 'confirmed');
      assert.equal(
        device.served?.certificate.fingerprint,
        ca.issued.at(-1)?.certificate.fingerprint,
      );
      assert.equal(device.keys.size, 0);
      clock.now += 3_600_000;
    }
    const names = device.served?.certificate.alternativeNames.map(({ value }) => value);
    assert.deepEqual(names, ['bmc.example.com', '192.0.2.5', '2001:db8::5']);
    const keys = ca.issued.map(({ certificate }) =>
      publicKeyInfo(certificate.publicKey).toString('hex'),
    );
    assert.equal(new Set(keys).size, 3);
  });

  it('renews with cr where the policy says so, and starts anew with the password after the end', async () => {
    const { ca, clock, policy } = world;
    await attempt(world.context());
    await attempt(world.context({ policy: { ...policy, renew: 'cr' } }));
    clock.now += 100_000_000;
    await attempt(world.context());
    assert.deepEqual(ca.asked, ['ir', 'cr', 'ir']);
  });

  for (const sender of ['reference', 'null'] as const) {
    it(`names the sender by ${sender}`, async () => {
      const { profile, device } = world;
      await attempt(world.context({ profile: { ...profile, sender } }));
      assert.ok(device.served);
    });
  }

  it('waits as long as the CA wants it to, also over a restart', async () => {
    const { ca, clock, device } = world;
    ca.misbehaves = { polls: 3 };
    for (let poll = 0; poll < 3; poll += 1) {
      const outcome = await attempt(world.context());
      assert.deepEqual(outcome, { until: clock.now + 1000 });
      assert.deepEqual(await attempt(world.context()), outcome);
      clock.now += 1000;
    }
    assert.deepEqual(await attempt(world.context()), { isInstalled: true });
    assert.ok(device.served);
    assert.equal(ca.issued.length, 1);
  });

  it('keeps the password out of the journal and of the log', async () => {
    await attempt(world.context());
    world.ca.misbehaves = { secret: 'another' };
    await assert.rejects(attempt(world.context(), { operation: 'ir' }));
    assert.ok(!readFileSync(world.path, 'utf8').includes(password));
    assert.ok(!world.lines.join('\n').includes(password));
  });

  it('fails before a key is made when the profile has no password for the reference', async () => {
    const { device } = world;
    await fails(world.context(), 'configuration', /no password for the reference 2/, {
      reference: '2',
    });
    assert.equal(device.keys.size, 0);
  });

  it('reads no more of a certificate than the configuration allows', async () => {
    const content = { ...usualLimits, alternativeNames: 2 };
    await fails(world.context({ content }), 'certificate', /names/);
    assert.equal(world.device.served, undefined);
  });

  it('asks for no first certificate without a reference', async () => {
    const { policy } = world;
    const context = world.context({ policy: { ...policy, reference: '' } });
    await fails(context, 'configuration', /sr-cert has no reference/);
  });

  const otherKey = publicKeyInfo(createPublicKey(generateKey({ kind: 'EC', curve: 'prime256v1' })));
  const cases: [string, Misbehaviour, Layer, RegExp][] = [
    ['the CA has another password', { secret: 'wrong' }, 'protection', /password of reference 1/],
    ['the certificate is for another key', { publicKey: otherKey }, 'certificate', /another key/],
    [
      'the certificate has another subject',
      { subject: encode(writeName([{ type: 'CN', value: 'someone' }])) },
      'certificate',
      /its subject is CN=someone instead of C=NL/,
    ],
    ['a name is missing', { extensions: [] }, 'certificate', /lacks the name dns:bmc.example.com/],
    [
      'the certificate is a CA',
      { isCa: true, usages: ['DigitalSignature', 'KeyCertSign'] },
      'certificate',
      /CA certificate/,
    ],
    ['the certificate has ended', { notAfter: new Date(0) }, 'certificate', /expired/],
    [
      'the certificate is for clients and e-mail',
      { usages: ['DigitalSignature', 'ClientAuthentication', 'EmailProtection'] },
      'certificate',
      /no ServerAuthentication/,
    ],
    ['the CA refuses', { rejects: [19] }, 'ca', /rejection not today \(badCertTemplate\)/],
    [
      'the answer is cut off',
      { onTheWay: (answer) => answer.subarray(0, answer.length - 7) },
      'encoding',
      /in DER/,
    ],
    [
      'a bit of the answer changes',
      {
        onTheWay: (answer) => {
          const changed = Buffer.from(answer);
          const at = changed.indexOf('CMP test CA') + 2;
          changed[at] = (changed[at] ?? 0) ^ 1;
          return changed;
        },
      },
      'protection',
      /was changed/,
    ],
    ['the answer is a web page', { onTheWay: () => Buffer.from('<html>') }, 'encoding', /in DER/],
  ];
  for (const [what, misbehaviour, layer, message] of cases) {
    it(`fails where ${what}, names ${layer}, and leaves what is in service`, async () => {
      const { ca, device } = world;
      await attempt(world.context());
      const before = device.served;
      ca.misbehaves = misbehaviour;
      await fails(world.context(), layer, message, { operation: 'ir' });
      assert.equal(device.served, before);
      assert.notEqual(ca.issued.slice(1).at(-1)?.state, 'confirmed');
      if (layer === 'certificate') assert.equal(ca.issued.at(-1)?.state, 'refused');
      const { lastRequest } = world.context().journal.value;
      assert.equal(lastRequest?.status, 'failed');
      assert.equal(lastRequest?.layer, layer);
      // As soon as the CA does as it should, all is well again
      ca.misbehaves = {};
      assert.deepEqual(await attempt(world.context()), { isInstalled: true });
      assert.notEqual(device.served, before);
    });
  }

  it('fails where an answer of an earlier transaction is sent again', async () => {
    const { ca, device } = world;
    const answers: Buffer[] = [];
    const recorded = (_: unknown, message: Buffer) =>
      ca.answer(message).then((answer) => {
        answers.push(answer);
        return answer;
      });
    await attempt(world.context({ send: recorded }));
    const before = device.served;
    const [old = Buffer.alloc(0)] = answers;
    const context = world.context({ send: async () => old });
    await fails(context, 'header', /another transaction/, { operation: 'ir' });
    assert.equal(device.served, before);
  });

  it('does not take the certificate of a CA that is none of the profile', async () => {
    const { device } = world;
    const other = cmpAuthority(password, () => world.clock.now);
    const send = (_: unknown, message: Buffer) => other.answer(message);
    await fails(world.context({ send }), 'certificate', /no trusted CA/);
    assert.equal(device.served, undefined);
    assert.equal(other.issued.at(-1)?.state, 'refused');
  });

  it('has the old certificate back when the service does not show the new one', async () => {
    const { device, ca } = world;
    await attempt(world.context());
    const before = device.served;
    const probe = async () => '127.0.0.1:443 shows another certificate';
    await fails(world.context({ probe }), 'service', /shows another/);
    assert.equal(device.served, before);
    assert.deepEqual(await attempt(world.context()), { isInstalled: true });
    assert.equal(ca.issued.length, 2);
  });

  it('installs a confirmed certificate again whose trial ended with the manager', async () => {
    const { device, ca } = world;
    const stage: Context['device']['stage'] = async (...args) => {
      const staged = await device.stage(...args);
      const commit = async () => {
        throw new CertError('not-found', 'there is no such replacement');
      };
      return { ...staged, commit };
    };
    await fails(world.context({ device: { ...device, stage } }), 'device', /no such replacement/);
    assert.equal(device.served, undefined);
    assert.deepEqual(await attempt(world.context()), { isInstalled: true });
    assert.equal(ca.issued.length, 1);
  });

  it('goes on when the manager was away at any step', async () => {
    const { device, ca } = world;
    device.isAway = true;
    await fails(world.context(), 'device', /manager is away/);
    device.isAway = false;
    const send = async (_: unknown, message: Buffer) => {
      const answer = await ca.answer(message);
      device.isAway = true;
      return answer;
    };
    await fails(world.context({ send }), 'device', /manager is away/);
    device.isAway = false;
    assert.deepEqual(await attempt(world.context()), { isInstalled: true });
  });

  it('asks with the same key again after a refusal, and a new one after a bad certificate', async () => {
    const { ca, device } = world;
    ca.misbehaves = { rejects: [24] };
    await fails(world.context(), 'ca', /systemUnavail/);
    const [first] = device.keys.keys();
    await fails(world.context(), 'ca', /systemUnavail/);
    assert.deepEqual([...device.keys.keys()], [first]);
    ca.misbehaves = { isCa: true, usages: ['DigitalSignature', 'KeyCertSign'] };
    await fails(world.context(), 'certificate', /CA certificate/);
    assert.equal(device.keys.size, 0);
  });

  it('ends well wherever the process is killed, and at most one certificate is too many', async () => {
    for (let step = 1; ; step += 1) {
      world.remove();
      world = enrolmentWorld();
      const { ca, device } = world;
      await attempt(world.context());
      const before = ca.issued.length;
      world.clock.now += 1000;
      const isOver = !(await killedAt(world, step));
      if (isOver) {
        assert.ok(step > 8, `only ${step} steps`);
        return;
      }
      // Nothing of the process is left but the disk; the manager rolls back what its owner left
      assert.deepEqual(await attempt(world.context()), { isInstalled: true }, `step ${step}`);
      assert.ok(ca.issued.length - before <= 2, `step ${step}: ${ca.issued.length}`);
      const last = ca.issued.at(-1);
      assert.equal(last?.state, 'confirmed');
      assert.equal(device.served?.certificate.fingerprint, last?.certificate.fingerprint);
    }
  });
});

class Killed extends Error {}

/** Runs an attempt that dies at one of the calls that leave the process. @returns whether there was one */
async function killedAt(world: EnrolmentWorld, step: number): Promise<boolean> {
  const { device, ca } = world;
  let count = 0;
  const dies = () => {
    count += 1;
    if (count === step) throw new Killed();
  };
  const context = world.context();
  const { journal } = context;
  const change = journal.change.bind(journal);
  journal.change = async (alter) => {
    dies();
    const value = await change(alter);
    dies();
    return value;
  };
  const before = device.served;
  const stage: typeof device.stage = async (...args) => {
    const staged = await device.stage(...args);
    const die = async (work: () => Promise<void>, undo: boolean) => {
      try {
        dies();
        await work();
        dies();
      } catch (error) {
        if (undo) device.served = before;
        throw error;
      }
    };
    return {
      activate: () => die(() => staged.activate(), true),
      commit: () => die(() => staged.commit(), false),
      rollback: async () => undefined,
    };
  };
  const send = async (_: unknown, message: Buffer) => {
    dies();
    const answer = await ca.answer(message);
    dies();
    return answer;
  };
  try {
    await attempt({
      ...context,
      device: { ...device, inService: () => device.served, stage },
      send,
    });
    return false;
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    return true;
  }
}

async function fails(
  context: Context,
  layer: Layer,
  message: RegExp,
  order: Parameters<typeof attempt>[1] = {},
): Promise<void> {
  await assert.rejects(attempt(context, order), (error) => {
    assert.ok(error instanceof EnrolmentFault, String(error));
    assert.equal(error.layer, layer, error.message);
    assert.match(error.message, message);
    return true;
  });
}
