import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { Server } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Claim, claimName, type Taken } from '../../src/storage/claim-socket.ts';
import { quotedSource, typescriptProgram } from '../fakes/typescript-program.ts';
import { scratchDirectory } from './scratch.ts';

const directory = scratchDirectory();
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A process that claims the name and says whether it got it. */
async function claimElsewhere(): Promise<{ child: ChildProcess; says: string }> {
  const script = `
    import { claimName } from ${quotedSource('storage/claim-socket.ts')};
    const claim = await claimName(${JSON.stringify(directory())}, 'x');
    process.send('release' in claim ? 'held' : 'taken');
    setInterval(() => undefined, 1000);`;
  const [node, ...args] = typescriptProgram(script);
  const child = spawn(node, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.push(child);
  const ended = once(child, 'exit').then(() => ['it ended']);
  const [says] = await Promise.race([once(child, 'message'), ended]);
  return { child, says: String(says) };
}

function held(answer: Claim | Taken): Claim {
  assert.ok('release' in answer, JSON.stringify(answer));
  return answer;
}

describe('a claimed name', () => {
  it('belongs to one process at a time, which is named', async () => {
    const first = held(await claimName(directory(), 'x'));
    assert.deepEqual(await claimName(directory(), 'x'), { takenBy: process.pid });
    held(await claimName(directory(), 'y')).release();
    first.release();
    held(await claimName(directory(), 'x')).release();
    assert.deepEqual(readdirSync(directory()), []);
  });

  it('ends with its process, however that ends, and not while that is stopped', async () => {
    const { child, says } = await claimElsewhere();
    assert.equal(says, 'held');
    assert.deepEqual(await claimName(directory(), 'x'), { takenBy: child.pid });
    child.kill('SIGSTOP');
    assert.deepEqual(await claimName(directory(), 'x'), { takenBy: 0 });
    child.kill('SIGKILL');
    await once(child, 'exit');
    held(await claimName(directory(), 'x')).release();
    assert.deepEqual(readdirSync(directory()), []);
  });

  const others: readonly [string, (path: string) => void][] = [
    ['removes its socket', () => undefined],
    [
      'puts a link in the place of its socket',
      (path) => symlinkSync(join(directory(), 'file'), path),
    ],
  ];
  for (const [what, replace] of others) {
    it(`is taken, and changes no other file, where another process ${what} before it has a listener`, async (t) => {
      writeFileSync(join(directory(), 'file'), '', { mode: 0o600 });
      const bind = Reflect.get(Server.prototype, '_listen2');
      t.mock.method(
        Server.prototype,
        '_listen2' as never,
        function (this: Server, ...about: string[]) {
          Reflect.apply(bind, this, about);
          const [path = ''] = about;
          unlinkSync(path);
          replace(path);
        } as never,
      );
      const { takenBy } = (await claimName(directory(), 'x')) as Taken;
      assert.equal(takenBy, what === 'removes its socket' ? 0 : undefined);
      assert.equal(statSync(join(directory(), 'file')).mode & 0o777, 0o600);
    });
  }

  it('can be asked for by every user who reaches its directory', async () => {
    const claim = held(await claimName(directory(), 'x'));
    const [socket = ''] = readdirSync(directory());
    assert.equal(statSync(join(directory(), socket)).mode & 0o666, 0o666);
    claim.release();
  });

  it('is of exactly one of many that ask at once, over what dead processes left', async () => {
    for (let round = 0; round < 20; round += 1) {
      writeFileSync(join(directory(), 'x.0123456789ab'), '');
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => claimName(directory(), 'x')),
      );
      const claims = answers.filter((one) => 'release' in one);
      assert.equal(claims.length, 1);
      for (const claim of claims) claim.release();
    }
  });

  it('is of exactly one of several processes', async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, claimElsewhere));
    assert.equal(answers.filter(({ says }) => says === 'held').length, 1);
  });

  it('can be had in a directory whose path is longer than that of a socket', async () => {
    const deep = join(directory(), 'x'.repeat(100), 'y'.repeat(100));
    mkdirSync(deep, { recursive: true });
    held(await claimName(deep, 'x')).release();
  });
});
