import { execFile } from 'node:child_process';
import type { EventLog } from '../core/log.ts';

/** How many times within the time of the watchdog it is told, so that one that is late or lost ends nothing. */
const tellingsInTime = 3;

/**
 * Tells systemd that this program serves and, from then on, that its event loop turns, where its unit asks for that
 * (sd_notify(3)). Node has no datagram sockets for Unix addresses, so systemd-notify(1) tells it; the unit needs
 * `NotifyAccess=all`. Without a service manager nothing is done.
 */
export function tellServiceManager(log: EventLog, environment = process.env): void {
  const { NOTIFY_SOCKET, PATH, WATCHDOG_PID, WATCHDOG_USEC } = environment;
  if (NOTIFY_SOCKET === undefined) return;
  const timeout = Math.floor(Number(WATCHDOG_USEC ?? 0) / 1000);
  const tell = () => {
    // The first one may be lost, too
    const states = ['READY=1', 'WATCHDOG=1'];
    execFile('systemd-notify', states, { env: { NOTIFY_SOCKET, PATH }, timeout }, (error) => {
      if (error) log.warn('systemd was not told that the program runs', { reason: error.message });
    });
  };
  tell();
  const isWatched = timeout > 0 && WATCHDOG_PID === String(process.pid);
  if (isWatched) setInterval(tell, timeout / tellingsInTime).unref();
}
