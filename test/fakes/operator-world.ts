import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Outcome, run } from '../e2e/commands.ts';
import { assertDeclaredShape } from './declared-shape.ts';
import { type ManagerProcess, startManager } from './manager-process.ts';
import { type OpensslAuthority, opensslAuthority } from './openssl-authority.ts';
import { type PrivateBus, startPrivateBus } from './private-bus.ts';

const program = fileURLToPath(new URL('../../dist/bmc-certs.js', import.meta.url));

/** A manager on a bus of its own, and `bmc-certs` as it is built. */
export interface OperatorWorld {
  readonly bus: PrivateBus;
  readonly authority: OpensslAuthority;
  /** The configuration of the manager. */
  readonly configuration: string;
  manager: ManagerProcess;
  /** Runs a command line, as another user where a command line for that is given. */
  run(words: readonly string[], input?: string, as?: readonly string[]): Promise<Outcome>;
  /** Runs a command that must succeed. @returns what it prints as JSON, which has the form that is declared */
  json(...words: readonly string[]): Promise<unknown>;
  /** Starts the manager anew with another configuration. */
  restart(changes: object): Promise<void>;
  close(): Promise<void>;
}

export async function operatorWorld(changes: object = {}, policy?: string): Promise<OperatorWorld> {
  const bus = await startPrivateBus('bus', policy);
  const manager = await startManager(bus, changes);
  const authority = opensslAuthority();
  const world: OperatorWorld = {
    bus,
    authority,
    configuration: join(bus.directory, 'manager.json'),
    manager,
    run(words, input = '', as = []) {
      const environment = [`DBUS_SYSTEM_BUS_ADDRESS=${bus.address}`, 'LC_ALL=C.UTF-8'];
      const command = [...environment, ...as, process.execPath, program, ...words];
      return run('/usr/bin/env', command, input);
    },
    async json(...words) {
      const { status, stdout, stderr } = await world.run([...words, '--json']);
      if (status === 0) {
        const answer: unknown = JSON.parse(stdout);
        assertDeclaredShape(words, answer);
        return answer;
      }
      throw new Error(`${words.join(' ')} ended with ${status}: ${stdout}${stderr}`);
    },
    async restart(next) {
      await world.manager.stop();
      world.manager = await startManager(bus, next);
    },
    async close() {
      await world.manager.stop();
      await bus.stop();
      authority.remove();
    },
  };
  return world;
}
