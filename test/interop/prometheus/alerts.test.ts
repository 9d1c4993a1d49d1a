import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { managerMetrics } from '../../../src/metrics/manager-metrics.ts';
import { run } from '../../e2e/commands.ts';
import { promtool, whyNoPrometheus } from './programs.ts';

const skip = whyNoPrometheus() ?? false;
const place = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const rules = place('../../../docs/alerts/bmc-certificates.rules.yml');
const cases = place('./alerts.yml');

describe('the alert rules', () => {
  it('are accepted by promtool', { skip }, async () => {
    const { status, stdout, stderr } = await run(promtool, ['check', 'rules', rules]);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /SUCCESS: 12 rules found/);
  });

  it('speak when they should, say what they should, and are silent otherwise', {
    skip,
  }, async () => {
    const { status, stdout, stderr } = await run(promtool, ['test', 'rules', cases]);
    assert.equal(status, 0, stdout + stderr);
  });

  it('are each tried out', () => {
    const tried = readFileSync(cases, 'utf8');
    const names = [...readFileSync(rules, 'utf8').matchAll(/- alert: (\w+)/g)];
    for (const [, name = ''] of names)
      assert.match(tried, new RegExp(`alertname: ${name}\\n +exp_alerts:`), name);
  });

  it('ask for no metric that there is not', () => {
    const known = new Set(Object.values(managerMetrics).map(({ name }) => String(name)));
    for (const [name] of readFileSync(rules, 'utf8').matchAll(/\bbmc_certificate_\w+/g))
      assert.ok(known.has(name), name);
  });
});
