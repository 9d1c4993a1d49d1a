import { parseStackOptions } from '../local-stack/options.ts';
import { makeStack, type Stack } from '../local-stack/up.ts';
import { readyLine, welcomeText } from '../local-stack/welcome.ts';
import { SetupError } from '../platform/configuration.ts';
import { makeLog } from '../platform/log.ts';

const usage = `Usage: bmc-certs up [--state-dir DIR] [--https-port N] [--host ADDR]
                    [--password-file FILE] [--config FILE] [--bus ADDRESS]
`;

/** The operator's command line. */
export async function main(args: readonly string[], defaultState: string): Promise<void> {
  const [command, ...rest] = args;
  if (command !== 'up') {
    process.stderr.write(usage);
    process.exit(command === '--help' ? 0 : 2);
  }
  await up(rest, defaultState);
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
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  try {
    stack = makeStack(parseStackOptions(args, defaultState), makeLog('stack'));
    const welcome = await stack.start();
    process.stderr.write(welcomeText(welcome));
    process.stdout.write(readyLine(welcome));
  } catch (error) {
    // Programs that end because the stack is being stopped look like failures to start
    if (ending) return;
    ending = true;
    await stack?.stop();
    const reason = error instanceof Error ? error.message : String(error);
    const sentence = error instanceof SetupError ? reason : `The stack cannot start: ${reason}`;
    process.stderr.write(`${sentence}\n`);
    process.exit(1);
  }
}

if (process.argv[1]?.endsWith('bmc-certs.js')) {
  await main(process.argv.slice(2), '/var/lib/bmc-certificate-manager');
}
