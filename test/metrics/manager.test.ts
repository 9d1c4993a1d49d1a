import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { certErrors } from '../../src/core/cert-error.ts';
import { until } from '../e2e/commands.ts';
import { busTools } from '../fakes/bus-tools.ts';
import { endpoints, names, paths, writeConfiguration } from '../fakes/manager-process.ts';
import { type OperatorWorld, operatorWorld } from '../fakes/operator-world.ts';

const [https, ldap, truststore] = endpoints;
const pidFile = 'service.pid';
const told = [{ ...https, reload: [{ pidFile }] }, ldap, truststore];
const metrics = { textfile: 'bmc.prom', textfileSeconds: 1 };

describe('the textfile of a manager', () => {
  let world: OperatorWorld;
  afterEach(() => world?.close());

  const start = async (changes: object = { metrics, endpoints: told }) => {
    world = await operatorWorld(changes);
  };
  const path = () => join(world.bus.directory, 'bmc.prom');
  const text = () => (existsSync(path()) ? readFileSync(path(), 'utf8') : '');
  /** The sum over all series of a metric whose labels have these texts; `undefined` where there is no series. */
  const value = (metric: string, ...labels: readonly string[]): number | undefined => {
    const found = text()
      .split('\n')
      .filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `))
      .filter((line) => labels.every((one) => line.includes(one)));
    if (found.length === 0) return undefined;
    return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  };
  const is = (wanted: number, metric: string, ...labels: readonly string[]) =>
    until(`${metric} is ${wanted}`, () => value(metric, ...labels) === wanted);
  const certs = async (...words: readonly string[]) => {
    const { status, stderr } = await world.run(words);
    assert.equal(status, 0, stderr);
  };
  /** Asks for a CSR as upstream's clients do, who are answered before it is made. */
  const generate = async (algorithm: string) => {
    const tools = busTools({ address: world.bus.address, destination: names.server });
    const strings = (count: number) => Array<string>(count).fill('');
    const texts = [...strings(2), 'bmc', ...strings(5)];
    const words = ['0', ...texts, '0', '', algorithm, '0', ...strings(5)];
    const method = 'xyz.openbmc_project.Certs.CSR.Create.GenerateCSR';
    await tools.call(paths.server, method, `as${'s'.repeat(8)}xssas${'s'.repeat(5)}`, ...words);
  };
  /** Puts a certificate of a CA into service that ends so many days from now. */
  const serve = async (days: number) => {
    const { authority } = world;
    const end = Math.floor(Date.now() / 1000) + days * 86_400;
    const begin = end - 100 * 86_400;
    const time = (seconds: number) =>
      `${new Date(seconds * 1000).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
    const issued = authority.issue({
      ...{ issuer: authority.issueCa({ subject: '/CN=The CA' }), subject: '/CN=bmc' },
      ...{ from: time(begin), until: time(end) },
    });
    await certs('replace', 'server/https', issued.path, issued.keyPath);
    return { begin, end };
  };

  it('is not there unless the configuration names it', async () => {
    await start({ endpoints: told });
    await world.manager.stop();
    assert.equal(existsSync(path()), false);
  });

  it('tells when certificates begin and end, also of one that has expired', async () => {
    await start();
    await is(1, 'bmc_certificate_self_signed', 'endpoint="server/https"');
    const { begin, end } = await serve(-2);
    const labels =
      'endpoint="server/https",type="server",id="1",subject_cn="bmc",issuer_cn="The CA"';
    await is(end, 'bmc_certificate_not_after_timestamp_seconds', labels);
    assert.equal(value('bmc_certificate_not_before_timestamp_seconds', labels), begin);
    assert.equal(value('bmc_certificate_self_signed', labels), 0);
    assert.equal(value('bmc_certificate_installed', 'server/https'), 1);
    assert.equal(value('bmc_certificate_installed', 'authority/truststore'), 0);
  });

  it('begins every counter at 0', async () => {
    await start();
    await is(0, 'bmc_certificate_operations_total', 'server/https', 'Replace"', '"ok"');
    for (const code of Object.keys(certErrors))
      assert.equal(value('bmc_certificate_failures_total', 'client/ldap', `"${code}"`), 0, code);
    for (const outcome of ['reloaded', 'not-running', 'retrying', 'failed'])
      assert.notEqual(value('bmc_certificate_reloads_total', `"${outcome}"`), undefined, outcome);
  });

  it('counts operations and refusals with their reasons, one for each call', async () => {
    await start();
    await serve(50);
    const { pem } = world.authority.issue({ issuer: world.authority.issueCa() });
    const { status } = await world.run(['replace', 'server/https', '-'], pem);
    assert.notEqual(status, 0);
    await is(1, 'bmc_certificate_operations_total', 'server/https', '"Replace"', '"refused"');
    assert.equal(value('bmc_certificate_operations_total', '"ok"'), 1);
    assert.equal(value('bmc_certificate_operations_total', '"refused"'), 1);
    assert.equal(value('bmc_certificate_failures_total', 'server/https', '"key-missing"'), 1);
    assert.equal(value('bmc_certificate_failures_total'), 1);
  });

  it('counts a CSR that fails after its call was answered', async () => {
    await start();
    await generate('DSA');
    await is(1, 'bmc_certificate_failures_total', 'server/https', '"argument-invalid"');
    assert.equal(value('bmc_certificate_operations_total', '"GenerateCSR"', '"ok"'), 1);
  });

  it('tells how many CSRs are pending', async () => {
    await start();
    await generate('EC');
    await is(1, 'bmc_certificate_pending_requests', 'server/https');
  });

  it('tells what became of telling a service', async () => {
    await start();
    writeFileSync(join(world.bus.directory, 'run', pidFile), 'no number');
    await serve(50);
    const service = `service="${join(world.bus.directory, 'run', pidFile)}"`;
    await is(0, 'bmc_certificate_last_reload_successful', service);
    assert.ok((value('bmc_certificate_reloads_total', service, '"retrying"') ?? 0) >= 1);
    assert.ok((value('bmc_certificate_last_reload_timestamp_seconds', service) ?? 0) > 1e9);
  });

  it('tells of endpoints that come at run time apart from those of the configuration', async () => {
    await start();
    const tools = busTools({
      address: world.bus.address,
      destination: 'xyz.openbmc_project.Certs.Endpoints',
    });
    const root = '/xyz/openbmc_project/certs/endpoints';
    const add = 'xyz.openbmc_project.Certs.Extension.Endpoints.Add';
    await tools.call(root, add, 'ss', 'server', 'gnmi');
    await is(0, 'bmc_certificate_installed', '"run-time/server/gnmi"');
    const path = `${root}/server/gnmi`;
    await tools.call(path, 'xyz.openbmc_project.Collection.DeleteAll.DeleteAll');
    await is(1, 'bmc_certificate_operations_total', '"run-time/server/gnmi"', '"DeleteAll"');
    assert.equal(value('bmc_certificate_operations_total', '"server/https"'), 0);
    assert.equal(value('bmc_certificate_installed', '"server/https"'), 1);
  });

  it('tells until when a staged replacement waits, and nothing when it is over', async () => {
    await start();
    const issued = world.authority.issue({ issuer: world.authority.issueCa() });
    await certs('stage', 'server/https', issued.path, issued.keyPath);
    const deadline = 'bmc_certificate_replacement_deadline_timestamp_seconds';
    await until('it is told', () => (value(deadline, 'state="staged"') ?? 0) > Date.now() / 1000);
    await certs('rollback', 'server/https');
    await until('it is over', () => value(deadline) === undefined);
  });

  it('comes and goes with the configuration that is read again', async () => {
    await start({ endpoints: told });
    const configure = (changes: object) => {
      writeConfiguration(world.bus, { endpoints: told, ...changes });
      process.kill(world.manager.pid, 'SIGHUP');
    };
    configure({ metrics });
    await until('it is there', () => value('bmc_certificate_manager_start_time_seconds'));
    configure({});
    await until('it is gone', () => !existsSync(path()));
  });
});
