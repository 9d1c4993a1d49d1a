import dbus from 'dbus-next';
import type { TypedValue } from '../server/interface.ts';

function isTyped(value: object): value is TypedValue {
  return 'signature' in value && 'value' in value && Object.keys(value).length === 2;
}

/** A value of a message as dbus-next wants it. */
export function toLibrary(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map(toLibrary);
  if (isTyped(value)) return new dbus.Variant(value.signature, toLibrary(value.value));
  return mapValues(value, toLibrary);
}

/** A value as it came out of dbus-next, in our own terms. */
export function fromLibrary(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map(fromLibrary);
  if (value instanceof dbus.Variant) {
    return { signature: value.signature, value: fromLibrary(value.value) };
  }
  return mapValues(value, fromLibrary);
}

function mapValues(record: object, map: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
