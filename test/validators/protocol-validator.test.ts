import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { curl, logIn } from '../e2e/redfish-client.ts';
import { clone } from '../e2e/stack.ts';
import { unexplained } from './explained.ts';
import { type FilledStack, startFilledStack } from './filled-stack.ts';
import { runProgram, serviceArguments, skipUninstalled } from './programs.ts';
import { assertionFindings, readReport } from './reports.ts';

/** Something happens all the while, so that there are events to read. @returns what ends it */
async function makeEvents({ stack }: FilledStack): Promise<() => Promise<void>> {
  const token = await logIn(stack.url, stack.password);
  const action = '/redfish/v1/EventService/Actions/EventService.SubmitTestEvent';
  const body = { MessageId: 'ResourceEvent.1.3.ResourceChanged' };
  let going = true;
  const done = (async () => {
    while (going) {
      await curl(`${stack.url}${action}`, { method: 'POST', token, body });
      await sleep(500);
    }
  })();
  return () => {
    going = false;
    return done;
  };
}

describe('the Redfish Protocol Validator', { skip: skipUninstalled }, () => {
  let filled: FilledStack;
  let output: string;
  let findings: ReturnType<typeof assertionFindings>;

  before(async () => {
    filled = await startFilledStack();
    const stopEvents = await makeEvents(filled);
    const { stdout, stderr } = await runProgram(
      'python',
      [
        join(clone, 'test/validators/protocol_validator_with_streams.py'),
        ...serviceArguments(filled.stack),
        ...['--no-cert-check', '--avoid-http-redirect'],
        ...['--report-dir', filled.folder, '--report-type', 'both'],
      ],
      { seconds: 150 },
    );
    await stopEvents();
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
