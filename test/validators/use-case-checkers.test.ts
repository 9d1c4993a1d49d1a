import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type FilledStack, startFilledStack } from './filled-stack.ts';
import { runProgram, serviceArguments, skipUninstalled } from './programs.ts';
import { operationFindings, readCounts, readReport } from './reports.ts';

describe('the Redfish Use-Case Checkers', { skip: skipUninstalled }, () => {
  let filled: FilledStack;

  before(async () => {
    filled = await startFilledStack();
  });

  after(() => filled?.close());

  it('find no failure in the life of an account', async () => {
    const args = [...serviceArguments(filled.stack), '--report-dir', filled.folder];
    const { status, stdout, stderr } = await runProgram('rf_use_case_checkers', args, {
      seconds: 80,
    });
    const findings = operationFindings(readReport(filled.folder, '.html'));
    assert.deepEqual(findings, []);
    assert.equal(status, 0, stdout + stderr);
    const { pass = 0, fail } = readCounts(stdout);
    assert.equal(fail, 0, stdout);
    assert.ok(pass > 5, `hardly anything was tried:\n${stdout}`);
  });
});
