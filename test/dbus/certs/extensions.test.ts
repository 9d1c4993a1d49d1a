import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from '../../e2e/commands.ts';
import { type BusCaller, busCaller } from '../../fakes/bus-caller.ts';
import { type BusTools, busTools } from '../../fakes/bus-tools.ts';
import { startFakeSystemd } from '../../fakes/fake-systemd.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { type Issued, openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const extension = 'xyz.openbmc_project.Certs.Extension';
const generate = `${extension}.Request.Generate`;
const request = 'asssssssssxssassssss';
const csrOf = (commonName: string, country = '') => [
  ...[
    [],
    '',
    '',
    commonName,
    '',
    country,
    '',
    '',
    '',
    0n,
    'prime256v1',
    'EC',
    [],
    '',
    '',
    '',
    '',
    '',
  ],
];
const inDays = (days: number) => {
  const date = new Date(Date.now() + days * 86_400_000 + 3_600_000);
  return `${date
    .toISOString()
    .replace(/[-:T]|\.\d+/g, '')
    .slice(0, 14)}Z`;
};

const withServices = {
  reload: { attemptSeconds: 10, attempts: 2, replyMilliseconds: 60_000 },
  endpoints: [
    {
      type: 'client',
      name: 'ldap',
      path: 'ldap/cert.pem',
      reload: [{ unit: 'nslcd.service' }, { pidFile: 'none.pid' }],
    },
  ],
};

describe('our own interfaces', () => {
  const authority = opensslAuthority();
  const ca = authority.issueCa({ from: '20200101000000Z' });
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let tools: BusTools;
  let client: BusCaller;

  const root = paths.client;
  const certificate = `${root}/1`;
  const property = async (path: string, name: string) => {
    const dot = name.lastIndexOf('.');
    const args = [names.client, path, `${extension}.${name.slice(0, dot)}`, name.slice(dot + 1)];
    return (await tools.busctl('get-property', ...args)).trim();
  };
  const upload = (content: Buffer, format: string, password = '') =>
    client.call(root, `${extension}.Upload.Install`, 'ayss', content, format, password);
  const pairOf = ({ key, pem }: Issued) => Buffer.from(key + pem);
  const leaf = (name: string, until: string) =>
    authority.issue({ issuer: ca, subject: `/CN=${name}`, from: '20200101000000Z', until });
  const clear = () => client.call(root, 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll', '');

  before(async () => {
    bus = await startPrivateBus();
    manager = await startManager(bus, withServices);
    tools = busTools({ address: bus.address, destination: names.client });
    client = await busCaller(bus.address, names.client);
  });
  after(async () => {
    client?.leave();
    await manager?.stop();
    await bus?.stop();
    authority.remove();
  });

  describe('Expiry', () => {
    const table: readonly [string, number, number | undefined][] = [
      ['Valid', 100, undefined],
      ['Expiring', 45, 60],
      ['Expiring', 10, 14],
      ['Expired', -3, 0],
    ];
    for (const [state, days, threshold] of table) {
      it(`says ${state} of a certificate that ends in ${days} days, and signals ${threshold}`, async () => {
        const before = client.signals('ThresholdReached').length;
        await upload(pairOf(leaf(`${days} days`, inDays(days))), 'PEM');
        assert.equal(
          await property(certificate, 'Expiry.State'),
          `s "${extension}.Expiry.State.${state}"`,
        );
        assert.equal(await property(certificate, 'Expiry.DaysLeft'), `x ${days}`);
        const fresh = client.signals('ThresholdReached').slice(before);
        const told = fresh.map(({ path, body }) => [path, ...body]);
        const expected = threshold === undefined ? [] : [[certificate, threshold, BigInt(days)]];
        assert.deepEqual(told, expected);
        await clear();
      });
    }
  });

  describe('Upload', () => {
    const good = leaf('good', inDays(300));
    const pkcs12 = () => {
      const path = join(bus.directory, 'any.p12');
      const source = ['-in', good.path, '-inkey', good.keyPath, '-certfile', ca.path];
      openssl(['pkcs12', '-export', ...source, '-passout', 'pass:s3cret!', '-out', path]);
      return readFileSync(path);
    };

    it('installs a PKCS #12 with its chain', async () => {
      assert.equal(await upload(pkcs12(), 'PKCS12', 's3cret!'), certificate);
      const text = readFileSync(join(bus.directory, 'ldap', 'cert.pem'), 'utf8');
      assert.equal(text, good.key + good.pem + ca.pem);
      await clear();
    });

    it('installs and replaces by a DER whose key waits', async () => {
      const pem = String(await client.call(root, generate, request, ...csrOf('der')));
      const signed = authority.sign(pem, ca);
      const path = join(bus.directory, 'signed.der');
      openssl(['x509', '-outform', 'DER', '-out', path], signed);
      await upload(readFileSync(path), 'DER');
      const replace = `${extension}.Replace.Replace`;
      await client.call(certificate, replace, 'ayss', readFileSync(path), 'DER', '');
      await clear();
    });

    const bad: readonly [string, () => Promise<unknown>, string][] = [
      ['a wrong password', () => upload(pkcs12(), 'PKCS12', 'wrong'), 'password-wrong'],
      ['an unknown format', () => upload(pairOf(good), 'JKS'), 'format-unknown'],
      ['nothing', () => upload(Buffer.alloc(0), 'PEM'), 'file-empty'],
      ['more than the limit', () => upload(Buffer.alloc(1_048_577, 65), 'PEM'), 'file-too-large'],
    ];
    for (const [what, call, code] of bad) {
      it(`refuses ${what} as ${code}, without a word of the password`, async () => {
        await assert.rejects(call(), (error: Error) => {
          assert.equal(Reflect.get(error, 'code'), code);
          assert.doesNotMatch(error.message, /s3cret|wrong$/);
          return true;
        });
        assert.doesNotMatch(manager.output(), /s3cret/);
      });
    }
  });

  describe('Request', () => {
    const outstanding = async () => {
      const list = await client.call(root, `${extension}.Request.Outstanding`, '');
      return list as [string, bigint, string][];
    };

    it('lists what waits for its certificate, oldest first, also after a restart', async () => {
      for (const [id] of await outstanding()) {
        await client.call(root, `${extension}.Request.Discard`, 's', id);
      }
      const pems: unknown[] = [];
      for (const name of ['first', 'second', 'third']) {
        pems.push(await client.call(root, generate, request, ...csrOf(name)));
      }
      const list = await outstanding();
      assert.deepEqual(
        list.map(([, , pem]) => pem),
        pems,
      );
      for (const [id, seconds] of list) {
        assert.match(id, /^[0-9a-f]{64}$/);
        assert.ok(Math.abs(Number(seconds) - Date.now() / 1000) < 60);
      }
      await manager.stop('SIGKILL');
      manager = await startManager(bus, {
        endpoints: [{ type: 'client', name: 'ldap', path: 'ldap/cert.pem', reload: [] }],
      });
      assert.deepEqual(await outstanding(), list);
      await upload(Buffer.from(authority.sign(String(pems[1]), ca)), 'PEM');
      assert.deepEqual(
        (await outstanding()).map(([, , pem]) => pem),
        [pems[0], pems[2]],
      );
      await clear();
    });

    it('gives up one with its key', async () => {
      const pem = String(await client.call(root, generate, request, ...csrOf('unwanted')));
      const entry = (await outstanding()).find(([, , text]) => text === pem);
      await client.call(root, `${extension}.Request.Discard`, 's', entry?.[0] ?? '');
      const signed = Buffer.from(authority.sign(pem, ca));
      await assert.rejects(upload(signed, 'PEM'), { code: 'key-mismatch' });
      const again = client.call(root, `${extension}.Request.Discard`, 's', entry?.[0] ?? '');
      await assert.rejects(again, { code: 'not-found' });
    });

    it('says on the CSR object why a request failed', async () => {
      const create = 'xyz.openbmc_project.Certs.CSR.Create.GenerateCSR';
      await client.call(root, create, request, ...csrOf('bad', 'CHE'));
      const state = () => property(`${root}/csr`, 'RequestOutcome.State').catch(() => '');
      await until('it has failed', async () => (await state()).endsWith('Failed"'));
      assert.equal(await property(`${root}/csr`, 'RequestOutcome.Error'), 's "argument-invalid"');
      assert.match(await property(`${root}/csr`, 'RequestOutcome.Reason'), /^s "Country /);
      const refusal = await tools.refusal(`${root}/csr`, 'xyz.openbmc_project.Certs.CSR.CSR');
      assert.match(refusal, /^xyz\.openbmc_project\.Common\.Error\.InternalFailure: /);
    });

    it('says on the CSR object which request it is', async () => {
      const pem = await client.call(root, generate, request, ...csrOf('shown'));
      const state = () => property(`${root}/csr`, 'RequestOutcome.State').catch(() => '');
      await until('it is ready', async () => (await state()).endsWith('Ready"'));
      const entry = (await outstanding()).find(([, , text]) => text === pem);
      assert.equal(await property(`${root}/csr`, 'RequestOutcome.Id'), `s "${entry?.[0]}"`);
    });
  });

  describe('Reload', () => {
    const rows = async () => {
      const text = await tools.busctl(
        '--json=short',
        'get-property',
        names.client,
        root,
        `${extension}.Reload`,
        'Services',
      );
      return JSON.parse(text).data as [string, string, string, number, number][];
    };
    const outcomes = async () =>
      (await rows()).map(([service, outcome]) => `${service} ${outcome}`);

    before(async () => {
      await manager.stop();
      // What the tests before this one still owe their services
      rmSync(join(bus.directory, 'run', 'owed-reloads'), { recursive: true, force: true });
      manager = await startManager(bus, withServices);
    });

    it('shows each service of the endpoint, and what became of telling it', async () => {
      const pidFile = join(bus.directory, 'run', 'none.pid');
      assert.deepEqual(await outcomes(), ['nslcd.service Never', `${pidFile} Never`]);
      const before = client.signals('PropertiesChanged').length;
      await clear();
      assert.deepEqual(await outcomes(), ['nslcd.service Retrying', `${pidFile} NotRunning`]);
      await until('it is given up', async () => (await outcomes())[0] === 'nslcd.service Failed');
      const [row] = await rows();
      assert.match(row?.[2] ?? '', /systemd1/);
      assert.ok(Math.abs((row?.[3] ?? 0) - Date.now() / 1000) < 60);
      assert.equal(row?.[4], 2);
      assert.ok(client.signals('PropertiesChanged').length > before);
    });

    it('tells them once more on demand', async () => {
      const systemd = await startFakeSystemd(bus.address);
      try {
        await client.call(root, `${extension}.Reload.Reload`, '');
        assert.equal((await outcomes())[0], 'nslcd.service Reloaded');
        assert.equal(systemd.asked.length, 1);
      } finally {
        systemd.leave();
      }
    });
  });

  it('are introspectable like those of upstream', async () => {
    const text = await tools.introspect(root);
    for (const name of ['Upload', 'Request', 'Reload', 'Replacement']) {
      assert.ok(text.includes(`<interface name="${extension}.${name}">`), name);
    }
  });
});
