import type { TrustBundleState } from '../../schemas/generated/validators.js';
import { baseUrl, sourceAddress } from './bundle-address.ts';
import { BundleFault } from './bundle-fault.ts';
import {
  type BundleSettings,
  type EffectiveSettings,
  type RunTimeSettings,
  type SettingName,
  settingNames,
} from './settings.ts';

type Changed = TrustBundleState['settings'];

/** The settings in force, and who said them. */
export function effectiveSettings(settings: BundleSettings, changed: Changed): EffectiveSettings {
  const one = <T>(configured: T, atRunTime: T | undefined) =>
    atRunTime === undefined
      ? { value: configured, origin: 'configuration' as const }
      : { value: atRunTime, origin: 'run time' as const };
  return {
    enabled: one(settings.enabled, changed.enabled),
    intervalHours: one(settings.intervalHours, changed.intervalHours),
    url: one(settings.url, changed.url),
    routingInstance: one(settings.routingInstance, changed.routingInstance),
  };
}

const maxIntervalHours = 8760;
const nameOfBundle = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Whether the settings of all bundles can be in force together. @throws BundleFault `setting` */
export function checkAllSettings(settings: readonly BundleSettings[]): void {
  const names = settings.map(({ name }) => name);
  for (const [at, name] of names.entries()) {
    if (!nameOfBundle.test(name)) throw refused('name', `${name} is no name of a bundle`);
    if (names.indexOf(name) !== at) throw refused('name', `${name} is there twice`);
  }
  for (const one of settings) {
    checkSettings(one);
    for (const group of one.groups) checkGroup(group);
    if (one.refuseAfterDays < one.warnAfterDays)
      throw refused('refuseAfterDays', 'is less than warnAfterDays');
  }
}

/** @throws BundleFault `setting` */
export function checkSettings(settings: Partial<RunTimeSettings>): void {
  for (const name of settingNames) {
    const value = settings[name];
    if (value !== undefined) checks[name](value);
  }
}

/** @throws BundleFault `setting` */
export function checkGroup(name: string): void {
  // As the manager has it for endpoints of run time
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/.test(name))
    throw refused('group', 'takes letters, digits, ".", "_" and "-", 64 at most');
}

/** What the configuration says itself is meant. @throws BundleFault `setting` */
export function refuseLoginGroup(name: string, { loginGroups, groups }: BundleSettings): void {
  if (loginGroups.includes(name) && !groups.includes(name))
    throw refused('group', `the CAs of ${name} let clients log in; load another group`);
}

const checks: Readonly<Record<SettingName, (value: unknown) => void>> = {
  enabled: (value) => {
    if (typeof value !== 'boolean') throw refused('enabled', 'is true or false');
  },
  intervalHours: (value) => {
    const isHours = typeof value === 'number' && Number.isInteger(value);
    if (!isHours || value < 1 || value > maxIntervalHours)
      throw refused('intervalHours', `takes whole hours from 1 to ${maxIntervalHours}`);
  },
  url: (value) => {
    baseUrl(String(value));
  },
  routingInstance: (value) => {
    sourceAddress(String(value));
  },
};

function refused(name: string, text: string): BundleFault {
  return new BundleFault('setting', `${name}: ${text}`);
}
