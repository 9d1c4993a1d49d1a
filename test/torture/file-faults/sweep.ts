import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { extent, figure } from '../extent.ts';
import { openWorkshop, type Prepared, type Workshop } from '../file-operations/followed.ts';
import { writeImage } from '../file-operations/image.ts';
import type { Scene, State } from '../file-operations/scene.ts';
import type { Outcome } from '../file-operations/subject.ts';
import { type Fault, faults } from './faults.ts';

/** How many operations lie between two that fail, for each change and kind of fault. */
const step = extent({ quick: 1_000_000, long: 1 });
/** Among how many of the first operations the first one is that fails. */
const firstAmong = extent({ quick: 24, long: 1 });
/** Each kind of fault for each change, or one kind of so many. */
const every = extent({ quick: 4, long: 1 });

/**
 * Has every operation of every scene fail in every way, as far as the run goes.
 * @param whose scenes they are, for the figures
 */
export function sweep(whose: string, scenes: readonly Scene[]): void {
  let workshop: Workshop;
  const counted = { faults: 0, refused: 0, done: 0 };
  before(async () => {
    workshop = await openWorkshop();
  });
  after(async () => {
    await workshop.close();
    figure('file-faults', `${whose}: operations that were made to fail`, counted.faults);
    figure(
      'file-faults',
      `${whose}: changes that were refused, with nothing changed`,
      counted.refused,
    );
    figure('file-faults', `${whose}: changes that were done all the same`, counted.done);
  });

  for (const [index, scene] of scenes.entries()) {
    it(`is refused or done, and the device goes on: ${scene.name}`, async () => {
      // Another operation for each kind of fault, so that a quick run meets different ones
      const chosen = faults.flatMap((fault, nth) =>
        (nth + index) % every === 0 ? [{ fault, first: 1 + ((nth * 7 + index) % firstAmong) }] : [],
      );
      const { ends, failures } = await failOperations(workshop, scene, chosen, step);
      counted.faults += ends.length;
      counted.done += ends.filter((end) => end === 'done').length;
      counted.refused += ends.filter((end) => end !== 'done').length;
      assert.equal(failures.length, 0, failures.join('\n'));
    });
  }
}

/**
 * @param chosen kinds of faults, each with the first operation that fails
 * @param apart how many operations lie between two that fail
 * @returns how the changes ended, and what was not as it must be
 */
export async function failOperations(
  workshop: Workshop,
  scene: Scene,
  chosen: readonly { readonly fault: Fault; readonly first: number }[],
  apart: number,
): Promise<{ readonly ends: readonly string[]; readonly failures: readonly string[] }> {
  const prepared = await workshop.prepare(scene);
  const [some] = faults;
  assert.ok(some);
  const whole = await playFault(workshop, prepared, some, Number.MAX_SAFE_INTEGER);
  const ends: string[] = [];
  const failures: string[] = [];
  for (const { fault, first } of chosen) {
    // What may not be read or changed at the start, may not be for ever
    if (scene.isStart === true && fault.error === 'EACCES') continue;
    for (let at = first; ; at += apart) {
      const outcome = await playFault(workshop, prepared, fault, at);
      if (!outcome.reached) break;
      if (!outcome.fired) continue;
      ends.push(outcome.end);
      const wrong = faultIn(scene, outcome, whole);
      if (wrong !== undefined) failures.push(`${fault.name}, operation ${at}: ${wrong}`);
    }
  }
  return { ends, failures };
}

export async function playFault(
  { play, scratch }: Workshop,
  { scene, place, before: image }: Prepared,
  { action, error, of }: Fault,
  at: number,
): Promise<Outcome> {
  // Another one each time: a device that was closed may still be at work on what it had begun
  rmSync(place.directory, { recursive: true, force: true, maxRetries: 5 });
  mkdirSync(place.directory, { mode: 0o700 });
  const directory = mkdtempSync(join(place.directory, 'device-'));
  writeImage(directory, image);
  const rule = { action, error, of, at };
  const aside = join(scratch, 'aside');
  const task = {
    do: 'fault',
    scene: scene.name,
    place: { ...place, directory },
    rule,
    aside,
  } as const;
  const outcome = await play(task);
  assert.ok(outcome);
  return outcome;
}

/** @returns what is not as it must be */
function faultIn(scene: Scene, outcome: Outcome, whole: Outcome): string | undefined {
  const { end, memory, restarted, again } = outcome;
  const [old, next] = [whole.before, whole.memory];
  const wrong = (what: string, expected: State | string) =>
    `${what}: ${JSON.stringify({ ...outcome, expected })}`;
  const is = (found: State | string, expected: State | string) =>
    JSON.stringify(blurred(scene, found, old)) === JSON.stringify(blurred(scene, expected, old));
  if (!/^(done$|CertError (storage|file-unreadable)|SetupError|Error E[A-Z]+:)/.test(end)) {
    return wrong('the error says nothing', '');
  }
  // A start goes on with what it could read; what counts is that nothing is lost by it
  const expected = scene.isStart === true || end === 'done' ? next : old;
  if (scene.isStart !== true && !is(memory, expected)) return wrong('memory', expected);
  const mayBeOld = scene.isDoneLater === true && is(restarted, old);
  if (!mayBeOld && !is(restarted, expected)) return wrong('after a start', expected);
  if (again !== 'done') return wrong('it does not work again', 'done');
  const known = (state: State | string) =>
    typeof state === 'string' ? state : (scene.untilNextStart?.(state) ?? state);
  return is(known(outcome.finally), known(next)) ? undefined : wrong('when it was over', next);
}

/** Numbers that a failed change had reserved are skipped, those from before it stay, and keys are random. */
function blurred(scene: Scene, state: State | string, old: State | string): State | string {
  if (typeof state === 'string') return state;
  const loose = scene.loosely?.(state) ?? state;
  const trust = typeof old === 'string' ? [] : (old.trust ?? []);
  const plain = Object.entries(loose).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : blurredList(name, value, trust),
  ]);
  return Object.fromEntries(plain);
}

function blurredList(
  name: string,
  list: readonly string[],
  oldTrust: string | readonly string[],
): readonly string[] {
  if (name === 'requests') return list.map((one) => one.replace(/[0-9a-f]{16}/g, 'ID')).sort();
  if (name === 'accounts') {
    return list.map((one) => one.replace(/"(?:salt|hash|passwordStamp)":"[^"]*"/g, ''));
  }
  if (name !== 'trust') return list;
  return list.map((one) => (oldTrust.includes(one) ? one : one.replace(/^\d+ /, ''))).sort();
}
