import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CertError } from '../../src/core/cert-error.ts';
import { type Change, ChangeQueue } from '../../src/manager/change.ts';
import { refusal } from '../fakes/refusal.ts';

/** A change that notes its steps, and fails at one of them. */
function noted(
  steps: string[],
  name: string,
  failure: { at?: keyof Change<string>; error?: Error } = {},
): Change<string> {
  const step = async (at: keyof Change<string>) => {
    steps.push(`${name} ${at}`);
    await new Promise((resolve) => setImmediate(resolve));
    if (failure.at === at) throw failure.error ?? new Error('failed');
  };
  return {
    validate: async () => {
      await step('validate');
      return name;
    },
    write: () => step('write'),
    publish: () => {
      steps.push(`${name} publish`);
    },
  };
}

function queueTelling(reload: () => Promise<void>): ChangeQueue {
  const definition = { type: 'client', name: 'x', path: '/x', reload: [] } as const;
  return new ChangeQueue(definition, { reload, oweReload: () => undefined });
}

describe('a change', () => {
  const withReload = () => {
    const steps: string[] = [];
    const queue = queueTelling(async () => {
      steps.push('reload');
    });
    const changer = <T>(change: Change<T>) => queue.run(change);
    return { steps, changer, queue };
  };

  it('is validated, written, published and told, in this order', async () => {
    const { steps, changer } = withReload();
    assert.equal(await changer(noted(steps, 'a')), 'a');
    assert.deepEqual(steps, ['a validate', 'a write', 'a publish', 'reload']);
  });

  it('goes no further than the step that fails', async () => {
    const { steps, changer } = withReload();
    const refused = new CertError('expired', 'it expired');
    const failing = noted(steps, 'a', { at: 'validate', error: refused });
    await assert.rejects(changer(failing), (error) => error === refused);
    assert.deepEqual(steps, ['a validate']);
  });

  for (const [code, refused] of [
    ['EROFS', 'storage'],
    ['ENOSPC', 'storage-full'],
    ['EDQUOT', 'storage-full'],
  ] as const) {
    it(`that cannot be written for ${code} is a ${refused} error that names the cause`, async () => {
      const { steps, changer } = withReload();
      const cause = Object.assign(new Error(`${code}: /secret/path`), { code });
      const failing = noted(steps, 'a', { at: 'write', error: cause });
      await assert.rejects(changer(failing), (error: Error) => {
        refusal(refused, new RegExp(code))(error);
        assert.doesNotMatch(error.message, /secret/);
        assert.equal(error.cause, cause);
        return true;
      });
      assert.deepEqual(steps, ['a validate', 'a write']);
    });
  }

  it('that cannot be written keeps an error of our own', async () => {
    const { steps, changer } = withReload();
    const ours = new CertError('limit-reached', 'no more');
    const failing = noted(steps, 'a', { at: 'write', error: ours });
    await assert.rejects(changer(failing), (error) => error === ours);
  });

  it('waits for the one before it, whether that succeeds or fails', async () => {
    const { steps, changer } = withReload();
    const outcomes = await Promise.allSettled([
      changer(noted(steps, 'a')),
      changer(noted(steps, 'b', { at: 'validate' })),
      changer(noted(steps, 'c', { at: 'write' })),
      changer(noted(steps, 'd')),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(steps, [
      ...['a validate', 'a write', 'a publish', 'reload', 'b validate'],
      ...['c validate', 'c write', 'd validate', 'd write', 'd publish', 'reload'],
    ]);
  });

  it('is done when its reload is done', async () => {
    let reloaded = false;
    const queue = queueTelling(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      reloaded = true;
    });
    await queue.run(noted([], 'a'));
    assert.ok(reloaded);
  });
});
