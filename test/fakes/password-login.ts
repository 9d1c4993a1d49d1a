import { run } from '../e2e/commands.ts';
import type { StackProcess } from './stack-process.ts';

/** The password that a start showed. */
export function shownPassword(output: string): string | undefined {
  return /^ {2}password +(\S{16})$/m.exec(output)?.[1];
}

/** Whether the service opens a session for `admin` with a password. */
export async function opensSession(
  { ready }: Pick<StackProcess, 'ready'>,
  Password: string | undefined,
): Promise<boolean> {
  const body = JSON.stringify({ UserName: 'admin', Password });
  const sessions = `${ready.url}/redfish/v1/SessionService/Sessions`;
  return (await run('curl', ['-skf', '--json', body, sessions])).status === 0;
}
