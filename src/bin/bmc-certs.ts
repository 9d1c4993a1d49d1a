import '../platform/debug-signal.ts';
import { parseArgs } from 'node:util';
import { CertError } from '../core/cert-error.ts';
import { makeLog } from '../core/log.ts';
import { SetupError } from '../core/setup-error.ts';
import { BusCertificateClient } from '../dbus/client/bus-certificate-client.ts';
import { parseStackOptions } from '../local-stack/options.ts';
import { makeStack, type Stack } from '../local-stack/up.ts';
import { readyLine, welcomeText } from '../local-stack/welcome.ts';
import { commands } from '../operator/commands.ts';
import { readPassword } from '../operator/password-file.ts';
import { sentenceOf } from '../operator/sentence.ts';
import { setPassword } from '../operator/set-password.ts';
import { readConfiguration } from '../platform/configuration.ts';

/** Long enough for an RSA 4096 key on a small device. */
const requestMilliseconds = 310_000;

/** The operator's command line. */
export async function main(args: readonly string[], defaultState: string): Promise<void> {
  const [command = '--help', ...rest] = args;
  if (command === 'up') return up(rest, defaultState);
  try {
    if (command === '--help') process.stdout.write(usage());
    else if (command === 'set-password') process.stdout.write(await changePassword(rest));
    else process.stdout.write(await act(command, rest));
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${sentenceOf(error)}\n`);
    process.exit(1);
  }
}

function usage(): string {
  const lines = Object.entries(commands).map(
    ([name, command]) => `  ${name} ${command.usage}\n        ${command.summary}\n`,
  );
  return `Usage: bmc-certs [--bus ADDRESS] COMMAND …

${lines.join('')}  set-password --config FILE --password-file FILE
        make the account admin of the Redfish service an enabled administrator with this password
  up [--state-dir DIR] [--https-port N] [--host ADDR] [--password-file FILE] [--config FILE] [--bus ADDRESS]
        run a manager and a Redfish service on a private bus

A FILE with a certificate or a password may be - for standard input.
`;
}

/** Runs one command against the manager on the bus. */
async function act(first: string, rest: readonly string[]): Promise<string> {
  const onBus = first === '--bus';
  const [busAddress, name = '', args] = onBus
    ? [rest[0] ?? '', rest[1], rest.slice(2)]
    : ['', first, rest];
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new SetupError(`There is no command ${name}; see bmc-certs --help.`);
  const log = makeLog('bmc-certs', 'error');
  const client = new BusCertificateClient({
    busAddress,
    requestTimeout: requestMilliseconds,
    log,
  });
  try {
    await client.start();
    if (client.endpoints().length === 0) {
      throw new CertError('unavailable', 'there is no certificate manager on the bus');
    }
    return await command.run(client, args);
  } catch (error) {
    // What may not be asked looks as if it were not there
    const isAway = error instanceof CertError && error.code === 'unavailable';
    throw isAway ? (client.denial ?? error) : error;
  } finally {
    client.close();
  }
}

async function changePassword(args: readonly string[]): Promise<string> {
  const options = { config: { type: 'string' }, 'password-file': { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const { config, 'password-file': file } = values;
  if (config === undefined || file === undefined) {
    throw new SetupError('Give --config FILE and --password-file FILE.');
  }
  const name = await setPassword(readConfiguration(config), await readPassword(file));
  return `The account ${name} is an enabled administrator with the new password.\n`;
}

async function up(args: readonly string[], defaultState: string): Promise<void> {
  process.umask(0o077);
  let stack: Stack | undefined;
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    void (stack?.stop() ?? Promise.resolve()).then(() => process.exit(0));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
  try {
    stack = makeStack(parseStackOptions(args, defaultState), makeLog('stack'));
    const welcome = await stack.start();
    process.stderr.write(welcomeText(welcome));
    await welcome.password?.store();
    process.stdout.write(readyLine(welcome));
  } catch (error) {
    // Programs that end because the stack is being stopped look like failures to start
    if (ending) return;
    ending = true;
    await stack?.stop();
    process.stderr.write(`${sentenceOf(error)}\n`);
    process.exit(1);
  }
}

if (process.argv[1]?.endsWith('bmc-certs.js')) {
  await main(process.argv.slice(2), '/var/lib/bmc-certificate-manager');
}
