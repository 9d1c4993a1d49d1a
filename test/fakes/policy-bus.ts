import { spawn } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../e2e/commands.ts';
import { makeBusDirectory, type PrivateBus, startPrivateBus } from './private-bus.ts';

/** A bus as closed as the system bus, with a policy. */
export type PolicyBus = Omit<PrivateBus, 'kill' | 'start'>;

/** The programs that are the system bus of a device, and why this machine cannot run them. */
export const policyBuses: readonly {
  readonly program: string;
  readonly why: string | undefined;
  start(policy: string): Promise<PolicyBus>;
}[] = [
  {
    program: 'dbus-daemon',
    why: undefined,
    start: (policy) => startPrivateBus('bus', policy),
  },
  { program: 'dbus-broker', why: whyNoBroker(), start: startBrokerBus },
];

/** Why this machine cannot run a dbus-broker; `undefined` when it can. */
function whyNoBroker(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may mount the socket that stands for the journal';
  const programs = ['dbus-broker-launch', 'systemd-socket-activate', 'unshare'];
  const missing = programs.find((name) => !existsSync(join('/usr/bin', name)));
  return missing && `${missing} is not installed`;
}

/**
 * A real dbus-broker under its own launcher, which reads the policy. The launcher takes its socket as systemd would
 * pass it, and wants to reach a journal that reads: the broker tells it of each refusal, and waits when the socket is full.
 */
async function startBrokerBus(policy: string): Promise<PolicyBus> {
  const { directory, socket, address, configuration, remove } = makeBusDirectory('bus', policy);
  const script = `
    mount -t tmpfs tmpfs /run/systemd && mkdir /run/systemd/journal || exit
    systemd-socket-activate --datagram --listen=/run/systemd/journal/socket sh -c 'exec cat <&3 >/dev/null' &
    while [ ! -S /run/systemd/journal/socket ]; do sleep 0.05; done
    exec systemd-socket-activate -E DBUS_SESSION_BUS_ADDRESS=${address} --listen=${socket} \
      dbus-broker-launch --scope=user --config-file=${configuration}`;
  const isolated = ['--mount', '--propagation', 'private', 'sh', '-c', script];
  const group = spawn('unshare', isolated, { stdio: 'ignore', detached: true });
  await until('the broker is to be started', () => existsSync(socket));
  chmodSync(socket, 0o777);
  return {
    address,
    directory,
    async stop() {
      const ended = new Promise((resolve) => group.once('exit', resolve));
      if (group.pid !== undefined) process.kill(-group.pid, 'SIGKILL');
      await ended;
      remove();
    },
  };
}
