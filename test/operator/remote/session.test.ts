import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run, until } from '../../e2e/commands.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { shownBy } from '../../fakes/redfish-program.ts';
import { type TwoRoads, twoRoads, untilSessionsEnded } from '../../fakes/two-roads.ts';

const tools = opensslAuthority();
let roads: TwoRoads;
before(async () => {
  roads = await twoRoads();
});
after(async () => {
  await roads?.close();
  tools.remove();
});

const overRedfish = async (...words: readonly string[]) => {
  const outcome = await roads.run('redfish', words);
  assert.equal(outcome.status, 0, outcome.stderr);
  return outcome;
};
const overBus = async (...words: readonly string[]) => {
  const outcome = await roads.run('bus', words);
  assert.equal(outcome.status, 0, outcome.stderr);
};
const shownNow = () => shownBy({ port: Number(new URL(roads.url).port) });

describe('the session of bmc-certs over Redfish', () => {
  it('ends with the command that is ended by a signal', async () => {
    for (const [signal, status] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const before = roads.stack.output().split('audit: session begun').length;
      const watch = roads.start('redfish', ['watch']);
      await until(
        'a session',
        () => roads.stack.output().split('audit: session begun').length > before,
      );
      assert.equal(await watch.stop(signal), status, watch.output());
      await untilSessionsEnded(roads);
    }
  });

  it('ends with a command that fails, and is none for a wrong password', async () => {
    assert.equal((await roads.run('redfish', ['show', 'client/ldap'])).status, 3);
    const wrong = tools.write('wrong', 'wrong horse battery');
    const { status, stderr } = await roads.run('redfish', ['list', '--user-password-file', wrong]);
    assert.equal(status, 4);
    assert.match(stderr, /^The Redfish service does not let admin in: /);
    assert.doesNotMatch(stderr, /horse/);
    await untilSessionsEnded(roads);
  });
});

describe('watch over Redfish', () => {
  it('tells what is told over the bus', async () => {
    const ca = tools.issueCa();
    const watches = (['bus', 'redfish'] as const).map((road) =>
      roads.start(road, ['watch', '--json']),
    );
    const linesOf = (output: string) =>
      output
        .trimEnd()
        .split('\n')
        .filter(Boolean)
        .map((line) => ({ ...JSON.parse(line), time: '' }));
    const probes = watches.map(
      ({ output }) =>
        () =>
          linesOf(output()).length > 0,
    );
    // Both follow once they tell of something
    await until('both watch', async () => {
      await overBus('trust', 'replace', ca.path);
      await overBus('trust', 'replace', tools.issueCa().path);
      return probes.every((probe) => probe());
    });
    await overBus('trust', 'replace', ca.path);
    const { key, pem } = tools.issue();
    await overBus('install', 'client/ldap', tools.write('pair', key + pem));
    await overBus('delete', 'client/ldap');
    const last = { event: 'removed', certificate: 'client/ldap/1' };
    const isDone = (output: string) =>
      linesOf(output).some(
        ({ event, certificate }) => event === last.event && certificate === last.certificate,
      );
    await until('the last event', () => watches.every(({ output }) => isDone(output())));
    const [bus = [], redfish = []] = watches.map(({ output }) => linesOf(output()));
    const common = Math.min(bus.length, redfish.length, 5);
    assert.deepEqual(redfish.slice(-common), bus.slice(-common));
    for (const watch of watches) await watch.stop('SIGTERM');
  });
});

describe('watch over Redfish, whose session others end', () => {
  it('logs in again, and tells what changed meanwhile', async () => {
    const sessions = `${roads.url}/redfish/v1/SessionService/Sessions`;
    const curl = async (...args: readonly string[]) => {
      const user = `admin:${readFileSync(roads.password, 'utf8').trim()}`;
      return (await run('curl', ['-sku', user, ...args])).stdout;
    };
    const idsOf = async (): Promise<readonly string[]> =>
      JSON.parse(await curl(sessions)).Members.map(
        (one: { '@odata.id': string }) => one['@odata.id'],
      );
    const watch = roads.start('redfish', ['watch']);
    // It follows once it tells of something
    await until('it follows', async () => {
      await overBus('trust', 'replace', tools.issueCa().path);
      return watch.output() !== '';
    });
    const [session] = await idsOf();
    await curl('-X', 'DELETE', `${roads.url}${session}`);
    await until('another session', async () => {
      const found = await idsOf();
      return found.length > 0 && !found.includes(session ?? '');
    });
    const ca = tools.issueCa({ subject: '/CN=meanwhile' });
    await overBus('trust', 'replace', ca.path);
    await until('the change', () => /created .* CN=meanwhile/.test(watch.output()));
    await watch.stop('SIGTERM');
    await untilSessionsEnded(roads);
  });
});

describe('the remembered fingerprint of a service', () => {
  const remembered = () => readFileSync(join(roads.home, 'bmc-certs', 'known-hosts'), 'utf8');

  it('moves to the certificate that the command puts into service, and to it alone', async () => {
    const [before] = await shownNow();
    const csr = (await overRedfish('csr', 'server/https', '--name', '127.0.0.1')).stdout;
    const ca = tools.issueCa();
    const issued = tools.write('issued', tools.sign(csr, ca));
    await overRedfish('replace', 'server/https', issued);
    const [after] = await shownNow();
    assert.notEqual(after, before);
    assert.equal(remembered(), `${roads.host} ${after}\n`);
    await overRedfish('list');
  });

  it('has both certificates while a replacement is on trial', async () => {
    const [before] = await shownNow();
    const { key, pem } = tools.issue();
    const file = tools.write('trial', key + pem);
    await overRedfish('stage', 'server/https', file);
    assert.equal(remembered(), `${roads.host} ${before}\n`);
    await overRedfish('activate', 'server/https');
    const [trial] = await shownNow();
    assert.equal(remembered(), `${roads.host} ${before}\n${roads.host} ${trial}\n`);
    await overRedfish('rollback', 'server/https');
    assert.equal(remembered(), `${roads.host} ${before}\n`);
    await overRedfish('stage', 'server/https', file);
    await overRedfish('activate', 'server/https');
    await overRedfish('commit', 'server/https');
    assert.equal(remembered(), `${roads.host} ${trial}\n`);
  });

  it('stays where others put a certificate into service, which is then refused', async () => {
    const before = remembered();
    const { key, pem } = tools.issue({ issuer: tools.issueCa() });
    await overBus('replace', 'server/https', tools.write('others', key + pem));
    const { status, stderr } = await roads.run('redfish', ['list']);
    assert.equal(status, 11);
    assert.match(stderr, /SHOWS ANOTHER CERTIFICATE/);
    assert.equal(remembered(), before);
    const [shown = ''] = await shownNow();
    await overRedfish('list', '--fingerprint', shown);
  });
});
