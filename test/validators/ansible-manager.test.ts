import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type FilledStack, startFilledStack } from './filled-stack.ts';
import { runPlaybook, type TaskResult } from './playbook.ts';
import { skipWithout } from './programs.ts';

describe("Ansible's Redfish modules for sessions and the manager", {
  skip: skipWithout('ansible-playbook'),
}, () => {
  let filled: FilledStack;
  let resultOf: (task: string) => TaskResult;

  before(async () => {
    filled = await startFilledStack();
    resultOf = await runPlaybook('manager', filled);
  });

  after(() => filled?.close());

  const tasks = {
    ...{ created: true, sessions: false, session_timeout: true, ended: true },
    ...{ identified: true, identified_again: false, manager: false },
  };
  for (const [task, changed] of Object.entries(tasks)) {
    it(`do what the task "${task}" asks for`, () => {
      const result = resultOf(task);
      assert.ok(!result.failed, result.msg);
      assert.equal(result.changed, changed);
    });
  }

  it('find the session that they created', () => {
    const { session } = resultOf('sessions').redfish_facts ?? {};
    assert.ok(session?.entries.some(({ UserName }) => UserName === 'admin'));
  });

  it('read what identifies the manager', () => {
    const facts = resultOf('manager').redfish_facts;
    assert.equal(facts?.service_id?.service_identification, 'named by Ansible');
    const inventory = facts?.manager?.entries[0]?.[1];
    assert.equal(inventory?.ServiceIdentification, 'named by Ansible');
    assert.match(inventory?.FirmwareVersion ?? '', /./);
    assert.equal(facts?.network_protocols?.entries.HTTPS?.ProtocolEnabled, true);
  });
});
