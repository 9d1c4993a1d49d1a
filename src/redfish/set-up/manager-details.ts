import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import packageDescription from '../../../package.json' with { type: 'json' };
import {
  type ManagerSettings,
  validateManagerSettings,
} from '../../../schemas/generated/validators.js';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { isBusy, isFailing, readState, StateFile } from '../../storage/state-file.ts';

/** What the Manager resource says of the device beyond its names. */
export interface ManagerDetails {
  readonly firmwareVersion: string;
  /** Milliseconds since 1970. */
  readonly lastReset: () => number;
  readonly settings: StateFile<ManagerSettings>;
}

const form = { what: 'settings of the manager', validator: validateManagerSettings };

/**
 * What clients have set of the Manager resource. A damaged file costs no more than that, so the next change
 * replaces it; where the disk fails to read the file, the next change first reads it again.
 */
export function openManagerSettings(path: string, log: Log): StateFile<ManagerSettings> {
  const read = () => readState(path, form) ?? {};
  try {
    return new StateFile(path, read());
  } catch (error) {
    const reason = reasonOf(error);
    log.error('settings of the manager cannot be read: ServiceIdentification is empty', {
      ...{ path, reason },
    });
    const isUnread = isBusy(error) || isFailing(error);
    return new StateFile<ManagerSettings>(path, {}, isUnread ? async () => read() : undefined);
  }
}

/** As `redfish.firmwareVersion` of the configuration. */
const versionPattern = /^[!-~](?:[ -~]{0,126}[!-~])?$/;

/** Where os-release(5) has it: the first file that is there counts. */
const osReleaseFiles = ['etc/os-release', 'usr/lib/os-release'];

/**
 * VERSION_ID of os-release, which OpenBMC's images have as their version, or else the version of this program.
 * @param root of the file system
 */
export function firmwareVersionOf(root = '/'): string {
  for (const name of osReleaseFiles) {
    let text: string;
    try {
      text = readFileSync(join(root, name), 'utf8');
    } catch {
      continue;
    }
    const [, , quoted, bare] = /^VERSION_ID=(?:(["'])(.*?)\1|(\S*))\s*$/m.exec(text) ?? [];
    const version = quoted ?? bare ?? '';
    return versionPattern.test(version) ? version : packageDescription.version;
  }
  return packageDescription.version;
}

/** Two looks at the two clocks differ by less, whatever the machine has to do. */
const clockTolerance = 2000;

/**
 * When the device booted, in milliseconds since 1970. The time moves only when the clock is set, and
 * not with each look at it.
 * @param now milliseconds since 1970
 * @param uptimeSeconds since the boot; unlike `btime` of /proc/stat it is there under ProcSubset=pid
 */
export function bootClock(now: () => number, uptimeSeconds: () => number = uptime): () => number {
  let shown = Number.NaN;
  return () => {
    const booted = now() - uptimeSeconds() * 1000;
    if (!(Math.abs(booted - shown) < clockTolerance)) shown = booted;
    return shown;
  };
}
