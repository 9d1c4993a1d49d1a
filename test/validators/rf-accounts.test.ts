import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { curl, logIn } from '../e2e/redfish-client.ts';
import {
  type RunningStack,
  removeDirectory,
  startStack,
  temporaryDirectory,
} from '../e2e/stack.ts';
import { runProgram, skipUninstalled } from './programs.ts';

const accounts = '/redfish/v1/AccountService/Accounts';

describe('rf_accounts', { skip: skipUninstalled }, () => {
  const state = temporaryDirectory();
  let stack: RunningStack;
  before(async () => {
    stack = await startStack(state);
  });
  after(async () => {
    await stack?.stop();
    removeDirectory(state);
  });

  const use = async (who: string, ...args: string[]) => {
    const login = ['-r', stack.url, '-u', who, '-p', stack.password];
    const { status, stdout, stderr } = await runProgram('rf_accounts.py', [...login, ...args]);
    assert.equal(status, 0, `${args.join(' ')}: ${stdout}${stderr}`);
  };
  const names = async (as: string) => {
    const token = await logIn(stack.url, stack.password, as);
    const { text } = await curl(`${stack.url}${accounts}`, { token });
    return JSON.parse(text).Members.map((one: { '@odata.id': string }) =>
      one['@odata.id'].split('/').at(-1),
    );
  };

  it('adds an account, gives it another name, and deletes it', async () => {
    await use('admin', '--add', 'worker', 'correct-worker', 'Operator');
    await use('admin', '--setname', 'worker', 'night-shift');
    assert.deepEqual(await names('admin'), ['admin', 'night-shift']);
    await use('admin', '--delete', 'night-shift');
  });

  it('gives the account that it is logged in with another name, and logs out', async () => {
    await use('admin', '--setname', 'admin', 'root');
    assert.deepEqual(await names('root'), ['root']);
    await use('root', '--setname', 'root', 'admin');
  });
});
