import { type DaemonProcess, startDaemon } from './daemon.ts';

export type AccountManagerProcess = DaemonProcess;

/** @param as the command line that runs it as another user */
export function startAccountManager(
  configuration: string,
  as?: readonly string[],
): Promise<AccountManagerProcess> {
  return startDaemon('account-manager', 'account manager ready', configuration, as);
}
