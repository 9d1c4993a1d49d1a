import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { unexplained } from './explained.ts';
import { type FilledStack, startFilledStack } from './filled-stack.ts';
import { runProgram, serviceArguments, skipUninstalled } from './programs.ts';
import { assertionFindings, readReport } from './reports.ts';

describe('the Redfish Protocol Validator', { skip: skipUninstalled, timeout: 118_000 }, () => {
  let filled: FilledStack;
  let output: string;
  let findings: ReturnType<typeof assertionFindings>;

  before(async () => {
    filled = await startFilledStack();
    const { stdout, stderr } = await runProgram(
      'rf_protocol_validator',
      [
        ...serviceArguments(filled.stack),
        ...['--no-cert-check', '--avoid-http-redirect'],
        ...['--report-dir', filled.folder, '--report-type', 'both'],
      ],
      100,
    );
    output = stdout + stderr;
    findings = assertionFindings(readReport(filled.folder, '.tsv'));
  });

  after(() => filled?.close());

  it('finds no failure', () => {
    const failures = findings.filter(({ result }) => result === 'FAIL');
    const lines = failures.map(({ what, says }) => `${what}: ${says}`);
    assert.deepEqual(lines, []);
    assert.match(output, /PASS: [1-9]\d\d, WARN: \d+, FAIL: 0,/);
  });

  for (const result of ['WARN', 'NOT_TESTED']) {
    it(`says ${result} of nothing that is not explained`, () => {
      const some = findings.filter((finding) => finding.result === result);
      assert.deepEqual(unexplained('RPV', some), []);
    });
  }
});
