import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { managerMetrics } from '../../../src/metrics/manager-metrics.ts';
import { run, until } from '../../e2e/commands.ts';
import { endpoints } from '../../fakes/manager-process.ts';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';
import { type NodeExporter, promtool, startNodeExporter, whyNoPrometheus } from './programs.ts';

const skip = whyNoPrometheus() ?? false;
const hostile = '/CN=a"b\\\\c\u202ed {x="1"} 5';

describe('the textfile of a manager', { skip }, () => {
  let world: OperatorWorld;
  let exporter: NodeExporter;
  let path: string;

  before(async () => {
    const [https, ...others] = endpoints;
    const told = [{ ...https, reload: [{ pidFile: 'absent.pid' }] }, ...others];
    const metrics = { textfile: 'collector/bmc-certificates.prom', textfileSeconds: 1 };
    world = await operatorWorld({ endpoints: told });
    const folder = join(world.bus.directory, 'collector');
    mkdirSync(folder);
    path = join(folder, 'bmc-certificates.prom');
    await world.restart({ endpoints: told, metrics });
    exporter = await startNodeExporter(folder);
    const { authority } = world;
    const issued = authority.issue({ issuer: authority.issueCa(), subject: hostile });
    for (const words of [
      ['replace', 'server/https', issued.path, issued.keyPath],
      ['trust', 'add', authority.issueCa({ subject: '/O=No common name' }).path],
      ['csr', 'client/ldap', '--name', 'x'],
    ])
      assert.equal((await world.run(words)).status, 0);
    const staged = authority.issue({ issuer: authority.issueCa(), subject: '/CN=staged' });
    await world.run(['stage', 'server/https', staged.path, staged.keyPath]);
    await until('all is told', () => /replacement_deadline/.test(readFileSync(path, 'utf8')));
  });
  after(async () => {
    await exporter?.stop();
    await world?.close();
  });

  it('has every metric that is declared', () => {
    const text = readFileSync(path, 'utf8');
    for (const { name } of Object.values(managerMetrics))
      assert.ok(text.includes(`# TYPE ${name} `), name);
  });

  it('is found good by promtool, which also judges the names', async () => {
    const { status, stdout, stderr } = await run(
      promtool,
      ['check', 'metrics'],
      readFileSync(path, 'utf8'),
    );
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
  });

  it('is served by node_exporter as it is, hostile names included', async () => {
    const served = await exporter.metrics();
    assert.match(served, /^node_textfile_scrape_error 0$/m);
    assert.match(served, /subject_cn="a\\"b\\\\c\ufffdd \{x=\\"1\\"\} 5"/);
    const samples = (text: string) =>
      text.split('\n').filter((line) => line.startsWith('bmc_certificate_')).length;
    assert.equal(samples(served), samples(readFileSync(path, 'utf8')));
    const [, mtime] =
      /^node_textfile_mtime_seconds\{file="[^"]*bmc-certificates\.prom"\} (.*)$/m.exec(served) ??
      [];
    assert.ok(Math.abs(Number(mtime) - statSync(path).mtimeMs / 1000) < 1);
  });

  it('goes on telling when certificates expire when the manager is gone', async () => {
    await world.manager.stop();
    const served = await exporter.metrics();
    assert.match(served, /^bmc_certificate_not_after_timestamp_seconds\{.*server\/https.*\} /m);
  });
});
