import { makeLog } from '../core/log.ts';
import { operatorCommand, refuseRemote } from '../operator/context.ts';
import { readStackOptions, stackOptions } from './options.ts';
import { makeStack, type Stack } from './up.ts';
import { readyLine, welcomeText } from './welcome.ts';

/** @param defaultState the state directory where none is given */
export const upCommand = (defaultState: string) =>
  operatorCommand({
    name: 'up',
    summary: 'run a manager and a Redfish service on a private bus',
    about: [
      'Goes on until it is ended by a signal. For trying everything without root; `npm start` does the same. With `--bus` the stack uses a bus that runs already. When everything is ready, the last line on standard output tells programs where it is.',
    ],
    options: stackOptions,
    fields: {},
    examples: [{ command: 'up --state-dir /tmp/bmc --https-port 0', about: 'On a free port' }],
    async run({ options, context }) {
      refuseRemote(context, 'up');
      process.umask(0o077);
      let stack: Stack | undefined;
      let ending: Promise<never> | undefined;
      const end = () => {
        ending ??= (stack?.stop() ?? Promise.resolve()).then(() => process.exit(0));
      };
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
      try {
        const given = readStackOptions(options, context.busAddress, defaultState);
        stack = makeStack(given, makeLog('stack'));
        const welcome = await stack.start();
        process.stderr.write(welcomeText(welcome));
        await welcome.password?.store();
        process.stdout.write(readyLine(welcome));
      } catch (error) {
        // Programs that end because the stack is being stopped look like failures to start
        if (ending) return ending;
        await stack?.stop();
        throw error;
      }
      return new Promise<never>(() => undefined);
    },
  });
