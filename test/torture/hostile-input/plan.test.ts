import assert from 'node:assert/strict';
import { it } from 'node:test';
import { figure } from '../extent.ts';
import { plan } from './plan.ts';

it('the long form tries more than a million inputs', () => {
  const inputs = Object.values<number>(plan).reduce((sum, runs) => sum + runs, 0);
  assert.ok(inputs > 1_000_000, `only ${inputs}`);
  figure('hostile-input', 'inputs in all', inputs);
});
