import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { EnrolmentAgent, statusOf } from '../../src/cmp/agent.ts';
import type { Context } from '../../src/cmp/enrolment/context.ts';
import { EnrolmentFault } from '../../src/cmp/enrolment-fault.ts';
import { type EnrolmentWorld, enrolmentWorld } from './enrolment/world.ts';

const hour = 3_600_000;

describe('the agent of enrolment', () => {
  let world: EnrolmentWorld;
  let context: Context;
  let agent: EnrolmentAgent;
  const begin = (changes: Partial<Context['policy']> = {}) => {
    context = world.context({ policy: { ...world.policy, ...changes } });
    agent = new EnrolmentAgent([context]);
  };
  const look = () => agent.evaluate(context);
  beforeEach(() => {
    world = enrolmentWorld();
    begin();
  });
  afterEach(() => world.remove());

  it('waits for a command before the first certificate, or not, as the policy says', async () => {
    await look();
    assert.deepEqual(world.ca.asked, []);
    assert.equal((await statusOf(context)).state, 'NoCertificate');
    await agent.enrol(context, {});
    assert.deepEqual(world.ca.asked, ['ir']);
    world.remove();
    world = enrolmentWorld();
    begin({ isAutomatic: true });
    await look();
    assert.deepEqual(world.ca.asked, ['ir']);
  });

  it('renews in time, once, with the key in force', async () => {
    await agent.enrol(context, {});
    world.clock.now += 17 * hour;
    await look();
    assert.deepEqual(world.ca.asked, ['ir']);
    const pause = await look();
    assert.ok(pause > 0 && pause <= 2 * hour, `${pause}`);
    world.clock.now += pause;
    await look();
    await look();
    assert.deepEqual(world.ca.asked, ['ir', 'kur']);
    assert.equal((await statusOf(context)).state, 'InUse');
  });

  it('renews no certificate for ever that lives shorter than its renewal needs', async () => {
    world.ca.lifetime = 3600;
    await agent.enrol(context, {});
    for (let minute = 0; minute < 30; minute += 1) {
      world.clock.now += 60_000;
      await look();
    }
    assert.deepEqual(world.ca.asked, ['ir']);
    assert.ok(world.lines.some((line) => line.startsWith('certificate lives shorter')));
  });

  it('warns of the end in the line that operators look for, and repeats it', async () => {
    await agent.enrol(context, {});
    begin({ renewBefore: { hours: 0.001 } });
    world.lines.length = 0;
    for (let quarter = 0; quarter < 24 * 4 + 1; quarter += 1) {
      world.clock.now += hour / 4;
      world.ca.misbehaves = { rejects: [24] };
      await look();
    }
    const warnings = world.lines.filter((line) => line.startsWith('Certificate '));
    assert.deepEqual(warnings, [
      'Certificate sr-cert used by TLS will expire in 2 hour(s) and 0 minute(s).',
      'Certificate sr-cert used by TLS will expire in 1 hour(s) and 0 minute(s).',
      'Certificate sr-cert used by TLS has expired.',
    ]);
  });

  it('tries again later and later, and goes on by itself when the CA is back', async () => {
    world.ca.misbehaves = { rejects: [24] };
    await assert.rejects(agent.enrol(context, {}));
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const pause = await look();
      pauses.push(pause);
      world.clock.now += pause;
      await look();
    }
    assert.ok(pauses.every((pause, at) => at === 0 || pause > (pauses[at - 1] ?? 0) * 0.6));
    assert.ok((pauses.at(-1) ?? 0) > 40 * 60_000);
    assert.equal((await statusOf(context)).state, 'Retrying');
    world.ca.misbehaves = {};
    world.clock.now += 2 * hour;
    await look();
    assert.equal((await statusOf(context)).state, 'InUse');
  });

  for (const operation of ['ir', 'kur'] as const) {
    it(`renews no good certificate before its time because a command for ${operation} failed`, async () => {
      await agent.enrol(context, {});
      for (const rejects of [[19], [24]]) {
        world.ca.misbehaves = { rejects };
        await assert.rejects(agent.enrol(context, { operation }));
        world.ca.misbehaves = {};
        assert.equal((await statusOf(context)).state, 'InUse');
        world.clock.now += 2 * hour;
        await look();
      }
      assert.deepEqual(world.ca.asked, ['ir', operation, operation]);
      assert.match(context.journal.value.lastRequest?.info ?? '', /systemUnavail/);
      world.clock.now += 15 * hour;
      await look();
      assert.deepEqual(world.ca.asked, ['ir', operation, operation, 'kur']);
    });
  }

  it('goes on with the first certificate that a command asked for, where the CA was away', async () => {
    await agent.enrol(context, {});
    const send = async () => {
      throw new EnrolmentFault('transport', 'the CA is away');
    };
    context = world.context({ send });
    agent = new EnrolmentAgent([context]);
    await assert.rejects(agent.enrol(context, { operation: 'ir' }));
    assert.equal((await statusOf(context)).state, 'Retrying');
    world.ca.misbehaves = { rejects: [24] };
    begin();
    world.clock.now += hour;
    await look();
    assert.deepEqual(world.ca.asked, ['ir', 'ir', 'ir']);
    assert.equal((await statusOf(context)).state, 'InUse');
  });

  it('is stuck where only an operator can help, and says why', async () => {
    world.ca.misbehaves = { rejects: [19] };
    for (let attempt = 0; attempt < 3; attempt += 1) await assert.rejects(agent.enrol(context, {}));
    const { state, reason, nextAttempt = 0 } = await statusOf(context);
    assert.equal(state, 'Stuck');
    assert.match(reason, /badCertTemplate/);
    assert.ok(nextAttempt - world.clock.now > 23 * hour);
    world.ca.misbehaves = {};
    await agent.enrol(context, {});
    assert.equal((await statusOf(context)).state, 'InUse');
  });

  it('gives up what is under way, with its key, when another certificate is wanted by then', async () => {
    world.ca.misbehaves = { polls: 5 };
    await agent.enrol(context, {});
    world.ca.misbehaves = {};
    // What does not change the request leaves it
    agent.take([
      world.context({ policy: { ...world.policy, warning: { hours: 1, repeatHours: 0 } } }),
    ]);
    agent.close();
    await agent.evaluate(context);
    assert.ok(context.journal.value.transaction);
    const { journal } = context;
    begin({ names: ['DNS:other.example.com'] });
    context = { ...context, journal };
    agent = new EnrolmentAgent([context]);
    await look();
    assert.equal((await statusOf(context)).state, 'NoCertificate');
    assert.equal(world.device.keys.size, 0);
    await agent.enrol(context, {});
    assert.deepEqual(world.ca.asked, ['ir', 'ir']);
    assert.deepEqual(
      world.device.served?.certificate.alternativeNames.map(({ value }) => value),
      ['other.example.com'],
    );
  });

  it('is no more stuck when the configuration was put right', async () => {
    world.ca.misbehaves = { rejects: [19] };
    for (let attempt = 0; attempt < 3; attempt += 1) await assert.rejects(agent.enrol(context, {}));
    begin({ subject: 'CN=right' });
    await look();
    assert.equal((await statusOf(context)).state, 'NoCertificate');
  });

  it('gives up what is under way, with its key', async () => {
    world.ca.misbehaves = { polls: 5 };
    await agent.enrol(context, {});
    assert.equal((await statusOf(context)).state, 'Waiting');
    await agent.abort(context);
    assert.equal((await statusOf(context)).state, 'NoCertificate');
    assert.equal(world.device.keys.size, 0);
  });

  it('asks for nothing while the clock of the device is not set', async () => {
    await agent.enrol(context, {});
    begin({ isAutomatic: true });
    world.clock.now = 60_000;
    await look();
    assert.deepEqual(world.ca.asked, ['ir']);
    assert.equal((await statusOf(context)).state, 'InUse');
  });

  it('leaves a certificate of another CA alone', async () => {
    await agent.enrol(context, {});
    const other = enrolmentWorld();
    world.device.anchors = other.device.anchors;
    other.remove();
    world.clock.now += 23 * hour;
    await look();
    assert.deepEqual(world.ca.asked, ['ir']);
  });
});
