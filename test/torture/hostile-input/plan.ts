import { extent } from '../extent.ts';

/** How many inputs each target gets in the long form. */
export const plan = {
  pem: 60_000,
  der: 40_000,
  'certificate, of bytes': 20_000,
  'certificate, of elements': 30_000,
  'certificate, of lengths': 5000,
  'private key': 15_000,
  'certification request': 10_000,
  container: 15_000,
  'PKCS #12': 5000,
  upload: 1000,
  'general name': 260_000,
  'request arguments': 60_000,
  'query of a URI': 140_000,
  'filter of an event stream': 100_000,
  'request headers': 260_000,
  'destination and headers of events': 100_000,
  'JSON body': 30_000,
  configuration: 5000,
  'stored file': 6000,
  'stored pair': 500,
  'pending request': 1000,
  'wire of the bus': 20_000,
  'HTTP request': 8000,
  'bus call': 4000,
  'request to the whole stack': 1500,
  'password helper': 2000,
  worker: 40,
} as const;

export type TargetName = keyof typeof plan;

/** A quick run takes the same way for a part of the length. */
export function runsOf(name: TargetName): number {
  return extent({ quick: Math.max(10, Math.ceil(plan[name] / 250)), long: plan[name] });
}
