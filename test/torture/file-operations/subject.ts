// The program that the library follows: it plays scenes as its parent tells it.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { RedfishError } from '../../../src/redfish/messages/redfish-error.ts';
import { readImage, writeImage } from './image.ts';
import { library, type Rule } from './library.ts';
import { useProbe } from './manager-device.ts';
import type { Device, Place, Scene, State } from './scene.ts';
import { scenes } from './scenes.ts';

/** What the parent asks for. */
export type Task =
  | { readonly do: 'record'; readonly scene: string; readonly place: Place; readonly log: string }
  | { readonly do: 'die'; readonly scene: string; readonly place: Place; readonly rule: Rule }
  | {
      readonly do: 'fault';
      readonly scene: string;
      readonly place: Place;
      readonly rule: Rule;
      /** A directory below which a copy of the files may be looked at. */
      readonly aside: string;
    };

/** What happened. */
export interface Outcome {
  /** Whether the rule has come to pass. */
  readonly fired: boolean;
  /** Whether the change has as many operations as the rule counts to. */
  readonly reached: boolean;
  /** How the change ended: `done`, or name, code and message of an error. */
  readonly end: string;
  /** What the device said before. */
  readonly before: State | string;
  /** What the device says after the fault, and what it says after a start on the same files. */
  readonly memory: State | string;
  readonly restarted: State | string;
  /** The same change again when the fault is over. */
  readonly again: string;
  readonly finally: State | string;
}

process.on('message', (task: Task) => {
  void play(task).then(
    (reply) => process.send?.({ reply }),
    (error: unknown) => process.send?.({ failure: textOf(error) }),
  );
});
process.on('disconnect', () => process.exit(0));

async function play(task: Task): Promise<Outcome | undefined> {
  const one = scenes.find(({ name }) => name === task.scene);
  if (!one) throw new Error(`there is no scene ${task.scene}`);
  useProbe(task.place.given.probe ?? '');
  if (task.do === 'record') {
    library.record(task.log);
    await run(one, task.place, {
      begin: () => library.mark('began'),
      done: () => library.mark('acknowledged'),
    });
    return undefined;
  }
  if (task.do === 'die') {
    library.setRule(task.rule);
    await run(one, task.place, {});
    library.clearRule();
    return undefined;
  }
  return withFault(one, task.place, task.rule, task.aside);
}

async function run(one: Scene, place: Place, tell: { begin?(): void; done?(): void }) {
  if (one.isStart) tell.begin?.();
  const device = await one.open(place);
  await one.act(device, place, () => tell.begin?.());
  tell.done?.();
  await device.close();
}

/** The fault begins with the change, or with the start where that is the change. */
async function withFault(one: Scene, place: Place, rule: Rule, aside: string): Promise<Outcome> {
  let device: Device | undefined;
  if (!one.isStart) device = await one.open(place);
  const before = device ? await stateOf(device) : 'it did not start';
  const begin = () => library.setRule(rule);
  if (one.isStart) begin();
  const end = await ending(async () => {
    device ??= await one.open(place);
    await one.act(device, place, begin);
  });
  const [fired, reached] = [library.hasFired(), library.isReached()];
  library.clearRule();
  // What was begun without anybody waiting for it comes to its end
  await wait(5);
  await device?.settle?.();
  const restarted = await restart(one, place, aside);
  // A disk that refused to undo, too, is put right as soon as it can be
  if (rule.action !== 'fail' || one.isDoneLater === true) await device?.maintain?.();
  const memory = device ? await stateOf(device) : 'it did not start';
  await device?.maintain?.();
  const again =
    end === 'done' && !one.isStart
      ? 'done'
      : await repeated(one, async () => {
          device ??= await one.open(place);
          await one.act(device, place, () => undefined);
        });
  const last = device ? await stateOf(device) : 'it did not start';
  await device?.close();
  return { fired, reached, end, before, memory, restarted, again, finally: last };
}

async function restart(one: Scene, place: Place, aside: string): Promise<State | string> {
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside);
  // Another one each time: a device that was closed may still be looking at its files
  const directory = mkdtempSync(join(aside, 'copy-'));
  writeImage(directory, readImage(place.directory));
  try {
    const device = await one.open({ ...place, directory });
    const state = await stateOf(device);
    await device.close();
    return state;
  } catch (error) {
    return textOf(error);
  }
}

async function stateOf(device: Device): Promise<State | string> {
  return device.state().catch(textOf);
}

/** What a device does by itself may take it more than one look on a machine that has much to do. */
async function repeated(one: Scene, work: () => Promise<void>, more = 4): Promise<string> {
  const end = await ending(work);
  const isLate = one.isDoneLater === true && end !== 'done' && more > 0;
  return isLate ? repeated(one, work, more - 1) : end;
}

async function ending(work: () => Promise<void>): Promise<string> {
  return work().then(() => 'done', textOf);
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // An answer to a client does not tell what the log does
  if (error instanceof RedfishError && error.cause !== undefined) return textOf(error.cause);
  const code = 'code' in error ? ` ${String(error.code)}` : '';
  return `${error.name}${code}: ${error.message}`;
}
