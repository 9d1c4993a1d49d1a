#!/usr/bin/env node
import { realpathSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { isSystemError } from '../core/cert-error.ts';
import { upCommand } from '../local-stack/up-command.ts';
import { globalOptions, type OperatorContext, operatorContext } from '../operator/context.ts';
import { describeFailure } from '../operator/failure.ts';
import type { Program } from '../operator/framework/command.ts';
import { completionCommand } from '../operator/framework/completion-command.ts';
import { exitStatuses } from '../operator/framework/exit-status.ts';
import { runProgram } from '../operator/framework/run.ts';
import { operatorGroups } from '../operator/groups.ts';
import { remoteEnvironment } from '../operator/remote/remote-options.ts';
import { defaultConfiguration } from '../operator/targets.ts';

const name = 'bmc-certs';

/** @param defaultState the state directory of `up` */
export function makeProgram(
  defaultState = '/var/lib/bmc-certificate-manager',
): Program<OperatorContext> {
  const program: Program<OperatorContext> = {
    name,
    version: packageJson.version,
    summary: 'manage the certificates, keys and trusted CAs of this device',
    about: [
      `\`${name}\` asks the certificate manager of this device over D-Bus, or with \`--url\` any Redfish service from another machine. Endpoints are named \`TYPE/NAME\`, such as \`server/https\`, and certificates \`TYPE/NAME/ID\`, such as \`authority/truststore/3\`; a server or a client has one certificate, whose number need not be given.`,
      'Over D-Bus root may change certificates, and the users and groups of `access` in the configuration of the manager; over Redfish the administrators of the service.',
      'With `--url` nothing is sent before the service is known to be the right one: by the CAs of `--cacert`, by `--fingerprint`, or because a person at the terminal said so at the first use. The last two are remembered. A password comes from a file or a terminal, never from the command line.',
      'Times are in UTC. With `--json` a command prints one JSON document, whose members stay as they are listed here; an error is then a document with `error`, `status` and `message` on standard error.',
    ],
    groups: [
      ...operatorGroups,
      {
        title: 'This program',
        commands: [upCommand(defaultState), completionCommand(name, () => program)],
      },
    ],
    options: globalOptions,
    environment: {
      DBUS_SYSTEM_BUS_ADDRESS: 'Address of the system bus, where `--bus` names no other.',
      ...remoteEnvironment,
      NO_COLOR: 'If it is set, output has no colours.',
      LOG_LEVEL: 'Log the connection on standard error: `error`, `warn`, `info` or `debug`.',
    },
    files: {
      [defaultConfiguration]: 'The configuration of the manager.',
      '~/.local/state/bmc-certs/known-hosts':
        'The certificates by which Redfish services are known.',
    },
  };
  return program;
}

/** The operator's command line. Ends the process. */
export async function main(args: readonly string[], defaultState?: string): Promise<never> {
  const { stdout, stderr } = process;
  stdout.on('error', (error) => {
    // The reader has seen enough, as `head` does
    if (isSystemError(error, 'EPIPE')) process.exit(0);
    stderr.write(`The output cannot be written: ${error.message}.\n`);
    process.exit(exitStatuses.failed.status);
  });
  const status = await runProgram(
    {
      program: makeProgram(defaultState),
      terminal: {
        out: (text) => stdout.write(text),
        err: (text) => stderr.write(text),
        isColoured: stdout.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
      },
      makeContext: operatorContext,
      describeError: describeFailure,
    },
    args,
  );
  // An error of the last output is told in the next turn
  await nextTurn();
  process.exit(status);
}

/** Also by a link in the PATH, as npm makes one. */
function isStarted(): boolean {
  const [, script] = process.argv;
  return script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url);
}

if (isStarted()) void main(process.argv.slice(2));
