import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { removeDirectory, temporaryDirectory } from '../../e2e/stack.ts';
import { busCaller } from '../../fakes/bus-caller.ts';
import { names, paths, runManager, startManager, untilReady } from '../../fakes/manager-process.ts';
import { type OpensslAuthority, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { extent, figure } from '../extent.ts';
import {
  buildLibrary,
  followedEnvironment,
  ruleText,
  whyNotFollowed,
} from '../file-operations/library.ts';

const lives = extent({ quick: 2, long: 12 });

describe('a daemon that is killed in life after life', { skip: whyNotFollowed() }, () => {
  let bus: PrivateBus;
  let scratch: string;
  let tools: OpensslAuthority;
  before(async () => {
    bus = await startPrivateBus();
    scratch = temporaryDirectory();
    tools = opensslAuthority();
  });
  after(async () => {
    await bus?.stop();
    removeDirectory(scratch);
    tools?.remove();
  });

  it('has everything that it ever acknowledged, and gives no number twice', async () => {
    const library = buildLibrary(scratch);
    const state = join(bus.directory, 'authority');
    const numbers = new Map<string, string>();
    let kills = 0;
    // The first life is not cut short
    await (await startManager(bus)).stop();
    for (let life = 0; life < lives; life += 1) {
      const rule = {
        action: life % 2 === 0 ? 'kill-before' : 'kill-after',
        of: 'change',
        at: 2 + ((life * 7) % 31),
      } as const;
      const environment = {
        ...followedEnvironment(library, bus.directory),
        FILE_OPERATIONS_RULE: ruleText(rule),
      };
      kills += (await live(environment, numbers, life)) ? 1 : 0;

      const manager = await startManager(bus);
      await manager.stop();
      for (const [number, fingerprint] of numbers) {
        const text = readFileSync(join(state, `${number}.pem`), 'utf8');
        assert.equal(new X509Certificate(text).fingerprint256, fingerprint);
      }
      const server = readFileSync(join(bus.directory, 'https/server.pem'), 'utf8');
      assert.ok(new X509Certificate(server).checkPrivateKey(createPrivateKey(server)));
      const strays = readdirSync(bus.directory, { recursive: true })
        .map(String)
        .filter((name) => /\.new$|\.done$|requests\/\.[0-9a-f]{16}$/.test(name));
      assert.deepEqual(strays, []);
    }
    assert.ok(kills > 0);
    figure('power-cut', 'lives of the built daemon that ended by SIGKILL', kills);
    figure('power-cut', 'authorities that it had acknowledged, all there', numbers.size);
  });

  /** @returns whether the daemon was killed before it had done all that it was asked for */
  async function live(
    environment: NodeJS.ProcessEnv,
    numbers: Map<string, string>,
    life: number,
  ): Promise<boolean> {
    const file = join(bus.directory, 'manager.json');
    const manager = runManager(['--config', file], environment);
    const caller = await busCaller(bus.address, names.authority);
    try {
      await untilReady(manager);
      for (const nth of [1, 2]) {
        const { pem } = tools.issueCa({ subject: `/CN=${life} ${nth}` });
        const upload = join(scratch, 'upload.pem');
        writeFileSync(upload, pem);
        const method = 'xyz.openbmc_project.Certs.Install.Install';
        const path = String(await caller.call(paths.authority, method, 's', upload));
        const number = path.slice(path.lastIndexOf('/') + 1);
        assert.equal(numbers.get(number), undefined, 'a number was given twice');
        numbers.set(number, new X509Certificate(pem).fingerprint256);
        if (numbers.size > 6) {
          const [[oldest = ''] = []] = numbers;
          const gone = `${paths.authority}/${oldest}`;
          numbers.delete(oldest);
          await caller.call(gone, 'xyz.openbmc_project.Object.Delete.Delete', '');
        }
      }
      return false;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return true;
    } finally {
      caller.leave();
      await manager.stop('SIGKILL');
    }
  }
});
