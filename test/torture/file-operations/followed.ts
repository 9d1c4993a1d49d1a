import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Image, readImage, writeImage } from './image.ts';
import { buildLibrary, followedEnvironment } from './library.ts';
import { makeMaterials } from './materials.ts';
import { inodesOf, type Recording, readRecording } from './recording.ts';
import type { Place, Scene } from './scene.ts';
import type { Outcome, Task } from './subject.ts';

/** A scene that is ready to be played any number of times. */
export interface Prepared {
  readonly scene: Scene;
  readonly place: Place;
  /** The files before the change. */
  readonly before: Image;
}

/** A workshop: where scenes are prepared, recorded and played by a program that is followed. */
export interface Workshop {
  /** What only this test uses; outside of what is followed. */
  readonly scratch: string;
  readonly given: Place['given'];
  prepare(scene: Scene): Promise<Prepared>;
  record(prepared: Prepared): Promise<Recording>;
  play(task: Task): Promise<Outcome | undefined>;
  /** Plays what ends with the death of the program. @returns whether it died */
  dies(task: Task): Promise<boolean>;
  close(): Promise<void>;
}

/** What a sync makes last is computed, so no sync has to wait for a disk. Programs may not be run from here. */
const inMemory = '/dev/shm';
const subject = fileURLToPath(new URL('./subject.ts', import.meta.url));

export async function openWorkshop(): Promise<Workshop> {
  const scratch = mkdtempSync(join(existsSync(inMemory) ? inMemory : tmpdir(), 'file-operations-'));
  const directory = join(scratch, 'state');
  const materials = makeMaterials();
  const programs = mkdtempSync(join(tmpdir(), 'file-operations-'));
  const library = buildLibrary(programs);
  const script = join(programs, 'subject.mjs');
  await build({
    entryPoints: [subject],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    banner: { js: requireForBundles },
  });
  let child: ChildProcess | undefined;
  const start = () => fork(script, { execArgv: [], env: followedEnvironment(library, directory) });
  const ask = (task: Task) => {
    child ??= start();
    const asked = child;
    return new Promise<Outcome | undefined>((resolve, reject) => {
      asked.once('exit', (status, signal) => {
        child = undefined;
        reject(new Died(`the program ended with ${signal ?? status}`));
      });
      asked.once('message', (answer: { reply?: Outcome; failure?: string }) => {
        asked.removeAllListeners('exit');
        if (answer.failure === undefined) resolve(answer.reply);
        else reject(new Error(answer.failure));
      });
      asked.send(task);
    });
  };
  return {
    scratch,
    given: materials.given,
    async prepare(scene) {
      rmSync(directory, { recursive: true, force: true });
      mkdirSync(directory, { mode: 0o700 });
      const more = await scene.prepare({ directory, given: materials.given });
      const { request } = more;
      const signed = request === undefined ? {} : { signed: materials.sign(request) };
      const given = { ...materials.given, ...more, ...signed };
      return { scene, place: { directory, given }, before: readImage(directory) };
    },
    async record({ scene, place, before }) {
      writeImage(directory, before);
      const inodes = inodesOf(directory, before);
      const log = join(scratch, 'log');
      await ask({ do: 'record', scene: scene.name, place, log });
      return readRecording(directory, before, inodes, readFileSync(log, 'utf8'));
    },
    play: ask,
    async dies(task) {
      try {
        await ask(task);
        return false;
      } catch (error) {
        if (error instanceof Died) return true;
        throw error;
      }
    },
    async close() {
      if (child) {
        const ended = new Promise((resolve) => child?.once('exit', resolve));
        child.disconnect();
        await ended;
      }
      materials.remove();
      for (const path of [scratch, programs]) rmSync(path, { recursive: true, force: true });
    },
  };
}

class Died extends Error {}

/** CommonJS packages in a bundle of modules ask for `require`. */
const requireForBundles =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
