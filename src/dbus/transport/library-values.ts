import dbus from 'dbus-next';
import type { TypedValue } from '../server/interface.ts';

function isTyped(value: object): value is TypedValue {
  return 'signature' in value && 'value' in value && Object.keys(value).length === 2;
}

/** A value of a message as dbus-next wants it. @param placeholder what stands for an array of bytes; asked in their order */
export function toLibrary(value: unknown, placeholder = (bytes: Buffer): Buffer => bytes): unknown {
  const inner = (one: unknown) => toLibrary(one, placeholder);
  if (Buffer.isBuffer(value)) return placeholder(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(inner);
  if (isTyped(value)) return new dbus.Variant(value.signature, inner(value.value));
  return mapValues(value, inner);
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
