import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RedfishError } from '../../../src/redfish/messages/redfish-error.ts';
import type { Reply } from '../../../src/redfish/resource.ts';
import { readPreference } from '../../../src/redfish/tasks/preference.ts';
import { isTask, Tasks } from '../../../src/redfish/tasks/tasks.ts';

const description = { name: 'a request', userName: 'admin', targetUri: '/x' };
const never = () => new Promise<Reply>(() => undefined);

function makeTasks(limits = { patience: 20, tasks: 2 }) {
  const reports: unknown[] = [];
  const tasks = new Tasks({ limits, now: () => 1000, report: (error) => reports.push(error) });
  return { tasks, reports };
}

async function start(tasks: Tasks, work: () => Promise<Reply> = never) {
  const task = await tasks.run(description, { wait: 0 }, work);
  assert.ok(isTask(task));
  return task;
}

describe('a request that may take long', () => {
  it('has its own answer when it is quick enough, and leaves no task', async () => {
    const { tasks } = makeTasks();
    assert.deepEqual(await tasks.run(description, {}, async () => ({ status: 200 })), {
      status: 200,
    });
    assert.deepEqual(tasks.list(), []);
  });

  it('is refused with its own error when that comes at once, even when a task was asked for', async () => {
    const { tasks } = makeTasks();
    const fault = new RedfishError(400, { id: 'MalformedJSON', args: [] });
    await assert.rejects(
      tasks.run(description, { wait: 0 }, () => Promise.reject(fault)),
      fault,
    );
    assert.deepEqual(tasks.list(), []);
  });

  it('becomes a task that ends in the answer', async () => {
    const { tasks } = makeTasks();
    let finish: (reply: Reply) => void = () => undefined;
    const { id } = await start(tasks, () => new Promise((resolve) => (finish = resolve)));
    assert.equal(tasks.get(id)?.outcome, undefined);
    assert.equal(tasks.remove(id), false);
    finish({ status: 200, body: { done: true } });
    await new Promise(setImmediate);
    assert.deepEqual(tasks.get(id)?.outcome, { status: 200, body: { done: true } });
    assert.equal(tasks.remove(id), true);
    assert.equal(tasks.get(id), undefined);
  });

  it('ends in its refusal, or in an internal error that is reported and tells nothing', async () => {
    const { tasks, reports } = makeTasks();
    let fail: (error: Error) => void = () => undefined;
    const { id } = await start(tasks, () => new Promise((_, reject) => (fail = reject)));
    fail(new Error('secret detail'));
    await new Promise(setImmediate);
    const outcome = tasks.get(id)?.outcome;
    assert.ok(outcome instanceof RedfishError);
    assert.equal(outcome.status, 500);
    assert.doesNotMatch(JSON.stringify(outcome.messages), /secret/);
    assert.equal(reports.length, 1);
  });

  it('is refused when as many run as may', async () => {
    const { tasks } = makeTasks();
    await start(tasks);
    await start(tasks);
    await assert.rejects(tasks.run(description, {}, never), { status: 503 });
  });

  it('counts what has no answer yet, and leaves ended tasks alone while it is quick', async () => {
    const { tasks } = makeTasks({ patience: 1000, tasks: 2 });
    let finish: (reply: Reply) => void = () => undefined;
    const ended = await start(tasks, () => new Promise((resolve) => (finish = resolve)));
    finish({ status: 204 });
    await new Promise(setImmediate);
    await tasks.run(description, {}, async () => ({ status: 200 }));
    await tasks.run(description, {}, async () => ({ status: 200 }));
    assert.ok(tasks.get(ended.id));
    const both = [
      tasks.run(description, { wait: 0 }, never),
      tasks.run(description, { wait: 0 }, never),
    ];
    await assert.rejects(tasks.run(description, {}, never), { status: 503 });
    await Promise.all(both);
  });

  it('takes the place of the oldest that has ended', async () => {
    const { tasks } = makeTasks();
    let finish: (reply: Reply) => void = () => undefined;
    const first = await start(tasks, () => new Promise((resolve) => (finish = resolve)));
    const second = await start(tasks);
    finish({ status: 204 });
    await new Promise(setImmediate);
    const third = await start(tasks);
    assert.deepEqual(
      tasks.list().map(({ id }) => id),
      [second.id, third.id],
    );
    assert.equal(tasks.get(first.id), undefined);
  });
});

describe('a Prefer header', () => {
  const rows = [
    { header: undefined, preference: {} },
    { header: 'return=minimal', preference: {} },
    { header: 'wait=5', preference: {} },
    { header: 'respond-async', preference: { wait: 0 } },
    { header: 'Respond-Async, wait=5', preference: { wait: 5000 } },
    { header: 'wait="7", respond-async;foo=bar', preference: { wait: 7000 } },
    { header: 'respond-async, wait=99999999999', preference: { wait: 0 } },
  ];
  for (const { header, preference } of rows) {
    it(`${JSON.stringify(header)} means ${JSON.stringify(preference)}`, () => {
      assert.deepEqual(readPreference(header), preference);
    });
  }
});
