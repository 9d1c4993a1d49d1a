import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { ToldBundle } from '../../../src/dbus/trust-bundle/bundle-interface.ts';
import type { Issued } from '../../fakes/openssl-authority.ts';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';
import {
  type BundlesOnBus,
  bundlesOnBus,
  CodedFault,
  emptyBundle,
} from '../../fakes/served-bundle.ts';

describe('bmc-certs bundle', () => {
  let world: OperatorWorld;
  let bundles: BundlesOnBus;
  let file: string;
  before(async () => {
    world = await operatorWorld();
    bundles = await bundlesOnBus(world.bus.address);
    file = join(world.bus.directory, 'ca.pem');
    writeFileSync(file, 'twelve bytes');
  });
  beforeEach(() => {
    bundles.asked.length = 0;
    bundles.told.set(emptyBundle.Name, emptyBundle);
  });
  after(async () => {
    bundles?.objects.close();
    await world?.close();
  });

  const lines: readonly (readonly [line: string, asked: string, said: RegExp])[] = [
    ['check-server', 'check', /^Revision +7$/m],
    ['download', 'download', /^Result +updated$/m],
    ['load one default', 'load one', /^one: is being loaded\n$/],
    ['load one FILE', 'load one 12', /^one: is being loaded\n$/],
    ['deactivate', 'set Enabled false', /polling is off \(run time\)/],
    ['activate', 'set Enabled true', /polling is on \(run time\)/],
    ['set-url a.example', 'set Url a.example', /url is a\.example \(run time\)/],
    ['set-interval 48', 'set IntervalHours 48', /interval is 48 \(run time\)/],
    [
      'set-routing-instance addr:::1',
      'set RoutingInstance addr:::1',
      /routing-instance is addr:::1 \(run time\)/,
    ],
    ['reset interval', 'reset IntervalHours', /interval is 24 \(configuration\)/],
    ['reset routing-instance', 'reset RoutingInstance', /is nothing \(configuration\)/],
  ];
  for (const [line, asked, said] of lines) {
    it(`has the program do what "${line}" says, and tells what became of it`, async () => {
      const words = line.replace('FILE', file).split(' ');
      const { status, stdout, stderr } = await world.run(['bundle', ...words]);
      assert.equal(status, 0, stderr);
      assert.match(stdout, said);
      assert.deepEqual(bundles.asked, [asked]);
    });
  }

  const refusals: readonly (readonly [code: string, status: number, said: RegExp])[] = [
    ['rollback', 5, /^rollback: it is so\.\n$/],
    ['unreachable', 7, /^unreachable: it is so\.\n$/],
    ['not-configured', 6, /; give url and pinnedRoots in trustBundles\.bundles/],
    ['storage', 1, /; look at the disk of the device/],
  ];
  for (const [code, expected, said] of refusals) {
    it(`ends with ${expected} where the bundle is not taken for ${code}`, async () => {
      bundles.fault = new CodedFault(code, 'it is so');
      const { status, stderr } = await world.run(['bundle', 'download']);
      assert.equal(status, expected);
      assert.match(stderr, said);
    });
  }

  it('says of a setting what the program warns of', async () => {
    const Warnings = ['it is not polled'];
    bundles.told.set(emptyBundle.Name, { ...emptyBundle, Warnings });
    const { stderr } = await world.run(['bundle', 'deactivate']);
    assert.match(stderr, /it is not polled/);
  });

  it('shows what stands on the device, with the origin of each setting', async () => {
    const told: ToldBundle = {
      ...emptyBundle,
      ...{ State: 'error', Failure: ['rollback', 'it is older', 1_700_000_000n] },
      ...{ Revision: 7n, VersionDate: 1_700_000_000n, Count: 144, SetAtRunTime: ['Url'] },
      ...{ Blocked: 2, BlockedInBundle: 1, Expired: 4 },
      Downloads: [[1_700_000_000n, 'timer', 6n, 1_600_000_000n, 'rollback']],
      Groups: [['one', 'run time', 'loaded', 7n, 140, 3, '', '']],
    };
    bundles.told.set(emptyBundle.Name, told);
    const { stdout } = await world.run(['bundle', 'status']);
    for (const line of [
      /^State +error$/m,
      /^Last failure +rollback: it is older \(2023-11-14T22:13:20Z\)$/m,
      /^Version number +7$/m,
      /^Version date +2023-11-14/m,
      /^URL +http:\/\/a\.example\/cacert \(run time\)$/m,
      /^Interval +24 hours \(configuration\)$/m,
      /^Kept out +blocked 2, matched 1; expired 4$/m,
      /^Groups +one: loaded at 7, 140 CAs, 3 absent$/m,
      /^Downloads +2023-11-14T22:13:20Z timer 6 rollback$/m,
    ])
      assert.match(stdout, line);
    const json = await world.json('bundle', 'status');
    assert.equal(Reflect.get(Object(json), 'revision'), 7);
  });

  it('shows the names that lost their certificates', async () => {
    assert.deepEqual(await world.json('bundle', 'members', 'there', '--absent'), [
      { name: 'Two', source: 'bundle', state: 'absent', sha256: 'bb' },
    ]);
    const { status, stderr } = await world.run(['bundle', 'members', 'other']);
    assert.equal(status, 3, stderr);
  });

  it('is refused for a bundle that is none', async () => {
    const { status, stderr } = await world.run(['bundle', 'status', '--bundle', 'other']);
    assert.equal(status, 3);
    assert.match(stderr, /there is no bundle other/);
  });
});

describe('bmc-certs bundle publish', () => {
  let world: OperatorWorld;
  let signer: Issued;
  let cas: readonly Issued[];
  before(async () => {
    world = await operatorWorld();
    const { authority } = world;
    const long = { until: '20991231000000Z' };
    const root = authority.issueCa({ subject: '/CN=root', ...long });
    const extensions = ['keyUsage=critical,digitalSignature', 'extendedKeyUsage=codeSigning'];
    signer = authority.issue({ issuer: root, subject: '/CN=signer', extensions, ...long });
    cas = [authority.issueCa({ subject: '/CN=one' }), authority.issueCa({ subject: '/CN=two' })];
  });
  after(() => world?.close());

  const words = (directory: string, sources: readonly Issued[], key = signer) => [
    ...['bundle', 'publish', join(world.bus.directory, directory)],
    ...sources.map(({ path }) => path),
    ...['--signer', signer.path, '--key', key.keyPath],
  ];

  it('writes the files of a server, and counts the revisions', async () => {
    const [first, second] = cas;
    assert.ok(first && second);
    const name = 'default-trusted-ca-certs';
    assert.deepEqual(await world.json(...words('www', cas)), {
      ...{ bundle: name, revision: 1, certificates: 2, added: 2, removed: 0 },
    });
    assert.deepEqual(await world.json(...words('www', [second]), '--reason', 'it was lost'), {
      ...{ bundle: name, revision: 2, certificates: 1, added: 0, removed: 1 },
    });
    const directory = join(world.bus.directory, 'www');
    const files = ['manifest.json', 'manifest.json.p7s', name, `${name}.p7s`, 'signer.crt'];
    assert.deepEqual(readdirSync(directory).sort(), files.sort());
    const manifest = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8'));
    assert.deepEqual(manifest.removed, [{ sha256: sha256Of(first), reason: 'it was lost' }]);
  });

  it('is refused without a change for an older revision, and for a key that is another', async () => {
    await world.json(...words('kept', cas), '--revision', '7');
    const manifest = join(world.bus.directory, 'kept', 'manifest.json');
    const before = readFileSync(manifest, 'utf8');
    const [other] = cas;
    for (const [line, said] of [
      [[...words('kept', cas), '--revision', '7'], /^rollback: the directory has revision 7/],
      [words('kept', cas, other), /^signer-unfit: /],
      [[...words('kept', []), join(world.bus.directory, 'none')], /no such file/],
      [words('kept', [signer]), /^bundle-malformed: /],
    ] as const) {
      const { status, stderr } = await world.run(line);
      assert.notEqual(status, 0);
      assert.match(stderr, said);
      assert.equal(readFileSync(manifest, 'utf8'), before);
    }
  });
});

function sha256Of({ certificate }: Issued): string {
  return createHash('sha256').update(certificate.der).digest('hex');
}

describe('bmc-certs bundle, without the program', () => {
  it('says which unit to look at', async () => {
    const world = await operatorWorld();
    const { status, stderr } = await world.run(['bundle', 'status']);
    await world.close();
    assert.equal(status, 7, stderr);
    assert.match(
      stderr,
      /the program of trust bundles does not run; look at systemctl status bmc-bundle\.\n$/,
    );
  });
});
