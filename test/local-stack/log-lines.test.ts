import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run, signalIfThere, until } from '../e2e/commands.ts';
import { curl, logIn } from '../e2e/redfish-client.ts';
import { readLogLine } from '../fakes/log-lines.ts';
import {
  processesWith,
  type StackProcess,
  stackDirectory,
  startUp,
} from '../fakes/stack-process.ts';

const edges = ['cmp-agent', 'gnoi-server', 'netconf-server', 'bundle-updater'];
const programs = ['certificate-manager', 'redfish-server', 'account-manager', ...edges];
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';

describe('the lines of the log', () => {
  const directory = stackDirectory();
  let stack: StackProcess;

  before(async () => {
    const ports = ['--gnoi-port', '0', '--netconf-port', '0'];
    const place = ['--state-dir', join(directory, 'with space')];
    stack = await startUp([...place, '--with', 'cmp,gnoi,netconf,bundle', ...ports]);
  });
  after(async () => {
    stack?.kill('SIGTERM');
    await stack?.ended;
  });

  /** Those of the log among all that was printed: what is for people is indented. */
  const lines = () =>
    stack
      .output()
      // The last one may not be there wholly
      .split('\n')
      .slice(0, -1)
      .filter((line) => !/^(?: {2}|ready |$)/.test(line));
  const find = (message: string) =>
    lines()
      .map(readLogLine)
      .filter((one) => one.message === message);

  it('are of the documented grammar in every program, whatever clients send', async () => {
    const { url = '', netconf = '', gnoi = '' } = stack.ready;
    const name = 'Büro "日本" a=b\n<3>c\t\u001b[31m\u202e\\';
    await logIn(url, 'wrong', name);
    await curl(`${url}${truststore}`, { body: 'no certificate' });
    for (const place of [netconf, gnoi, url.slice('https://'.length)]) {
      await run('openssl', ['s_client', '-connect', place], 'GET / HTTP/1.0\r\n\r\n');
      await run('curl', ['--silent', '--max-time', '30', `http://${place}/`]);
    }
    for (const pid of processesWith(`.js --config ${directory}`).keys())
      signalIfThere(pid, 'SIGHUP');
    await until('each program was asked for a reload', async () => {
      return find('reload asked for').length >= programs.length;
    });
    const [refused] = find('audit: login failed');
    assert.equal(refused?.fields.user, name);
    const those = new Set(lines().map((line) => readLogLine(line).program));
    assert.deepEqual(
      programs.filter((program) => !those.has(program)),
      [],
    );
  });
});
