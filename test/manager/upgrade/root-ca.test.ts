import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { CertError } from '../../../src/core/cert-error.ts';
import { AuthorityEndpoint } from '../../../src/manager/truststore/authority-endpoint.ts';
import { RootCa } from '../../../src/manager/upgrade/root-ca.ts';
import { makeWorld, type World } from '../../fakes/manager-world.ts';
import { diskError, onDisk } from '../../fakes/moody-disk.ts';
import { type Issued, opensslAuthority } from '../../fakes/openssl-authority.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const [one, two, three] = ['One', 'Two', 'Three'].map((name) =>
  tools.issueCa({ subject: `/CN=${name}` }),
) as [Issued, Issued, Issued];

describe('the root certificate of an earlier installation', () => {
  let world: World;
  const truststore = () => join(world.directory, 'authority');
  const file = () => join(world.directory, 'Root-CA.pem');
  const start = async () => {
    const endpoint = new AuthorityEndpoint(
      { type: 'authority', name: 'truststore', path: truststore(), reload: [] },
      world.dependencies,
    );
    await endpoint.start();
    return endpoint;
  };
  const listed = (endpoint: AuthorityEndpoint) =>
    endpoint.list().map(({ certificate }) => certificate.pem);
  const warnings = () => world.logged.filter(({ level }) => level === 'warn').length;

  beforeEach(() => {
    world = makeWorld({ limits: { authorities: 2 } });
    writeFileSync(file(), one.pem);
  });
  afterEach(() => world.remove());

  describe('whose file cannot be removed, as when it is mounted', () => {
    let endpoint: AuthorityEndpoint;
    let restore: () => void;
    beforeEach(async () => {
      restore = onDisk('rename', (real) => async (from, to) => {
        if (String(from) === file()) throw diskError('EBUSY');
        return real(from, to);
      });
      endpoint = await start();
    });
    afterEach(() => restore());

    it('is installed, and does not come back once it is deleted', async () => {
      assert.deepEqual(listed(endpoint), [one.pem]);
      await endpoint.deleteAll();
      await endpoint.maintain();
      assert.deepEqual(listed(endpoint), []);
    });

    it('does not fill the log', async () => {
      for (let round = 0; round < 3; round += 1) await endpoint.maintain();
      assert.equal(warnings(), 1);
    });

    it('goes without being installed again when it can, and leaves nothing', async () => {
      await endpoint.deleteAll();
      restore();
      await endpoint.maintain();
      assert.deepEqual(listed(endpoint), []);
      assert.deepEqual(readdirSync(world.directory).sort(), ['authority', 'authority.generations']);
    });

    it('is installed when it is another one', async () => {
      await endpoint.deleteAll();
      writeFileSync(file(), two.pem);
      await endpoint.maintain();
      assert.deepEqual(listed(endpoint), [two.pem]);
    });
  });

  it('is installed as soon as a full truststore has room', async () => {
    rmSync(file());
    const endpoint = await start();
    await endpoint.installAll(two.pem + three.pem);
    writeFileSync(file(), one.pem);
    const again = await start();
    await again.maintain();
    assert.deepEqual([listed(again), warnings()], [[two.pem, three.pem], 1]);
    await again.delete('1');
    await again.maintain();
    assert.deepEqual(listed(again), [three.pem, one.pem]);
    assert.ok(!existsSync(file()));
  });

  it('waits for the end of a staged replacement', async () => {
    const installed: string[] = [];
    let onReplacement = true;
    const rootCa = new RootCa({
      truststore: truststore(),
      dependencies: world.dependencies,
      install: async (text) => {
        if (onReplacement)
          throw new CertError('replacement-in-progress', 'a certificate is being replaced');
        installed.push(text);
      },
    });
    assert.equal(await rootCa.takeOver(), false);
    onReplacement = false;
    assert.equal(await rootCa.takeOver(), true);
    assert.deepEqual(installed, [one.pem]);
  });
});
