import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type FilledStack, startFilledStack } from './filled-stack.ts';
import { runPlaybook, type TaskResult } from './playbook.ts';
import { skipWithout } from './programs.ts';

describe("Ansible's Redfish modules for users", {
  skip: skipWithout('ansible-playbook'),
}, () => {
  let filled: FilledStack;
  let resultOf: (task: string) => TaskResult;

  before(async () => {
    filled = await startFilledStack();
    resultOf = await runPlaybook('users', filled);
  });

  after(() => filled?.close());

  const tasks = { added: true, added_again: false, changed: true, renamed: true };
  const further = { renamed_again: false, users: false, rules: true, deleted: true };
  for (const [task, changed] of Object.entries({ ...tasks, ...further })) {
    it(`do what the task "${task}" asks for`, () => {
      const result = resultOf(task);
      assert.ok(!result.failed, result.msg);
      assert.equal(result.changed, changed);
    });
  }

  it('see the users with what was changed, under their new names', () => {
    const users = resultOf('users').redfish_facts?.user?.entries ?? [];
    assert.deepEqual(users.map(({ UserName }) => UserName).sort(), ['admin', 'renamed']);
    const user = users.find(({ UserName }) => UserName === 'renamed');
    assert.equal(user?.RoleId, 'Operator');
    assert.equal(user?.Enabled, true);
  });

  it('are told why a user cannot get the name of another', () => {
    const { failed, msg = '' } = resultOf('renamed_to_taken');
    assert.ok(failed);
    assert.match(msg, /already exists/);
  });
});
