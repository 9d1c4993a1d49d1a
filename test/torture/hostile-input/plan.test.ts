import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { figure } from '../extent.ts';
import { plan } from './plan.ts';

it('the long form tries more than a million inputs', () => {
  const inputs = Object.values<number>(plan).reduce((sum, runs) => sum + runs, 0);
  assert.ok(inputs > 1_000_000, `only ${inputs}`);
  figure('hostile-input', 'hostile inputs', inputs);
});

it('each target of the plan has its campaign', () => {
  const folder = import.meta.dirname;
  const tests = readdirSync(folder).filter((name) => name.endsWith('.test.ts'));
  const text = tests.map((name) => readFileSync(join(folder, name), 'utf8')).join('');
  const without = Object.keys(plan).filter((name) => !text.includes(`name: '${name}'`));
  assert.deepEqual(without, []);
});
