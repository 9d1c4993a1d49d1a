import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { AuthorityEndpoint } from '../../../src/manager/truststore/authority-endpoint.ts';
import { until } from '../../e2e/commands.ts';
import { makeWorld, recordEvents, type World } from '../../fakes/manager-world.ts';
import { type Issued, openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const [one, two, three, twin] = ['One', 'Two', 'Three', 'One'].map((name) =>
  tools.issueCa({ subject: `/CN=${name}` }),
) as [Issued, Issued, Issued, Issued];
const leaf = tools.issue({ issuer: one });

describe('the directory of a truststore', () => {
  let world: World;
  let path: string;
  let endpoint: AuthorityEndpoint;
  let events: string[];

  const listed = () => endpoint.list().map(({ id, certificate }) => [id, certificate.pem]);
  const holds = (expected: readonly (readonly [string, Issued])[]) =>
    until(
      'the list is as it should be',
      () => JSON.stringify(listed()) === JSON.stringify(expected.map(([id, { pem }]) => [id, pem])),
      5000,
    );
  const trusts = ({ path: certificate }: Issued) => {
    const when = ['-attime', '1780000000', '-no-CAfile', '-no-CAstore'];
    openssl(['verify', ...when, '-CApath', path, certificate]);
  };
  const isLogged = (message: string) =>
    until(message, () => world.logged.some((entry) => entry.message === message));
  /** Without the running number that each name has there. */
  const foreign = () => {
    const directory = join(`${path}.generations`, 'foreign');
    const names = existsSync(directory) ? readdirSync(directory) : [];
    return names.map((name) => name.replace(/\.~\d+~$/, '')).sort();
  };
  const put = (name: string, text: string) => writeFileSync(join(path, name), text);

  beforeEach(async () => {
    world = makeWorld({ watch: { settle: 20, grace: 100 }, limits: { authorities: 3 } });
    path = join(world.directory, 'authority');
    endpoint = new AuthorityEndpoint(
      { type: 'authority', name: 'truststore', path, reload: [] },
      world.dependencies,
    );
    await endpoint.start();
    await endpoint.install(one.pem);
    await endpoint.install(two.pem);
    events = recordEvents(endpoint);
  });
  afterEach(() => {
    endpoint.stop();
    world.remove();
  });

  it('takes in what somebody puts there, under a number of its own', async () => {
    put('company.crt', `our CA\n${three.pem}`);
    await holds([
      ['1', one],
      ['2', two],
      ['3', three],
    ]);
    trusts(three);
    await until('the services are told', () => world.reloads.length === 3);
    assert.ok(!existsSync(join(path, 'company.crt')));
    assert.ok(foreign().includes('company.crt'));
  });

  it('gives up what somebody removes, and puts the links right', async () => {
    rmSync(join(path, '1.pem'));
    await holds([['2', two]]);
    assert.match(events.join(), /^removed 1 /);
    trusts(two);
  });

  it('follows a file that is exchanged', async () => {
    writeFileSync(join(path, 'aside'), three.pem);
    renameSync(join(path, 'aside'), join(path, '2.pem'));
    await holds([
      ['1', one],
      ['2', three],
    ]);
    trusts(three);
  });

  it('gives a number of somebody else’s to nobody', async () => {
    put('77.pem', three.pem);
    await holds([
      ['1', one],
      ['2', two],
      ['3', three],
    ]);
  });

  it('puts links and bundle right that somebody changed', async () => {
    for (const name of readdirSync(path).filter((name) => /\.0$/.test(name)))
      rmSync(join(path, name));
    put('trust_bundle', 'garbage');
    await until('the links are back', () => {
      try {
        trusts(leaf);
        return true;
      } catch {
        return false;
      }
    });
    assert.deepEqual(events, []);
  });

  const bad: readonly [string, string, string][] = [
    ['more than the limit', 'many.pem', three.pem + twin.pem],
    ['a certificate that is no CA', 'leaf.pem', leaf.pem],
  ];
  for (const [what, name, text] of bad) {
    it(`refuses ${what}, keeps the file aside and goes on`, async () => {
      put(name, text);
      await isLogged('changed truststore refused');
      await until('it is aside', () => foreign().includes(name));
      assert.deepEqual(listed(), [
        ['1', one.pem],
        ['2', two.pem],
      ]);
      assert.deepEqual(events, []);
    });
  }

  it('puts a damaged file right', async () => {
    put('1.pem', 'garbage');
    await isLogged('changed truststore refused');
    await until('it is back', () => readFileSync(join(path, '1.pem'), 'utf8') === one.pem);
    assert.deepEqual(events, []);
    trusts(leaf);
  });

  it('is back when somebody takes the path away', async () => {
    rmSync(path);
    await endpoint.maintain();
    await until('the path is back', () => existsSync(join(path, '2.pem')));
    assert.deepEqual(events, []);
    trusts(leaf);
  });

  for (const [what, withLink] of [
    ['its generations', false],
    ['its generations and the path', true],
  ] as const) {
    it(`is back when somebody takes ${what} away, and goes on with its numbers`, async () => {
      await endpoint.delete('2');
      events.length = 0;
      rmSync(`${path}.generations`, { recursive: true });
      if (withLink) rmSync(path);
      await endpoint.maintain();
      await until('the path is back', () => existsSync(join(path, '1.pem')));
      assert.deepEqual(events, []);
      trusts(leaf);
      endpoint.stop();
      const again = new AuthorityEndpoint(endpoint.definition, world.dependencies);
      await again.start();
      assert.equal((await again.install(three.pem)).id, '3');
      again.stop();
      assert.deepEqual(readdirSync(world.directory).sort(), ['authority', 'authority.generations']);
    });
  }

  it('can be changed at once when somebody took its generations away', async () => {
    for (const [change, expected] of [
      [() => endpoint.install(three.pem), ['1', '2', '3']],
      [() => endpoint.replaceAll(one.pem + two.pem), ['1', '2']],
      [() => endpoint.deleteAll(), []],
    ] as const) {
      rmSync(`${path}.generations`, { recursive: true });
      await change();
      assert.deepEqual(
        readdirSync(path).filter((name) => name.endsWith('.pem')),
        expected.map((id) => `${id}.pem`),
      );
    }
  });

  it('leaves a file alone that is no certificate', async () => {
    put('README', 'words');
    put('company.crt', three.pem);
    await holds([
      ['1', one],
      ['2', two],
      ['3', three],
    ]);
    assert.ok(foreign().includes('README'));
  });

  const isGone = (name: string) => until(`${name} goes`, () => !existsSync(join(path, name)));

  it('tells nobody of a certificate that is there already, and keeps its file once', async () => {
    const generation = readlinkSync(path);
    const told = world.reloads.length;
    for (let round = 0; round < 3; round += 1) {
      put('corp.pem', two.pem);
      await endpoint.maintain();
      await isGone('corp.pem');
    }
    assert.deepEqual([foreign(), readlinkSync(path)], [['corp.pem'], generation]);
    assert.deepEqual([events, world.reloads.length], [[], told]);
  });

  it('tells nobody of a file that is refused', async () => {
    const generation = readlinkSync(path);
    const told = world.reloads.length;
    put('leaf.pem', leaf.pem);
    await isGone('leaf.pem');
    assert.deepEqual([foreign(), readlinkSync(path)], [['leaf.pem'], generation]);
    assert.equal(world.reloads.length, told);
  });

  it('keeps the newest files of others up to the limit, and says which it gives up', async () => {
    for (const nth of [1, 2, 3, 4]) {
      put(`${nth}.crt`, `${nth}\n${two.pem}`);
      await isGone(`${nth}.crt`);
    }
    const gone = () =>
      world.logged
        .filter(({ message }) => /oldest of the files/.test(message))
        .map(({ fields }) => basename(String(fields.path)));
    await until('the oldest is gone', () => gone().length > 0);
    assert.deepEqual(gone(), ['1.crt.~1~']);
    assert.deepEqual(foreign(), ['2.crt', '3.crt', '4.crt']);
  });

  it('keeps files together that came together, though they are more than the limit', async () => {
    const names = [1, 2, 3, 4, 5].map((nth) => `${nth}.crt`);
    for (const name of names) put(name, `${name}\n${two.pem}`);
    for (const name of names) await isGone(name);
    assert.deepEqual(foreign(), names);
  });

  describe('that somebody replaces by a plain one', () => {
    const replaceBy = (files: Readonly<Record<string, string>>) => {
      rmSync(path);
      mkdirSync(path);
      for (const [name, text] of Object.entries(files)) put(name, text);
      return endpoint.maintain();
    };
    const isBack = () =>
      until(
        'the link is back',
        () => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true,
        5000,
      );
    const aside = () => readdirSync(world.directory).filter((name) => name.includes('taken-over'));
    const restarted = async () => {
      const again = new AuthorityEndpoint(endpoint.definition, world.dependencies);
      await again.start();
      again.stop();
      return again.list().map(({ id }) => id);
    };

    it('has its certificates, and what was there already keeps its number', async () => {
      await replaceBy({ 'b.pem': two.pem, 'c.pem': three.pem });
      await holds([
        ['2', two],
        ['3', three],
      ]);
      await isBack();
      trusts(three);
      assert.deepEqual(readdirSync(`${path}.taken-over`).sort(), ['b.pem', 'c.pem']);
      assert.deepEqual(await restarted(), ['2', '3']);
    });

    it('loses nothing by one that is empty', async () => {
      await replaceBy({});
      await isBack();
      assert.deepEqual([events, aside()], [[], []]);
      trusts(two);
      await endpoint.install(three.pem);
      assert.deepEqual(await restarted(), ['1', '2', '3']);
    });

    it('loses nothing by one without a certificate, which is kept aside', async () => {
      await replaceBy({ notes: 'words' });
      await isBack();
      assert.deepEqual([events, aside()], [[], ['authority.taken-over']]);
      assert.ok(world.logged.some(({ fields }) => fields.path === `${path}.taken-over`));
      assert.deepEqual(await restarted(), ['1', '2']);
    });

    it('loses nothing by one that is refused, which is kept aside', async () => {
      await replaceBy({ 'leaf.pem': leaf.pem });
      await isLogged('changed truststore refused');
      await isBack();
      assert.deepEqual([events, aside()], [[], ['authority.taken-over']]);
      assert.deepEqual(await restarted(), ['1', '2']);
    });
  });
});
