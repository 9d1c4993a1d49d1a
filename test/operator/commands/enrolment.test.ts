import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type CmpAgentProcess, deadEnrolment, startCmpAgent } from '../../fakes/cmp-agent.ts';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';

const rows: readonly (readonly [line: string, status: number, said: string])[] = [
  ['enrol status --quiet', 0, 'bmc\n'],
  ['enrol ca --quiet', 0, 'lab\n'],
  ['enrol ca other', 3, 'There is no CA profile other; name one of lab.\n'],
  ['enrol now other', 3, 'No certificate other is to be enrolled; name one of bmc.\n'],
  ['enrol abort other', 3, 'No certificate other is to be enrolled; name one of bmc.\n'],
];

describe('bmc-certs enrol', () => {
  let world: OperatorWorld;
  let agent: CmpAgentProcess;
  before(async () => {
    world = await operatorWorld(deadEnrolment);
    agent = await startCmpAgent(world.configuration);
  });
  after(async () => {
    await agent?.stop();
    await world?.close();
  });

  for (const [line, expected, said] of rows) {
    it(`ends "${line}" with ${expected}`, async () => {
      const { status, stdout, stderr } = await world.run(line.split(' '));
      assert.deepEqual({ status, said: stdout + stderr }, { status: expected, said });
    });
  }
});

describe('bmc-certs enrol, without an agent', () => {
  it('says which unit to look at', async () => {
    const world = await operatorWorld();
    const { status, stderr } = await world.run(['enrol', 'status']);
    await world.close();
    assert.equal(status, 7, stderr);
    assert.match(stderr, /; look at systemctl status bmc-cmp\.\n$/);
  });
});

describe('bmc-certs enrol, of a configuration without enrolment', () => {
  let world: OperatorWorld;
  let agent: CmpAgentProcess;
  before(async () => {
    world = await operatorWorld();
    agent = await startCmpAgent(world.configuration);
  });
  after(async () => {
    await agent?.stop();
    await world?.close();
  });

  it('says where a certificate would have to be named', async () => {
    const { status, stderr } = await world.run(['enrol', 'now']);
    assert.equal(status, 3, stderr);
    assert.match(stderr, /has no certificate in "enrolment.certificates"/);
  });
});
