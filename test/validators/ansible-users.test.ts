import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type FilledStack, startFilledStack } from './filled-stack.ts';
import { runPlaybook, type TaskResult } from './playbook.ts';
import { skipWithout } from './programs.ts';

describe("Ansible's Redfish modules for users", {
  skip: skipWithout('ansible-playbook'),
  timeout: 175_000,
}, () => {
  let filled: FilledStack;
  let resultOf: (task: string) => TaskResult;

  before(async () => {
    filled = await startFilledStack();
    resultOf = await runPlaybook('users', filled);
  });

  after(() => filled?.close());

  const tasks = { added: true, added_again: false, changed: true, users: false, rules: true };
  for (const [task, changed] of Object.entries({ ...tasks, deleted: true })) {
    it(`do what the task "${task}" asks for`, () => {
      const result = resultOf(task);
      assert.ok(!result.failed, result.msg);
      assert.equal(result.changed, changed);
    });
  }

  const users = () => resultOf('users').redfish_facts?.user?.entries ?? [];

  it('see the users with what was changed', () => {
    const user = users().find(({ UserName }) => UserName !== 'admin');
    assert.equal(user?.RoleId, 'Operator');
    assert.equal(user?.Enabled, true);
  });

  it('rename a user, or are told that the name is read-only and leave the user alone', () => {
    const { failed, msg = '' } = resultOf('renamed');
    const names = users().map(({ UserName }) => UserName);
    assert.deepEqual(names.sort(), ['admin', failed ? 'ansible' : 'renamed']);
    if (failed) assert.match(msg, /UserName is a read-only property/);
  });
});
