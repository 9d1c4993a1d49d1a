import assert from 'node:assert/strict';
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
  const directory = join(scratch, 'remains');
  const start = async <T>(image: Image, use: (device: Device) => Promise<T>): Promise<T> => {
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
  const expected = new Set([...old.names, ...after.names]);
  const numberOf = (state: State) => highestNumber(state.trust);
  const loosely = scene.loosely ?? ((state: State) => state);

  return {
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
        const names = plainNames(readImage(directory).keys());
        assert.deepEqual(
          names.filter((name) => !expected.has(name)),
          [],
          `left over: ${when}`,
        );
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

function same(a: State, b: State): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
