import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { AuthorityEndpoint } from '../../../src/manager/truststore/authority-endpoint.ts';
import { makeWorld, recordEvents, type World } from '../../fakes/manager-world.ts';
import { type Issued, openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const [one, two, three, four] = ['One', 'Two', 'Three', 'Four'].map((name) =>
  tools.issueCa({ subject: `/CN=${name}` }),
) as [Issued, Issued, Issued, Issued];

describe('the directory of a truststore', () => {
  let world: World;
  let path: string;
  let endpoint: AuthorityEndpoint;
  let events: string[];

  const start = async () => {
    const definition = { type: 'authority', name: 'truststore', path, reload: [] } as const;
    endpoint = new AuthorityEndpoint(definition, world.dependencies);
    await endpoint.start();
  };
  const at = (...names: string[]) => join(path, ...names);
  const listed = () => endpoint.list().map(({ id, certificate }) => [id, certificate.pem]);
  const trusts = ({ path: certificate }: Issued) => {
    const when = ['-attime', '1780000000', '-no-CAfile', '-no-CAstore'];
    openssl(['verify', ...when, '-CApath', path, certificate]);
  };
  const told = () =>
    world.logged
      .filter(({ message }) => message === 'truststore put right')
      .map(({ fields }) => fields.names);
  /** What the manager has there for authorities with these ids. */
  const isOurs = (...ids: string[]) => {
    const names = readdirSync(path).filter((name) => !/^[0-9a-f]{8}\.0$/.test(name));
    assert.deepEqual(names.sort(), [...ids.map((id) => `${id}.pem`), 'trust_bundle']);
    assert.equal(readdirSync(path).length, 2 * ids.length + 1);
    for (const { certificate } of endpoint.list())
      assert.equal(readlinkSync(at(`${certificate.subjectHash}.0`)).endsWith('.pem'), true);
  };

  beforeEach(async () => {
    world = makeWorld();
    path = join(world.directory, 'authority');
    await start();
    await endpoint.install(one.pem);
    await endpoint.install(two.pem);
    events = recordEvents(endpoint);
    world.reloads.length = 0;
  });
  afterEach(() => {
    endpoint.stop();
    world.remove();
  });

  const strange: Readonly<Record<string, () => string>> = {
    'a certificate': () => {
      writeFileSync(at('company.crt'), three.pem);
      return 'company.crt';
    },
    'a certificate under a name of ours': () => {
      writeFileSync(at('9.pem'), three.pem);
      return '9.pem';
    },
    'a link by which OpenSSL finds a CA elsewhere': () => {
      const file = join(world.directory, 'elsewhere.pem');
      writeFileSync(file, three.pem);
      symlinkSync(file, at(`${three.certificate.subjectHash}.0`));
      return `${three.certificate.subjectHash}.0`;
    },
    'a directory': () => {
      mkdirSync(at('site'));
      writeFileSync(at('site', 'c.pem'), three.pem);
      return 'site';
    },
  };
  const changes: Readonly<Record<string, [() => Promise<unknown>, string[]]>> = {
    'a change of one authority': [() => endpoint.install(four.pem), ['1', '2', '3']],
    'a change of many': [() => endpoint.replaceAll(two.pem + four.pem), ['2', '3']],
    'a change of none': [() => endpoint.replaceAll(one.pem + two.pem), ['1', '2']],
  };
  for (const [what, put] of Object.entries(strange)) {
    for (const [when, [change, ids]] of Object.entries(changes)) {
      it(`is without ${what} of others after ${when}, which is said once`, async () => {
        const name = put();
        await endpoint.maintain();
        assert.deepEqual([events, world.reloads], [[], []]);
        await change();
        isOurs(...ids);
        assert.throws(() => trusts(three));
        await endpoint.delete('2');
        assert.deepEqual(told(), [name]);
        if (existsSync(join(world.directory, 'elsewhere.pem')))
          assert.equal(readFileSync(join(world.directory, 'elsewhere.pem'), 'utf8'), three.pem);
      });
    }

    if (what === 'a certificate under a name of ours') continue;
    it(`is without ${what} of others after a start, which is said once`, async () => {
      const name = put();
      await start();
      await start();
      assert.deepEqual(
        listed().map(([id]) => id),
        ['1', '2'],
      );
      isOurs('1', '2');
      assert.deepEqual(told(), [name]);
    });
  }

  const damage: Readonly<Record<string, [string, () => void]>> = {
    'an exchanged certificate': ['1.pem', () => writeFileSync(at('1.pem'), three.pem)],
    'a damaged certificate': ['1.pem', () => writeFileSync(at('1.pem'), 'garbage')],
    'a link in place of a certificate': [
      '1.pem',
      () => {
        writeFileSync(join(world.directory, 'elsewhere.pem'), one.pem);
        rmSync(at('1.pem'));
        symlinkSync(join(world.directory, 'elsewhere.pem'), at('1.pem'));
      },
    ],
    'another bundle': ['trust_bundle', () => writeFileSync(at('trust_bundle'), 'garbage')],
    'a lost link': [
      `${one.certificate.subjectHash}.0`,
      () => rmSync(at(`${one.certificate.subjectHash}.0`)),
    ],
  };
  for (const [what, [name, spoil]] of Object.entries(damage)) {
    it(`has its own files again after a change where there was ${what}`, async () => {
      spoil();
      await endpoint.install(four.pem);
      isOurs('1', '2', '3');
      assert.equal(readFileSync(at('1.pem'), 'utf8'), one.pem);
      assert.equal(readFileSync(at('trust_bundle'), 'utf8'), one.pem + two.pem + four.pem);
      for (const issuer of [one, two, four]) trusts(issuer);
      assert.deepEqual(told(), [name]);
    });
  }

  const lost: Readonly<Record<string, () => void>> = {
    'the link': () => rmSync(path),
    'the generations': () => rmSync(`${path}.generations`, { recursive: true }),
    both: () => {
      rmSync(`${path}.generations`, { recursive: true });
      rmSync(path);
    },
  };
  for (const [what, lose] of Object.entries(lost)) {
    it(`is back at the next look when somebody takes ${what} away, and goes on with its numbers`, async () => {
      await endpoint.delete('2');
      events.length = 0;
      world.reloads.length = 0;
      lose();
      await endpoint.maintain();
      assert.deepEqual([events, world.reloads], [[], ['truststore']]);
      trusts(one);
      await start();
      assert.equal((await endpoint.install(three.pem)).id, '3');
      assert.deepEqual(readdirSync(world.directory).sort(), ['authority', 'authority.generations']);
    });

    it(`can be changed at once when somebody took ${what} away`, async () => {
      lose();
      await endpoint.install(three.pem);
      isOurs('1', '2', '3');
    });
  }

  it('takes the place of a plain one that somebody puts there, which is kept aside', async () => {
    rmSync(path);
    mkdirSync(path);
    writeFileSync(at('c.pem'), three.pem);
    await endpoint.maintain();
    isOurs('1', '2');
    assert.deepEqual(readdirSync(`${path}.taken-over`), ['c.pem']);
    assert.ok(world.logged.some(({ fields }) => fields.path === `${path}.taken-over`));
  });
});
