import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { AuthorityEndpoint } from '../../../src/manager/truststore/authority-endpoint.ts';
import { until } from '../../e2e/commands.ts';
import { makeWorld, type World } from '../../fakes/manager-world.ts';
import { diskError, onDisk } from '../../fakes/moody-disk.ts';
import { type Issued, openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const [one, two, three] = ['One', 'Two', 'Three'].map((name) =>
  tools.issueCa({ subject: `/CN=${name}` }),
) as [Issued, Issued, Issued];

describe('what others put into a truststore', () => {
  let world: World;
  let path: string;
  let endpoint: AuthorityEndpoint;

  const start = async (dependencies = world.dependencies) => {
    const definition = { type: 'authority', name: 'truststore', path, reload: [] } as const;
    endpoint = new AuthorityEndpoint(definition, dependencies);
    await endpoint.start();
  };
  const at = (...names: string[]) => join(path, ...names);
  const asideDirectory = () => join(`${path}.generations`, 'foreign');
  const asideEntries = () => (existsSync(asideDirectory()) ? readdirSync(asideDirectory()) : []);
  const isNumbered = (entry: string, name: string) => entry.replace(/\.~\d+~$/, '') === name;
  /** Where something is that was put aside under the next number. */
  const aside = (name: string, ...below: string[]) => {
    const entry = asideEntries().find((one) => isNumbered(one, name)) ?? name;
    return join(asideDirectory(), entry, ...below);
  };
  const asideNames = () =>
    asideEntries()
      .map((one) => one.replace(/\.~\d+~$/, ''))
      .sort();
  const put = (name: string, text: string) => writeFileSync(at(name), text);
  const elsewhere = ({ pem }: Issued) => {
    const file = join(world.directory, 'elsewhere.pem');
    writeFileSync(file, pem);
    return file;
  };
  const trusts = ({ path: certificate }: Issued) => {
    const when = ['-attime', '1780000000', '-no-CAfile', '-no-CAstore'];
    openssl(['verify', ...when, '-CApath', path, certificate]);
  };
  const holds = (...expected: readonly Issued[]) =>
    until(
      'the list is as it should be',
      () =>
        endpoint
          .list()
          .map(({ certificate }) => certificate.pem)
          .join() === expected.map(({ pem }) => pem).join(),
      5000,
    );

  beforeEach(async () => {
    world = makeWorld({ watch: { settle: 20, grace: 100 } });
    path = join(world.directory, 'authority');
    await start();
    await endpoint.install(one.pem);
  });
  afterEach(() => {
    endpoint.stop();
    world.remove();
  });

  describe('that is no file', () => {
    beforeEach(() => {
      mkdirSync(at('site'));
      put('site/b.pem', two.pem);
      symlinkSync('1.pem', at('current.pem'));
    });

    it('is there after a change of many authorities', async () => {
      await endpoint.replaceAll(two.pem + three.pem);
      assert.equal(readFileSync(at('site', 'b.pem'), 'utf8'), two.pem);
      assert.equal(readlinkSync(at('current.pem')), '1.pem');
    });

    it('is kept aside, with a word, when a certificate is taken in beside it', async () => {
      put('c.crt', three.pem);
      await holds(one, three);
      await until('all is aside', () => asideNames().length === 3);
      assert.deepEqual(asideNames(), ['c.crt', 'current.pem', 'site']);
      assert.equal(readFileSync(aside('site', 'b.pem'), 'utf8'), two.pem);
      const told = world.logged.filter(({ message }) => /what others put/.test(message));
      assert.deepEqual(told.map(({ fields }) => fields.path).sort(), [
        aside('current.pem'),
        aside('site'),
      ]);
    });

    it('is there after a restart', async () => {
      put('.settings', 'words');
      endpoint.stop();
      await start();
      assert.deepEqual(
        ['site/b.pem', '.settings', 'current.pem'].map((name) => existsSync(at(name))),
        [true, true, true],
      );
    });

    it('keeps no other generation from going when it cannot be moved', async () => {
      const restore = onDisk('rename', (real) => async (from, to) => {
        if (String(from).endsWith('/site')) throw diskError('EBUSY');
        return real(from, to);
      });
      try {
        await endpoint.replaceAll(two.pem + three.pem);
        await endpoint.replaceAll(one.pem + three.pem);
        await endpoint.replaceAll(one.pem + two.pem);
      } finally {
        restore();
      }
      const generations = readdirSync(`${path}.generations`).filter((name) => /^\d+$/.test(name));
      assert.equal(generations.length, 2);
      assert.ok(generations.some((name) => existsSync(`${path}.generations/${name}/site/b.pem`)));
    });
  });

  it('is not lost when it comes while the generation goes', async () => {
    let isLate = false;
    const restore = onDisk('rm', (real) => async (file, options) => {
      if (String(file).endsWith('/1.pem') && !isLate) {
        isLate = true;
        writeFileSync(join(dirname(String(file)), 'late.pem'), two.pem);
      }
      return real(file, options);
    });
    try {
      await endpoint.replaceAll(two.pem + three.pem);
    } finally {
      restore();
    }
    await endpoint.replaceAll(one.pem);
    assert.ok(isLate);
    assert.deepEqual(asideNames(), ['late.pem']);
  });

  describe('while it looks at something else there', () => {
    it('is looked at next when the other is taken in', async () => {
      let isThere = false;
      const restore = onDisk('open', (real) => async (file, ...rest) => {
        if (String(file).includes('/.next-id.') && !isThere) {
          isThere = true;
          put('c.pem', three.pem);
        }
        return real(file, ...rest);
      });
      try {
        put('b.pem', two.pem);
        await holds(one, two, three);
      } finally {
        restore();
      }
      await until('both are aside', () => asideNames().length === 2);
    });

    for (const [what, make] of [
      ['a file that is refused', () => put('bad.pem', tools.issue({ issuer: one }).pem)],
      ['a damaged file', () => put('1.pem', 'garbage')],
    ] as const) {
      it(`is looked at next after ${what}`, async () => {
        endpoint.stop();
        const { log } = world.dependencies;
        await start({
          ...world.dependencies,
          log: {
            ...log,
            error: (message, fields) => {
              log.error(message, fields);
              if (message === 'changed truststore refused') put('c.pem', three.pem);
            },
          },
        });
        make();
        await holds(one, three);
      });
    }
  });

  it('is kept aside, with a word, when it got a name of ours just before a change', async () => {
    endpoint.stop();
    put('9.pem', two.pem);
    await endpoint.replaceAll(one.pem + three.pem + tools.issueCa({ subject: '/CN=Four' }).pem);
    assert.deepEqual(asideNames(), ['9.pem']);
    assert.ok(
      world.logged.some(({ level, fields }) => level === 'warn' && fields.path === aside('9.pem')),
    );
  });

  it('is kept aside when it is a directory with a name of ours', async () => {
    mkdirSync(at('9.pem'));
    put('9.pem/b.pem', two.pem);
    await until('it is aside', () => existsSync(aside('9.pem', 'b.pem')));
    await holds(one);
    trusts(one);
  });

  for (const [what, nameOf] of [
    ['any name', () => 'company.pem'],
    ['the name by which OpenSSL finds it', () => `${two.certificate.subjectHash}.0`],
  ] as const) {
    it(`is taken in when it is a link to a CA elsewhere under ${what}`, async () => {
      const file = elsewhere(two);
      symlinkSync(file, at(nameOf()));
      await holds(one, two);
      trusts(two);
      await until('the link is aside', () => asideNames().length === 1);
      assert.equal(readlinkSync(aside(nameOf())), file);
      assert.equal(readFileSync(file, 'utf8'), two.pem);
    });
  }

  it('is taken in though a change made the name its own meanwhile', async () => {
    const namesake = tools.issueCa({ subject: '/CN=Two' });
    endpoint.stop();
    symlinkSync(elsewhere(two), at(`${two.certificate.subjectHash}.0`));
    await endpoint.replaceAll(one.pem + namesake.pem + three.pem);
    await start();
    await endpoint.maintain();
    await holds(one, namesake, three, two);
    for (const issuer of [two, namesake]) trusts(tools.issue({ issuer, subject: '/CN=leaf' }));
  });

  it('is kept once when it is a link that comes again and again', async () => {
    for (let round = 0; round < 3; round += 1) {
      symlinkSync(elsewhere(one), at('again.pem'));
      await endpoint.maintain();
      await until(
        'it goes',
        () => lstatSync(at('again.pem'), { throwIfNoEntry: false }) === undefined,
      );
    }
    assert.deepEqual(asideNames(), ['again.pem']);
  });

  it('is kept each for itself when links lead nowhere', async () => {
    for (const target of ['/nowhere/1', '/nowhere/2']) {
      symlinkSync(target, at('stale.pem'));
      put('c.crt', `${target}\n${three.pem}`);
      await until(
        'it goes',
        () => lstatSync(at('stale.pem'), { throwIfNoEntry: false }) === undefined,
      );
      await endpoint.deleteAll();
    }
    assert.deepEqual(
      asideEntries()
        .filter((name) => name.startsWith('stale'))
        .map((name) => readlinkSync(join(asideDirectory(), name)))
        .sort(),
      ['/nowhere/1', '/nowhere/2'],
    );
  });

  it('is made anew and not kept when it is a link that `openssl rehash` makes', async () => {
    put('b.pem', two.pem);
    symlinkSync('b.pem', at(`${two.certificate.subjectHash}.0`));
    await holds(one, two);
    await until('the file is aside', () => asideNames().length > 0);
    assert.deepEqual(asideNames(), ['b.pem']);
    rmSync(aside('b.pem'));
    trusts(two);
  });
});
