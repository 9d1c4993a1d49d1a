import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CertError } from '../../../src/core/cert-error.ts';
import { CsrService } from '../../../src/manager/csr/csr-service.ts';
import { PendingRequests } from '../../../src/manager/csr/pending-requests.ts';
import type { EndpointEvent } from '../../../src/manager/endpoint-event.ts';
import { csrParameters, makeWorld, type World } from '../../fakes/manager-world.ts';
import { openssl } from '../../fakes/openssl-authority.ts';
import { refusal } from '../../fakes/refusal.ts';

const wanted = csrParameters({ CommonName: 'bmc' });
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the desk of requests', () => {
  let world: World;
  let path: string;
  let desk: CsrService;
  let states: string[];
  beforeEach(() => {
    world = makeWorld();
    path = join(world.directory, 'requests');
    const noted: string[] = [];
    states = noted;
    const note = (event: EndpointEvent) => {
      if (event.kind === 'request') noted.push(event.state);
    };
    const pending = new PendingRequests(path, world.dependencies.limits.pendingRequests);
    desk = new CsrService({
      type: 'server',
      pending,
      dependencies: world.dependencies,
      inService: () => undefined,
      emit: note,
    });
  });
  afterEach(() => world.remove());

  /** A worker that does its work when it is told to. */
  const heldWorker = () => {
    const { csrWorker } = world;
    const held: (() => void)[] = [];
    world.csrWorker = async (job) => {
      await new Promise<void>((resolve) => held.push(resolve));
      return csrWorker(job);
    };
    return held;
  };

  it('has no request at first', () => {
    assert.throws(() => desk.newest(), refusal('not-found'));
  });

  it('makes a request that openssl verifies, and shows it', async () => {
    const pem = await desk.make(wanted);
    assert.match(openssl(['req', '-verify', '-noout', '-subject'], pem), /CN = bmc/);
    assert.equal(desk.newest(), pem);
    assert.equal(readdirSync(path).length, 1);
  });

  it('tells of the request after the reply to the call that wanted it', async () => {
    await desk.make(wanted);
    assert.deepEqual(states, []);
    await turn();
    assert.deepEqual(states, ['ready']);
  });

  it('takes the previous request away while it makes the next, and keeps its key', async () => {
    const first = await desk.make(wanted);
    await turn();
    const second = desk.make(wanted);
    assert.throws(() => desk.newest(), refusal('not-found'));
    assert.notEqual(await second, first);
    await turn();
    assert.deepEqual(states, ['ready', 'none', 'ready']);
    assert.equal(readdirSync(path).length, 2);
  });

  it('shows that a request failed, for those who wait for it', async () => {
    const wrong = csrParameters({ Country: 'Switzerland' });
    await assert.rejects(desk.begin(wrong), refusal('argument-invalid', /^Country /));
    await turn();
    assert.deepEqual(states, ['failed']);
    assert.throws(() => desk.newest(), refusal('request-failed'));
  });

  it('refuses a request without a name before anything is begun', async () => {
    const pem = await desk.make(wanted);
    await turn();
    const nameless = csrParameters({ CommonName: '', Organization: 'Example' });
    assert.throws(() => desk.begin(nameless), refusal('argument-invalid', /^CommonName /));
    await assert.rejects(desk.make(nameless), refusal('argument-invalid', /^CommonName /));
    await turn();
    assert.deepEqual(states, ['ready']);
    assert.equal(desk.newest(), pem);
  });

  it('shows no request that a later one has overtaken before it was shown', async () => {
    await desk.make(csrParameters());
    const later = desk.make(csrParameters());
    await later;
    await turn();
    assert.deepEqual(
      states.filter((state) => state === 'ready'),
      ['ready'],
    );
  });

  it('leaves the newest request as it is when another caller is refused', async () => {
    const pem = await desk.make(csrParameters());
    await turn();
    const wrong = csrParameters({ Country: 'Switzerland' });
    await assert.rejects(desk.make(wrong), refusal('argument-invalid'));
    assert.equal(desk.newest(), pem);
  });

  it('leaves nothing of a worker that failed', async () => {
    world.csrWorker = async ({ directory }) => {
      writeFileSync(join(directory, 'key.pem'), 'half a key');
      throw new CertError('request-timeout', 'too late');
    };
    await assert.rejects(desk.make(wanted), refusal('request-timeout'));
    assert.deepEqual(readdirSync(path), []);
  });

  it('works again after a failure', async () => {
    const { csrWorker } = world;
    world.csrWorker = () => Promise.reject(new CertError('request-failed', 'crash'));
    await assert.rejects(desk.make(wanted));
    world.csrWorker = csrWorker;
    assert.equal(await desk.make(wanted), desk.newest());
  });

  it('keeps every one of several at once, and shows the one that was wanted last', async () => {
    const held = heldWorker();
    const wants = [desk.make(wanted), desk.make(wanted), desk.make(wanted)];
    while (held.length < 3) await turn();
    for (const release of held.reverse()) {
      release();
      await turn();
    }
    const made = await Promise.all(wants);
    await turn();
    assert.equal(desk.newest(), made[2]);
    assert.equal(new Set(made).size, 3);
    assert.equal(readdirSync(path).length, 3);
    assert.deepEqual(states, ['ready']);
  });

  it('refuses more than may wait, and takes more when one is done', async () => {
    const held = heldWorker();
    const wants = [1, 2, 3, 4].map(() => desk.make(wanted));
    while (held.length < 4) await turn();
    await assert.rejects(desk.make(wanted), refusal('busy', /4/));
    for (const release of held) release();
    await Promise.all(wants);
    const next = desk.make(wanted);
    while (held.length < 5) await turn();
    held.at(-1)?.();
    await next;
  });

  it('says what failed when nothing can be written, and works again when it can', async () => {
    writeFileSync(path, 'a file in place of the directory');
    for (let round = 0; round < 5; round += 1) {
      await assert.rejects(desk.make(wanted), (error: unknown) => {
        assert.ok(error instanceof CertError, String(error));
        assert.notEqual(error.code, 'busy');
        return true;
      });
    }
    rmSync(path);
    assert.equal(await desk.make(wanted), desk.newest());
  });
});
