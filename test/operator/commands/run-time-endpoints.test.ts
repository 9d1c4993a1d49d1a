import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';

let world: OperatorWorld;
before(async () => {
  world = await operatorWorld({
    services: [
      { name: 'gnoi', reload: [] },
      { name: 'netconf', reload: [], endpoint: { type: 'server', id: 'a.b-c' } },
    ],
  });
});
after(() => world?.close());

const outputOf = async (...words: string[]) => {
  const { stdout, stderr, status } = await world.run(words);
  assert.equal(status, 0, stderr);
  return stdout;
};

describe('bmc-certs endpoint', () => {
  it('adds endpoints, lists them with their services, and removes them', async () => {
    assert.deepEqual(await world.json('endpoint', 'list'), []);
    assert.equal(await outputOf('endpoint', 'add', 'server/a.b-c'), 'server/a.b-c: added\n');
    await outputOf('endpoint', 'add', 'authority/corporate');
    assert.deepEqual(await world.json('endpoint', 'list'), [
      {
        endpoint: 'authority/corporate',
        certificates: 0,
        daysLeft: null,
        subjects: [],
        services: [],
      },
      {
        endpoint: 'server/a.b-c',
        certificates: 0,
        daysLeft: null,
        subjects: [],
        services: ['netconf'],
      },
    ]);
    assert.equal(
      await outputOf('endpoint', 'list', '--quiet'),
      'authority/corporate\nserver/a.b-c\n',
    );
    const removed = await outputOf('endpoint', 'remove', 'authority/corporate');
    assert.equal(removed, 'authority/corporate: removed\n');
    const { status, stderr } = await world.run(['endpoint', 'remove', 'authority/corporate']);
    assert.equal(status, 3, stderr);
  });

  const refusals = [
    ['endpoint add server/there', 6, 'take another id, or remove that one with bmc-certs endpoint'],
    ['endpoint add server/https', 6, 'has an endpoint server/https already; take another id'],
    ['endpoint remove server/https', 3, 'bmc-certs endpoint list shows what there is'],
    ['endpoint remove server/gone', 3, 'bmc-certs endpoint list shows what there is'],
    ['bind gnoi server/gone', 3, 'bmc-certs endpoint list shows what there is'],
    ['bind other server/there', 3, 'the services are gnoi, netconf'],
    ['unbind other', 3, 'no service other is bound'],
  ] as const;
  for (const [line, expected, advice] of refusals) {
    it(`says what to do next after "${line}"`, async () => {
      await world.run(['endpoint', 'add', 'server/there']);
      const { status, stderr } = await world.run(line.split(' '));
      assert.equal(status, expected, stderr);
      assert.ok(stderr.includes(advice), stderr);
    });
  }

  it('names what is wrong with the name of an endpoint', async () => {
    for (const name of ['server', 'server/', 'server/.a', 'other/a', 'server/a/b']) {
      const { status, stderr } = await world.run(['endpoint', 'add', name]);
      assert.equal(status, 2, name);
      assert.match(stderr, /named like server\/gnoi-1/);
    }
  });
});

describe('endpoints of run time', () => {
  const rowsOf = async (...words: string[]) =>
    (await world.json(...words)) as readonly Readonly<Record<string, unknown>>[];
  before(async () => {
    await outputOf('endpoint', 'add', 'server/gnoi-1.a');
    await outputOf('endpoint', 'add', 'authority/group-1');
  });
  after(async () => {
    await outputOf('endpoint', 'remove', 'server/gnoi-1.a');
    await outputOf('endpoint', 'remove', 'authority/group-1');
  });

  it('are shown as such beside those of the configuration', async () => {
    for (const [command, where] of [
      ['list', 'where'],
      ['status', 'endpoint'],
    ] as const) {
      const origins = new Map((await rowsOf(command)).map((row) => [row[where], row.origin]));
      assert.equal(origins.get('server/gnoi-1.a'), 'run time', command);
      assert.equal(origins.get('authority/group-1'), 'run time', command);
      assert.equal(origins.get('client/ldap') ?? 'configuration', 'configuration', command);
    }
    assert.match(await outputOf('list', 'server/gnoi-1.a'), /server\/gnoi-1\.a .* run time$/m);
  });

  it('are installed, shown, checked, examined, replaced and deleted as others', async () => {
    const { authority } = world;
    const ca = authority.issueCa({ subject: '/CN=CA' });
    const leaf = authority.issue({ issuer: ca, subject: '/CN=gnoi' });
    const next = authority.issue({ issuer: ca, subject: '/CN=next' });
    await outputOf('install', 'server/gnoi-1.a', leaf.path, leaf.keyPath);
    const [shown] = await rowsOf('show', 'server/gnoi-1.a');
    assert.deepEqual(
      [shown?.where, shown?.origin, shown?.subject],
      ['server/gnoi-1.a/1', 'run time', 'CN=gnoi'],
    );
    const [file] = await rowsOf('show', leaf.path);
    assert.equal(file?.origin, null);
    const judged = await world.run(['check', 'server/gnoi-1.a']);
    assert.match(judged.stdout, /'server\/gnoi-1\.a\/1'=\d+;30:;7: .*life'=\d+%/);
    assert.equal((await world.run(['check', 'server/gnoi-1.a', '-c', '90000'])).status, 2);
    await outputOf('replace', 'server/gnoi-1.a', next.path, next.keyPath);
    const doctor = await world.run(['doctor', '--json', '--config', world.configuration]);
    assert.doesNotMatch(doctor.stdout, /"where": "[^"]*gnoi-1\.a[^"]*",\s*"verdict": "fault"/);
    const csr = await outputOf('csr', 'server/gnoi-1.a', '--common-name', 'gnoi');
    assert.match(csr, /BEGIN CERTIFICATE REQUEST/);
    const [request] = await rowsOf('requests', 'server/gnoi-1.a');
    await outputOf('discard', 'server/gnoi-1.a', String(request?.id));
    assert.match(await outputOf('renew', 'server/gnoi-1.a'), /BEGIN CERTIFICATE REQUEST/);
    assert.match(await outputOf('delete', 'server/gnoi-1.a'), /^server\/gnoi-1\.a\/1: deleted/);
    const none = await world.run(['show', 'server/gnoi-1.a']);
    assert.equal(none.status, 3);
  });

  it('take CAs, are told of by watch, and have those of the truststore left alone', async () => {
    const ca = world.authority.issueCa({ subject: '/CN=group CA' });
    const other = world.authority.issueCa({ subject: '/CN=other CA' });
    const endpoint = ['--endpoint', 'authority/group-1'];
    const watching = world.run(['watch', '--count', '1', '--json']);
    await outputOf('trust', 'list');
    let added = await world.run(['trust', 'add', ca.path, ...endpoint]);
    assert.equal(added.status, 0, added.stderr);
    // The watch may have begun after it
    added = await world.run(['trust', 'replace', other.path, ...endpoint]);
    assert.equal(added.status, 0, added.stderr);
    const [row] = await rowsOf('trust', 'list', ...endpoint);
    assert.equal(row?.subject, 'CN=other CA');
    await outputOf('trust', 'remove', String(row?.certificate));
    assert.match((await watching).stdout, /"certificate":"authority\/group-1\/\d+"/);
    assert.deepEqual(await rowsOf('trust', 'list'), []);
  });
});

describe('bmc-certs bindings', () => {
  it('lists what can be bound, for completion too, and what each reads from', async () => {
    assert.deepEqual(await world.json('bindings'), [
      { service: 'gnoi', endpoint: null, origin: 'none' },
      { service: 'netconf', endpoint: 'server/a.b-c', origin: 'configuration' },
    ]);
    assert.equal(await outputOf('bindings', '--quiet'), 'gnoi\nnetconf\n');
    const script = await outputOf('completion', 'bash');
    assert.match(script, /"bind"\)[^;]*;[^)]*0\) \S+_offer "\$\(\S+_ask bindings --quiet\)"/);
  });
});

describe('bmc-certs bind and unbind', () => {
  it('say what the service reads from, and where that is said', async () => {
    await outputOf('endpoint', 'add', 'server/x');
    assert.equal(
      await outputOf('bind', 'gnoi', 'server/x'),
      'gnoi: reads from server/x (run time)\n',
    );
    assert.equal(await outputOf('unbind', 'gnoi'), 'gnoi: reads from nothing\n');
    await outputOf('bind', 'netconf', 'x');
    assert.deepEqual(await world.json('unbind', 'netconf'), {
      service: 'netconf',
      endpoint: 'server/a.b-c',
      origin: 'configuration',
    });
  });
});
