import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { toldEndpoints as endpoints, serveFor } from '../../fakes/operated-device.ts';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';

let world: OperatorWorld;
beforeEach(async () => {
  world = await operatorWorld({ endpoints });
});
afterEach(() => world?.close());

describe('bmc-certs check', () => {
  const rows: readonly {
    what: string;
    days: number;
    words: string;
    status: number;
    says: RegExp;
  }[] = [
    {
      what: 'a certificate with enough time',
      days: 50,
      words: '',
      status: 0,
      says: /^CERTIFICATES OK - 1 certificates, the first expires in (49|50) days \| 'server\/https\/1'=(49|50);30:;7: 'server\/https\/1 life'=(49|50)%;;;0;100$/,
    },
    {
      what: 'one that expires soon',
      days: 20,
      words: '',
      status: 1,
      says: /^CERTIFICATES WARNING - server\/https\/1: it expires in (19|20) days \| /,
    },
    {
      what: 'one that expires very soon',
      days: 3,
      words: '',
      status: 2,
      says: /^CERTIFICATES CRITICAL - server\/https\/1: it expires in [23] days/,
    },
    {
      what: 'one that has expired',
      days: -2,
      words: '',
      status: 2,
      says: /^CERTIFICATES CRITICAL - server\/https\/1: it expired [23] days ago/,
    },
    {
      what: 'one below a share of its life',
      days: 20,
      words: '-w 25% -c 10%',
      status: 1,
      says: /^CERTIFICATES WARNING - .*'server\/https\/1'=(19|20);; 'server\/https\/1 life'=(19|20)%;25:;10:;0;100$/,
    },
    {
      what: 'one below the last share of its life',
      days: 20,
      words: '-w 50% -c 25%',
      status: 2,
      says: /^CERTIFICATES CRITICAL - .* it expires in (19|20) days \| .*%;50:;25:;0;100$/,
    },
    {
      what: 'days and a share, each by itself',
      days: 20,
      words: '-w 25% -c 3',
      status: 1,
      says: /'server\/https\/1'=(19|20);;3: 'server\/https\/1 life'=(19|20)%;25:;;0;100$/,
    },
    {
      what: 'one above a share of its life',
      days: 20,
      words: '-w 10% -c 5%',
      status: 0,
      says: /^CERTIFICATES OK/,
    },
    {
      what: 'a name that is missing',
      days: 50,
      words: '--name bmc.example.com --name other.example.com',
      status: 1,
      says: /^CERTIFICATES WARNING - server\/https\/1: it lacks the name other\.example\.com \| /,
    },
    {
      what: 'a name that a wildcard stands for, and a name in another case',
      days: 50,
      words: '--name a.wild.example.com --name BMC.example.com',
      status: 0,
      says: /^CERTIFICATES OK/,
    },
    {
      what: 'a name that a wildcard does not stand for',
      days: 50,
      words: '--name a.b.wild.example.com',
      status: 1,
      says: /: it lacks the name a\.b\.wild\.example\.com \| /,
    },
    {
      what: 'a name that would turn the line around',
      days: 50,
      words: '--name bmc.example.com --name \u202emoc',
      status: 1,
      says: /: it lacks the name \?moc \| /,
    },
    {
      what: 'an endpoint that there is not',
      days: 50,
      words: 'server/foo',
      status: 3,
      says: /^CERTIFICATES UNKNOWN - There is no endpoint server\/foo; /,
    },
    {
      what: 'a threshold that is none',
      days: 50,
      words: '-w soon',
      status: 3,
      says: /^CERTIFICATES UNKNOWN - --warning: A threshold is /,
    },
  ];
  for (const { what, days, words, status, says } of rows) {
    it(`ends with ${status} for ${what}`, async () => {
      const extension = words.includes('--name') ? ['BMC.example.com', '*.wild.example.com'] : [];
      await serveFor(world, days, extension);
      const outcome = await world.run(['check', ...words.split(' ').filter(Boolean)]);
      assert.match(outcome.stdout.trimEnd(), says);
      assert.deepEqual([outcome.status, outcome.stderr], [status, '']);
    });
  }

  it('ends with 1 for a certificate that is not for a name of the configuration', async () => {
    const [https, ...others] = endpoints;
    const certificateNames = ['bmc.example.com', '192.0.2.7', 'old.example.com'];
    await world.restart({ endpoints: [{ ...https, certificateNames }, ...others] });
    assert.equal((await world.run(['check'])).status, 0);
    await serveFor(world, 50, ['bmc.example.com', 'other.example.com']);
    const { stdout, status } = await world.run(['check']);
    assert.match(
      stdout,
      /^CERTIFICATES WARNING - server\/https\/1: clients that know the service as 192\.0\.2\.7, old\.example\.com refuse it/,
    );
    assert.equal(status, 1);
  });

  it('ends with 0 for a certificate that the manager made for the device', async () => {
    const { stdout, status } = await world.run(['check']);
    assert.match(stdout, /^CERTIFICATES OK - 1 certificates/);
    assert.equal(status, 0);
  });

  it('ends with 1 for one that the manager made for what the device was called before', async () => {
    const unshare = ['unshare', '--uts', 'sh', '-c', 'hostname renamed && exec "$@"', 'sh'];
    const { stdout, status } = await world.run(['check'], '', unshare);
    assert.match(stdout, /^CERTIFICATES WARNING - server\/https\/1: it lacks the name renamed \| /);
    assert.equal(status, 1);
  });

  it('ends with 1 for a service that could not be told', async () => {
    writeFileSync(join(world.bus.directory, 'run', 'absent.pid'), 'no number');
    await world.run(['reload', 'server/https']);
    const { stdout, status } = await world.run(['check']);
    assert.match(stdout, /^CERTIFICATES WARNING - server\/https: .*absent\.pid was not told: /);
    assert.equal(status, 1);
  });

  it('ends with 3 where nobody answers', async () => {
    await world.manager.stop();
    const { stdout, status } = await world.run(['check']);
    assert.match(stdout, /^CERTIFICATES UNKNOWN - unavailable: /);
    assert.equal(status, 3);
  });
});
