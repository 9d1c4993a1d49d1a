import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clone } from '../e2e/stack.ts';
import type { FilledStack } from './filled-stack.ts';
import { runProgram } from './programs.ts';

/** What a task of a playbook left behind: its status, and what the module read. */
export interface TaskResult {
  readonly failed: boolean;
  readonly changed: boolean;
  readonly msg?: string;
  readonly redfish_facts?: RedfishFacts;
}

/** What the commands that the playbooks use read. */
interface RedfishFacts {
  readonly user?: { readonly entries: readonly User[] };
  readonly session?: { readonly entries: readonly Pick<User, 'UserName'>[] };
  readonly service_id?: { readonly service_identification: string };
  readonly manager?: { readonly entries: readonly (readonly [object, Inventory])[] };
  readonly network_protocols?: {
    readonly entries: Readonly<Record<string, { readonly ProtocolEnabled: boolean }>>;
  };
}

interface User {
  readonly UserName: string;
  readonly RoleId: string;
  readonly Enabled: boolean;
}

interface Inventory {
  readonly ServiceIdentification: string;
  readonly FirmwareVersion: string;
}

/** Runs a playbook of the folder ansible against the stack. @returns the results of its tasks by their names */
export async function runPlaybook(
  name: string,
  { stack, folder }: FilledStack,
): Promise<(task: string) => TaskResult> {
  const variables = {
    service: new URL(stack.url).host,
    password: stack.password,
    results: join(folder, 'results.json'),
    ansible_python_interpreter: '{{ ansible_playbook_python }}',
  };
  const env = {
    ANSIBLE_COLLECTIONS_PATH: join(clone, '.venv', 'collections'),
    ANSIBLE_HOME: join(folder, 'ansible'),
    ANSIBLE_LOCALHOST_WARNING: 'false',
    ANSIBLE_PIPELINING: 'true',
    LC_ALL: 'C.UTF-8',
  };
  const playbook = join(clone, 'test', 'validators', 'ansible', `${name}.yml`);
  const args = ['-i', 'localhost,', '-e', JSON.stringify(variables), playbook];
  const { stdout, stderr } = await runProgram('ansible-playbook', args, { seconds: 140, env });
  const results: Readonly<Record<string, TaskResult>> = readResults(
    variables.results,
    stdout + stderr,
  );
  return (task) => {
    const result = results[task];
    assert.ok(result, `there is no task ${task}`);
    return result;
  };
}

function readResults(path: string, output: string) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Error(output, { cause });
  }
}
