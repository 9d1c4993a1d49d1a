import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Prepared } from '../file-operations/followed.ts';
import { type Remains, remainsAfter } from '../file-operations/forgetful-disk.ts';
import { type Image, readImage, writeImage } from '../file-operations/image.ts';
import { plainNames } from '../file-operations/plain-names.ts';
import type { Recording } from '../file-operations/recording.ts';
import type { Device, State } from '../file-operations/scene.ts';

/** What a start after a cut may find. */
export interface Verdict {
  /** @throws AssertionError when a start on what remains finds anything else than it may */
  judge(remains: Remains): Promise<void>;
  /**
   * For a run of its own, of which nobody knows how far it got, with random keys that the recording lacks.
   * @throws AssertionError when a start finds neither the old nor the new state
   */
  judgeLoosely(image: Image): Promise<void>;
}

/**
 * Judges what starts find after cuts of a scene: the old state before the change began, the old or the new
 * one until it was acknowledged, and the new one ever after.
 * @param scratch a directory for the starts
 */
export async function verdictOn(
  { scene, place, before }: Prepared,
  recording: Recording,
  scratch: string,
): Promise<Verdict> {
  let directory = '';
  const start = async <T>(image: Image, use: (device: Device) => Promise<T>): Promise<T> => {
    if (directory !== '') rmSync(directory, { recursive: true, force: true });
    // Another one each time: a device that was closed may still be looking at its files
    directory = mkdtempSync(join(scratch, 'remains-'));
    writeImage(directory, image);
    const device = await scene.open({ ...place, directory });
    try {
      return await use(device);
    } finally {
      await device.close();
    }
  };
  const look = async (image: Image) => {
    const state = await start(image, (device) => device.state());
    return { state, names: plainNames(readImage(directory).keys()) };
  };
  const { operations } = recording;
  const last = remainsAfter(recording, operations.length)[0];
  assert.ok(last);
  const [old, after] = [await look(before), await look(last.image)];
  const began = markAt(recording, 'began');
  const acknowledged = markAt(recording, 'acknowledged');
  const expected = new Set([...old.names, ...after.names, ...(scene.leftOver ?? [])]);
  const numberOf = (state: State) => highestNumber(state.trust);
  const loosely = scene.loosely ?? ((state: State) => state);

  const noStrays = (when: string) => {
    const names = plainNames(readImage(directory).keys());
    assert.deepEqual(
      names.filter((name) => !expected.has(name)),
      [],
      `left over: ${when}`,
    );
  };

  return {
    async judgeLoosely(image) {
      await start(image, async (device) => {
        const found = withoutChance(loosely(await device.state()));
        const allowed = [...(scene.isStart === true ? [] : [old]), after].map(({ state }) =>
          withoutChance(loosely(state)),
        );
        const fits = allowed.some((one) => same(found, one));
        assert.ok(fits, `after a kill: ${JSON.stringify({ found, allowed }, null, 1)}`);
        noStrays('after a kill');
      });
    },
    async judge({ after: cut, how, image }) {
      const when = `cut after ${cut - recording.first} operations, ${how}`;
      const mayBeOld = !scene.isStart && cut <= acknowledged;
      const mayBeNew = scene.isStart === true || cut > began;
      const told = Math.max(
        scene.isStart === true ? 0 : numberOf(old.state),
        cut > acknowledged ? numberOf(after.state) : 0,
      );
      await start(image, async (device) => {
        const found = await device.state();
        const isOld = mayBeOld && same(loosely(found), loosely(old.state));
        const isNew =
          mayBeNew &&
          (cut > acknowledged
            ? same(found, after.state)
            : same(loosely(found), loosely(after.state)));
        if (!isOld && !isNew) {
          const allowed = {
            ...(mayBeOld && { old: old.state }),
            ...(mayBeNew && { new: after.state }),
          };
          assert.fail(`${when}: ${JSON.stringify({ found, ...allowed }, null, 1)}`);
        }
        noStrays(when);
        const number = await device.newNumber?.();
        if (number !== undefined) assert.ok(number > told, `${number} was given before: ${when}`);
      });
    },
  };
}

/** The number of operations when a mark was made. */
export function markAt({ operations }: Recording, text: string): number {
  const at = operations.findIndex((one) => one.kind === 'mark' && one.text === text);
  assert.ok(at >= 0, `the recording has no mark ${text}`);
  return at;
}

function highestNumber(trust: State[string] | undefined): number {
  const list = Array.isArray(trust) ? trust : [];
  return Math.max(0, ...list.map((one) => Number.parseInt(one, 10)));
}

/** Two runs of the same change make different keys and salts. */
function withoutChance(state: State): State {
  const text = JSON.stringify(state)
    .replace(/(key|text|waits) [0-9a-f]{16}/g, '$1 ID')
    .replace(/(salt|hash)\\":\\"[^"\\]*/g, '$1');
  const plain: State = JSON.parse(text);
  return plain;
}

function same(a: State, b: State): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
